"""How much may be asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one operation, or one person, may ask for; from the settings."""

    page_default: int = 20
    page_max: int = 100
    max_prompt_characters: int = 4000
    idempotency_hours: float = 24
    upload_bytes: int = 50_000_000
    upload_hours: float = 24
    max_templates: int = 200
