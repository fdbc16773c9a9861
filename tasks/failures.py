"""What follows a failure: whether, when and after what an attempt is made again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from db.ending import Failure
from db.enums import FailureCode, GenerationStage
from gpu.errors import EngineError

JITTER = 0.2  # of the pause, either way: what failed together should not come back together

LOST = Failure(FailureCode.WORKER_LOST, "The worker was lost.", retryable=True)
STORAGE = Failure(
    FailureCode.STORAGE_ERROR, "The pictures could not be stored.", retryable=True, stage=GenerationStage.STORING
)
INTERNAL = Failure(FailureCode.INTERNAL, "Something went wrong on our side.", retryable=True)
SOURCE_GONE = Failure(FailureCode.INTERNAL, "The source image is gone.", stage=GenerationStage.PREPARING)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after what pauses."""

    max_retries: int = 3
    pauses_seconds: Sequence[float] = (5, 10, 30)

    def pause_seconds(self, failure: Failure, retry_count: int) -> float | None:
        """Seconds until the next attempt; None when there is none."""
        if not failure.retryable or retry_count >= self.max_retries:
            return None
        # a second time out of memory is for good: nothing else is on this GPU
        if failure.code is FailureCode.OUT_OF_MEMORY and retry_count >= 1:
            return None
        pause = self.pauses_seconds[min(retry_count, len(self.pauses_seconds) - 1)]
        return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret


def of_engine(error: EngineError, stage: GenerationStage) -> Failure:
    """What an engine's error is to the person who waits."""
    known = error.code in FailureCode._value2member_map_
    code = FailureCode(error.code) if known else FailureCode.ENGINE_UNAVAILABLE  # an interrupt that nobody asked for
    return Failure(code, error.message, retryable=error.retryable, stage=stage, node=error.node)
