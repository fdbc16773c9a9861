"""Why a generation failed."""

from collections.abc import Mapping
from typing import Any

import strawberry

from db.tables import GenerationRow
from schema.enums import FailureCode, GenerationStage

UNKNOWN = "It failed; nothing more is known."


@strawberry.type(description="Why an attempt failed.")
class GenerationFailure:
    code: FailureCode = strawberry.field(description="What kind of failure.")
    message: str = strawberry.field(description="Safe to show: no addresses, no traces.")
    retryable: bool = strawberry.field(description="Whether asking again unchanged may succeed.")
    stage: GenerationStage | None = strawberry.field(description="What it was doing.")
    node: str | None = strawberry.field(description="The workflow node at fault, where there is one.")

    @classmethod
    def of(cls, row: GenerationRow) -> "GenerationFailure":
        """The failure that ended the generation of `row`."""
        code = FailureCode(row.failure_code or FailureCode.INTERNAL)
        # What an older deployment wrote was not meant to be shown.
        is_ours = row.attempt > 0 or code is not FailureCode.INTERNAL
        return cls(
            code=code,
            message=row.error_message if row.error_message and is_ours else UNKNOWN,
            retryable=bool(row.failure_retryable),
            stage=GenerationStage(row.failure_stage) if row.failure_stage else None,
            node=row.failure_node,
        )

    @classmethod
    def parse(cls, failure: Mapping[str, Any]) -> "GenerationFailure":
        """The failure that an event tells of."""
        return cls(
            code=FailureCode(failure["code"]),
            message=failure["message"],
            retryable=failure["retryable"],
            stage=GenerationStage(failure["stage"]) if failure.get("stage") else None,
            node=failure.get("node"),
        )
