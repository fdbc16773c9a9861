"""Who asks: the part of a token that the database decides by."""

from dataclasses import dataclass
from uuid import UUID

import orjson


@dataclass(frozen=True, slots=True)
class Claims:
    """One caller, as their token says; ANONYMOUS where there is none."""

    sub: UUID | None = None
    role: str = "anon"
    is_admin: bool = False
    email: str | None = None
    expires_at: float | None = None  # epoch seconds

    @property
    def json(self) -> str:
        """What `request.jwt.claims` is set to: as on Supabase, so that `auth.uid()` reads it."""
        claims: dict[str, object] = {"role": self.role}
        if self.sub:
            claims["sub"] = str(self.sub)
        if self.is_admin:
            claims["app_metadata"] = {"role": "admin"}
        return orjson.dumps(claims).decode()


ANONYMOUS = Claims()
