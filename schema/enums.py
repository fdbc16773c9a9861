"""The closed lists of the contract; those that are stored are `db.enums`, described here."""

from enum import StrEnum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from db.enums import (
    BatchStatus,
    FailureCode,
    GenerationMode,
    GenerationStage,
    GenerationStatus,
    HeldReason,
    ImageFormat,
    ModelCapability,
    ModelProvider,
    UploadStatus,
)

__all__ = [
    "BatchStatus",
    "FailureCode",
    "GenerationMode",
    "GenerationStage",
    "GenerationStatus",
    "HeldReason",
    "ImageFormat",
    "ImageOrder",
    "ImageScope",
    "ModelCapability",
    "ModelProvider",
    "ThumbnailSize",
    "UploadStatus",
    "UserErrorCode",
]


class UserErrorCode(StrEnum):
    """What a client can act on."""

    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED_BY_MODEL = "UNSUPPORTED_BY_MODEL"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    CONFLICT = "CONFLICT"
    BLOCKED_CONTENT = "BLOCKED_CONTENT"


class ThumbnailSize(StrEnum):
    """How large a thumbnail is; the values are variants of a stored picture."""

    SMALL = "small"
    MEDIUM = "medium"


class ImageScope(StrEnum):
    """Whose images."""

    MINE = "MINE"
    PUBLIC = "PUBLIC"
    ARCHIVED = "ARCHIVED"
    LIKED = "LIKED"


class ImageOrder(StrEnum):
    """In which order."""

    NEWEST = "NEWEST"
    OLDEST = "OLDEST"
    MOST_LIKED = "MOST_LIKED"


def _describe(enum: type[StrEnum], description: str, **values: str) -> None:
    """Make `enum` a GraphQL enum, each of its values described."""
    strawberry.enum(enum, description=description)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]


_describe(
    GenerationStatus,
    "COMPLETED, FAILED and CANCELED are final.",
    QUEUED="It waits for a worker.",
    PROCESSING="A worker has it.",
    CANCELING="Asked to stop while PROCESSING; ends within 30 s.",
    COMPLETED="Its images are there.",
    FAILED="It ended without an image; `failure` says why.",
    CANCELED="It was stopped at its owner's wish.",
)
_describe(
    BatchStatus,
    "How far a batch is; COMPLETED, PARTIAL, FAILED and CANCELED are those of one that has ended.",
    PENDING="None of its generations has started.",
    PROCESSING="Some of its generations have started, and some have not ended.",
    COMPLETED="All completed.",
    PARTIAL="Ended, some completed and some not.",
    FAILED="Ended, none completed and some failed.",
    CANCELED="Ended, all canceled.",
)
_describe(
    HeldReason,
    "Why a QUEUED generation is not being taken although others may be; of several, the first in this order.",
    PAUSED="The queue or its model is paused.",
    NO_WORKER="No worker that is up can run its model.",
    BACKOFF="It waits for its next attempt.",
    CONCURRENCY_LIMIT="Its owner has as many running as they may.",
)
_describe(
    GenerationMode,
    "What is made of what.",
    TEXT_TO_IMAGE="A picture from the prompt alone.",
    IMAGE_TO_IMAGE="A picture from the prompt and another picture.",
    INPAINT="A part of a picture painted anew.",
    UPSCALE="A picture made larger.",
)
_describe(
    GenerationStage,
    "What a PROCESSING generation is doing.",
    PREPARING="The engine is being given its workflow.",
    LOADING_MODEL="The model's files are being read.",
    SAMPLING="The picture takes shape, step by step.",
    DECODING="The result becomes pixels.",
    STORING="The images are being stored.",
)
_describe(
    FailureCode,
    "Why a generation failed.",
    INVALID_WORKFLOW="The engine refused the workflow.",
    NODE_ERROR="A node of the workflow failed while it ran.",
    NO_OUTPUT="The run ended without an image.",
    OUT_OF_MEMORY="The engine had too little memory.",
    MODEL_MISSING="A file of the model is not there.",
    ENGINE_UNAVAILABLE="The engine could not be reached.",
    TIMED_OUT="No progress for too long, or the attempt took too long.",
    WORKER_LOST="The worker that had it went away.",
    STORAGE_ERROR="The images could not be stored.",
    CONTENT_BLOCKED="The content is not allowed.",
    PROVIDER_REJECTED="A hosted API said no.",
    EXPIRED="It waited longer than it may.",
    INTERNAL="Something went wrong on our side.",
)
_describe(
    ModelProvider,
    "Who runs a model.",
    COMFYUI="A ComfyUI server of one's own.",
    REPLICATE="Replicate's hosted API.",
    OPENAI="OpenAI's hosted API.",
    GEMINI="Google's hosted API.",
)
_describe(
    ModelCapability,
    "What a model can do.",
    TEXT_TO_IMAGE="Pictures from a prompt alone.",
    NEGATIVE_PROMPT="It heeds a negative prompt.",
    SEED="The same seed and settings make the same picture.",
    IMAGE_TO_IMAGE="Pictures from another picture.",
    INPAINT="It paints a part of a picture anew.",
    LORA="It carries a LoRA.",
    UPSCALE="It makes pictures larger.",
    VECTOR="It draws vectors.",
)
_describe(
    UploadStatus,
    "READY, REJECTED and EXPIRED are final.",
    PENDING="Waits for its bytes, until expiresAt.",
    PROCESSING="The bytes are there and are being checked.",
    READY="Its image is there.",
    REJECTED="Its bytes are not taken; `error` says why.",
    EXPIRED="Its bytes have not come in time.",
)
_describe(
    ImageFormat,
    "How the picture behind `url` is encoded.",
    WEBP="WebP.",
    PNG="PNG.",
    JPEG="JPEG.",
    SVG="SVG: a vector drawing.",
)

_describe(
    UserErrorCode,
    "What a client can act on.",
    NOT_FOUND="What is named is not there to see.",
    INVALID="A field's value is not allowed.",
    TOO_LARGE="A field's value is too large.",
    UNSUPPORTED_BY_MODEL="The model cannot do that.",
    MODEL_UNAVAILABLE="The model is not offered now.",
    RATE_LIMITED="Too many in a window; wait.",
    QUOTA_EXCEEDED="Full; make room.",
    CONFLICT="Its state does not allow that.",
    BLOCKED_CONTENT="The content is not allowed.",
)
_describe(
    ThumbnailSize,
    "How large a thumbnail is.",
    SMALL="256 px on the longer side",
    MEDIUM="768 px on the longer side",
)
_describe(
    ImageScope,
    "Whose images.",
    MINE="My own, not archived.",
    PUBLIC="Everybody's public images.",
    ARCHIVED="My own, archived.",
    LIKED="Those that I like.",
)
_describe(
    ImageOrder,
    "In which order.",
    NEWEST="The newest first.",
    OLDEST="The oldest first.",
    MOST_LIKED="The most liked first; of as many likes, the newest first.",
)
