"""What a person may use, and what they have used, by the clock in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import PictureError, QuotaExceededError, RateLimitError

HOUR_SECONDS, DAY_SECONDS = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits that the settings give each person."""

    generations_per_hour: int = 20
    generations_per_day: int = 100
    max_concurrent: int = 3
    uploads_per_day: int = 200
    storage_bytes: int = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """What one person has used."""

    generations_this_hour: int = 0
    generations_today: int = 0
    uploads_today: int = 0
    storage_bytes: int = 0
    running: int = 0
    queued: int = 0


USAGE = text("""
    select
        case when hour_started_at = date_trunc('hour', now(), 'UTC') then generations_this_hour else 0 end,
        case when day_started_at = date_trunc('day', now(), 'UTC') then generations_today else 0 end,
        case when uploads_day_started_at = date_trunc('day', now(), 'UTC') then uploads_today else 0 end,
        storage_bytes_used,
        (select count(*) from image_generations g
            where g.user_id = l.user_id and g.status in ('processing', 'canceling')),
        (select count(*) from image_generations g where g.user_id = l.user_id and g.status = 'queued')
    from user_rate_limits l where l.user_id = :user_id
""")


async def usage(session: AsyncSession, user_id: UUID) -> Usage:
    """What this person has used in the current windows: one statement."""
    row = (await session.execute(USAGE, {"user_id": user_id})).one_or_none()
    return Usage(*row) if row else Usage()


def allows(used: Usage, allowance: Allowance, count: int = 1) -> bool:
    """Whether `count` more generations would be within the limits now: the statement that creates decides by itself."""
    return (
        used.generations_this_hour + count <= allowance.generations_per_hour
        and used.generations_today + count <= allowance.generations_per_day
        and used.storage_bytes < allowance.storage_bytes
    )


def refusal(used: Usage, allowance: Allowance, count: int = 1, *, now: datetime | None = None) -> PictureError:
    """The error that says which limit `count` more would pass, and when to try again."""
    now = now or datetime.now(UTC)
    if used.storage_bytes >= allowance.storage_bytes:
        return QuotaExceededError(limit=allowance.storage_bytes, used=used.storage_bytes)
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    next_hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    is_day = used.generations_today + count > allowance.generations_per_day
    limit = allowance.generations_per_day if is_day else allowance.generations_per_hour
    wait = int(((tomorrow if is_day else next_hour) - now).total_seconds()) + 1
    window = DAY_SECONDS if is_day else HOUR_SECONDS
    return RateLimitError(
        f"No more than {limit} generations {'a day' if is_day else 'an hour'}; try again in {_spoken(wait)}.",
        limit=limit,
        window_seconds=window,
        retry_after_seconds=wait,
    )


def _spoken(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{-(-minutes // 60)} h"
