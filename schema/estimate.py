"""How long a running generation will still take."""

from datetime import datetime

from db.tables import GenerationRow

TRUSTED_PROGRESS = 0.1  # before, loading the model is most of what has been seen


def remaining_seconds(row: GenerationRow, now: datetime) -> float | None:
    """Until completion, by its own pace once it has one, by what is usual before; None before it has started."""
    if row.started_at is None:
        return None
    elapsed = max((now - row.started_at).total_seconds(), 0)
    if row.progress >= TRUSTED_PROGRESS:
        return elapsed * (1 - row.progress) / row.progress
    return max(row.expected_seconds - elapsed, 0)
