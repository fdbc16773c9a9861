"""The closed lists: a member's name is what clients see, its value what Postgres stores."""

from enum import StrEnum, auto


class GenerationStatus(StrEnum):
    """Where a generation stands; the last three are final."""

    QUEUED = auto()
    PROCESSING = auto()
    CANCELING = auto()
    COMPLETED = auto()
    FAILED = auto()
    CANCELED = auto()

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self in {GenerationStatus.COMPLETED, GenerationStatus.FAILED, GenerationStatus.CANCELED}


class HeldReason(StrEnum):
    """Why a QUEUED generation is not being taken; of several, the first in this order."""

    PAUSED = auto()
    NO_WORKER = auto()
    BACKOFF = auto()
    CONCURRENCY_LIMIT = auto()


class GenerationMode(StrEnum):
    """What is made of what."""

    TEXT_TO_IMAGE = auto()
    IMAGE_TO_IMAGE = auto()
    INPAINT = auto()
    UPSCALE = auto()


class GenerationStage(StrEnum):
    """What a PROCESSING generation is doing."""

    PREPARING = auto()
    LOADING_MODEL = auto()
    SAMPLING = auto()
    DECODING = auto()
    STORING = auto()


class FailureCode(StrEnum):
    """Why an attempt failed."""

    INVALID_WORKFLOW = auto()
    NODE_ERROR = auto()
    NO_OUTPUT = auto()
    OUT_OF_MEMORY = auto()
    MODEL_MISSING = auto()
    ENGINE_UNAVAILABLE = auto()
    TIMED_OUT = auto()
    WORKER_LOST = auto()
    STORAGE_ERROR = auto()
    CONTENT_BLOCKED = auto()
    PROVIDER_REJECTED = auto()
    EXPIRED = auto()
    INTERNAL = auto()


class EventKind(StrEnum):
    """What an event tells; FAILED with `will_retry` is followed by QUEUED."""

    QUEUED = auto()
    STARTED = auto()
    CANCELING = auto()
    COMPLETED = auto()
    FAILED = auto()
    CANCELED = auto()


class ModelProvider(StrEnum):
    """Who runs a model."""

    COMFYUI = auto()
    REPLICATE = auto()
    OPENAI = auto()
    GEMINI = auto()


class ModelCapability(StrEnum):
    """What a model can do."""

    TEXT_TO_IMAGE = auto()
    NEGATIVE_PROMPT = auto()
    SEED = auto()
    IMAGE_TO_IMAGE = auto()
    INPAINT = auto()
    LORA = auto()
    UPSCALE = auto()
    VECTOR = auto()


class BatchStatus(StrEnum):
    """How far a batch is; the last four are those of one that is over."""

    PENDING = auto()
    PROCESSING = auto()
    COMPLETED = auto()
    PARTIAL = auto()
    FAILED = auto()
    CANCELED = auto()


class UploadStatus(StrEnum):
    """Where an upload stands; the last three are final."""

    PENDING = auto()
    PROCESSING = auto()
    READY = auto()
    REJECTED = auto()
    EXPIRED = auto()

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self in {UploadStatus.READY, UploadStatus.REJECTED, UploadStatus.EXPIRED}


class ImageFormat(StrEnum):
    """How a stored picture is encoded."""

    WEBP = auto()
    PNG = auto()
    JPEG = auto()
    SVG = auto()
