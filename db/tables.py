"""The tables as Python sees them; the migrations beside are what makes them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeDecorator
from sqlalchemy.types import Uuid as UuidType
from sqlmodel import Field, SQLModel

from db.enums import (
    EventKind,
    FailureCode,
    GenerationMode,
    GenerationStage,
    GenerationStatus,
    ImageFormat,
    ModelProvider,
    UploadStatus,
)


class Word(TypeDecorator[StrEnum]):
    """A member of a closed list, stored as its value."""

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The value as text."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        """The member."""
        return None if value is None else self.enum(value)


INSTANT: Any = DateTime(timezone=True)
BIG: Any = BigInteger()


def word(enum: type[StrEnum]) -> Any:
    """The column type of one closed list."""
    return Word(enum)


class ProfileRow(SQLModel, table=True):
    """A person, as everybody may see them; the API's role cannot read `email`."""

    __tablename__: ClassVar[str] = "profiles"
    id: UUID = Field(primary_key=True)
    username: str | None = None
    avatar_url: str | None = None
    created_at: datetime = Field(sa_type=INSTANT)


class ModelRow(SQLModel, table=True):
    """An entry of the catalogue."""

    __tablename__: ClassVar[str] = "models"
    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    slug: str
    name: str
    description: str | None = None
    provider: ModelProvider = Field(sa_type=word(ModelProvider))
    version: str | None = None
    engine: str
    capabilities: list[str] = Field(sa_type=ARRAY(Text))
    aspect_ratios: list[str] = Field(sa_type=ARRAY(Text))
    modes: dict[str, list[str]] = Field(sa_type=JSONB)
    default_width: int
    default_height: int
    min_width: int
    min_height: int
    max_width: int
    max_height: int
    max_pixels: int
    native_pixels: int
    max_source_pixels: int | None = None
    max_image_count: int
    size_multiple: int
    default_steps: int | None = None
    min_steps: int | None = None
    max_steps: int | None = None
    default_guidance: float | None = None
    min_guidance: float | None = None
    max_guidance: float | None = None
    default_strength: float | None = None
    licence: str | None = None
    cost_per_image: Decimal | None = None
    expected_seconds: float
    typical_seconds: float | None = None
    spread: float | None = None
    digest: str | None = None
    is_active: bool
    sort_order: int
    updated_at: datetime = Field(sa_type=INSTANT, sa_column_kwargs={"server_default": text("now()")})


class GenerationRow(SQLModel, table=True):
    """One request for pictures."""

    __tablename__: ClassVar[str] = "image_generations"
    id: UUID = Field(primary_key=True)
    user_id: UUID
    model_id: UUID
    engine: str
    mode: GenerationMode = Field(sa_type=word(GenerationMode))
    prompt: str
    negative_prompt: str | None = None
    width: int
    height: int
    steps: int | None = None
    guidance_scale: float | None = None
    seed: int = Field(sa_type=BIG)
    image_count: int
    source_image_id: UUID | None = None
    mask_image_id: UUID | None = None
    strength: float | None = None
    is_public: bool
    tags: list[str] = Field(sa_type=ARRAY(Text))
    start_before: datetime | None = Field(None, sa_type=INSTANT)
    retry_of: UUID | None = None
    batch_id: UUID | None = None
    batch_index: int | None = None
    status: GenerationStatus = Field(sa_type=word(GenerationStatus))
    stage: GenerationStage | None = Field(None, sa_type=word(GenerationStage))
    progress: float
    priority: int
    tag: float
    expected_seconds: float
    not_before: datetime | None = Field(None, sa_type=INSTANT)
    reserved_by: str | None = None
    worker: str | None = None
    attempt: int
    attempt_id: UUID | None = None
    lease_until: datetime | None = Field(None, sa_type=INSTANT)
    retry_count: int
    failure_code: FailureCode | None = Field(None, sa_type=word(FailureCode))
    error_message: str | None = None
    failure_stage: GenerationStage | None = Field(None, sa_type=word(GenerationStage))
    failure_node: str | None = None
    failure_retryable: bool | None = None
    cost_usd: Decimal | None = None
    generation_time_seconds: float | None = None
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
    started_at: datetime | None = Field(None, sa_type=INSTANT)
    completed_at: datetime | None = Field(None, sa_type=INSTANT)


class BatchRow(SQLModel, table=True):
    """Several generations that were asked for together."""

    __tablename__: ClassVar[str] = "batch_generations"
    id: UUID = Field(primary_key=True)
    user_id: UUID
    name: str | None = None
    created_at: datetime = Field(sa_type=INSTANT)


class ImageRow(SQLModel, table=True):
    """A stored picture."""

    __tablename__: ClassVar[str] = "images"
    id: UUID = Field(primary_key=True)
    user_id: UUID
    generation_id: UUID | None = None
    attempt_id: UUID | None = None
    image_index: int
    storage_path: str | None = None
    small_path: str | None = None
    medium_path: str | None = None
    filename: str | None = None
    format: ImageFormat = Field(sa_type=word(ImageFormat))
    file_size: int = Field(sa_type=BIG)
    width: int
    height: int
    blurhash: str | None = None
    publication_id: UUID | None = None
    is_public: bool
    is_favorite: bool
    rating: int | None = None
    like_count: int
    model_id: UUID | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | None = Field(None, sa_type=BIG)
    steps: int | None = None
    guidance: float | None = None
    archived_at: datetime | None = Field(None, sa_type=INSTANT)
    hidden_at: datetime | None = Field(None, sa_type=INSTANT)
    created_at: datetime = Field(sa_type=INSTANT)

    @property
    def is_shown(self) -> bool:
        """Whether everybody may see it."""
        return self.is_public and self.archived_at is None and self.hidden_at is None


class UploadRow(SQLModel, table=True):
    """Bytes that a client was promised a place for, and what came of them."""

    __tablename__: ClassVar[str] = "uploads"
    id: UUID = Field(primary_key=True)
    user_id: UUID
    filename: str
    content_type: str
    size: int = Field(sa_type=BIG)
    object_key: str
    status: UploadStatus = Field(sa_type=word(UploadStatus))
    image_id: UUID | None = None
    error_code: str | None = None
    error_message: str | None = None
    expires_at: datetime = Field(sa_type=INSTANT)
    created_at: datetime = Field(sa_type=INSTANT)


class TagRow(SQLModel, table=True):
    """A word that images carry; `public_count` is of those that everybody may see."""

    __tablename__: ClassVar[str] = "tags"
    id: UUID = Field(primary_key=True)
    name: str
    color: str | None = None
    created_by: UUID | None = None
    public_count: int
    created_at: datetime = Field(sa_type=INSTANT)


class TemplateRow(SQLModel, table=True):
    """A prompt to begin with; one without an owner came with the database."""

    __tablename__: ClassVar[str] = "prompt_templates"
    id: UUID = Field(primary_key=True)
    user_id: UUID | None = None
    name: str
    prompt: str
    negative_prompt: str | None = None
    category: str | None = None
    is_public: bool
    use_count: int
    created_at: datetime = Field(sa_type=INSTANT)


class EventRow(SQLModel, table=True):
    """One change of a generation's status, numbered among its owner's."""

    __tablename__: ClassVar[str] = "generation_events"
    user_id: UUID = Field(sa_type=UuidType, primary_key=True)
    seq: int = Field(sa_type=BIG, primary_key=True)
    generation_id: UUID
    kind: EventKind = Field(sa_type=word(EventKind))
    attempt: int
    will_retry: bool
    failure: dict[str, Any] | None = Field(None, sa_type=JSONB)
    created_at: datetime = Field(sa_type=INSTANT)
