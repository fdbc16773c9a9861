"""Who asks and who works, at the functions of `db` themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid4, uuid5

from sqlmodel import col, select

from db import batches, ending, events, generations, images, limits, objects, profiles, queue, taking, workers
from db.claims import Claims
from db.database import Database
from db.ending import Failure, StoredPicture
from db.enums import FailureCode, GenerationStatus
from db.events import Changed
from db.generations import IdempotencyKey, NewGeneration
from db.limits import Allowance, Usage
from db.queue import Place, QueueRules
from db.tables import EventRow, GenerationRow, ImageRow, ModelRow
from db.taking import Attempt
from db.workers import WorkerState

PLENTY = Allowance(generations_per_hour=100_000, generations_per_day=100_000)
BROKEN = Failure(FailureCode.NODE_ERROR, "The node said no.", retryable=True)
FILE_BYTES = 10


@dataclass(frozen=True)
class Person:
    """Somebody at the API's login."""

    db: Database
    model: ModelRow
    claims: Claims
    id: UUID

    async def create(
        self, *, key: IdempotencyKey | None = None, allowance: Allowance = PLENTY, **changes: Any
    ) -> GenerationRow:
        """A QUEUED generation, or what the key stands for."""
        usual = NewGeneration(self.model, "a red fox", width=256, height=256, seed=7)
        async with self.db.as_user(self.claims) as session:
            new = replace(usual, **changes)
            return (await generations.create(session, self.id, new, allowance, key=key)).row

    async def create_batch(self, count: int) -> UUID:
        """A batch of so many; its id."""
        usual = NewGeneration(self.model, "a red fox", width=256, height=256, seed=7)
        async with self.db.as_user(self.claims) as session:
            return (await batches.create(session, self.id, None, [usual] * count, PLENTY))[0].id

    async def cancel(self, row: GenerationRow) -> Changed:
        """Ask that it be stopped."""
        async with self.db.as_user(self.claims) as session:
            return await generations.cancel(session, row.id)

    async def delete(self, row: GenerationRow) -> Changed:
        """Have it gone."""
        async with self.db.as_user(self.claims) as session:
            return await generations.delete(session, row.id)

    async def delete_images(self) -> None:
        """Have all pictures gone."""
        async with self.db.as_user(self.claims) as session:
            mine = await session.scalars(select(ImageRow).where(col(ImageRow.user_id) == self.id))
            for image in mine.all():
                await images.delete(session, image.id)

    async def status(self, row: GenerationRow) -> GenerationStatus | None:
        """As it is now; None when it is not there."""
        async with self.db.as_user(self.claims) as session:
            found = await generations.get(session, row.id)
        return found.status if found else None

    async def usage(self) -> Usage:
        """What this person has used."""
        async with self.db.as_user(self.claims) as session:
            return await limits.usage(session, self.id)

    async def events(self, after: int = 0) -> Sequence[EventRow]:
        """What has happened."""
        async with self.db.as_user(self.claims) as session:
            return await events.after(session, self.id, after)

    async def place(self, row: GenerationRow, rules: QueueRules | None = None) -> Place | None:
        """Where it stands."""
        async with self.db.as_user(self.claims) as session:
            return (await queue.places(session, [row.id], rules or QueueRules())).get(row.id)


@dataclass(frozen=True)
class People:
    """Makes persons, each with their profile."""

    db: Database
    model: ModelRow

    async def __call__(self, name: str = "somebody") -> Person:
        """This person, seen for the first time."""
        claims = Claims(sub=uuid5(NAMESPACE_DNS, name), role="authenticated", email=f"{name}@example.com")
        assert claims.sub
        await profiles.admit(self.db, claims)
        return Person(self.db, self.model, claims, claims.sub)


@dataclass
class Worker:
    """The worker's verbs, by hand."""

    db: Database
    models: Sequence[UUID]
    name: str = "by-hand"
    max_concurrent: int = 1000
    lease_seconds: float = 60
    taken: list[GenerationRow] = field(default_factory=list)

    async def reserve(self) -> GenerationRow | None:
        """The one whose turn it is."""
        async with self.db.as_service() as session:
            return await taking.reserve(
                session,
                worker=self.name,
                engine="comfyui",
                model_ids=self.models,
                max_concurrent=self.max_concurrent,
                lease_seconds=self.lease_seconds,
            )

    async def start(self, row: GenerationRow) -> Attempt:
        """A reserved one becomes PROCESSING. Raises SupersededError."""
        async with self.db.as_service() as session:
            changed = await taking.start(
                session, row.id, worker=self.name, attempt_id=uuid4(), lease_seconds=self.lease_seconds
            )
        return Attempt.of(changed.row)

    async def take(self) -> Attempt:
        """Reserve and start; there must be something."""
        row = await self.reserve()
        assert row, "nothing waits"
        return await self.start(row)

    async def give_back(self, attempt: Attempt) -> Changed:
        """Let another worker have it."""
        async with self.db.as_service() as session:
            return await taking.give_back(session, attempt)

    async def fail(self, attempt: Attempt, *, retry_after_seconds: float | None = None) -> Changed:
        """It went wrong, for now or for good."""
        async with self.db.as_service() as session:
            return await ending.fail(session, attempt, BROKEN, retry_after_seconds=retry_after_seconds)

    async def announce(self, attempt: Attempt, image_count: int = 1) -> list[str]:
        """Say what is about to be stored."""
        keys = [key for index in range(image_count) for key in _keys(attempt, index)]
        async with self.db.as_service() as session:
            await objects.announce(session, attempt, keys)
        return keys

    async def complete(self, attempt: Attempt, image_count: int = 1) -> Changed:
        """It has its pictures."""
        await self.announce(attempt, image_count)
        return await self.commit(attempt, image_count)

    async def commit(self, attempt: Attempt, image_count: int = 1) -> Changed:
        """It has its pictures, announced before."""
        pictures = [_picture(attempt, index) for index in range(image_count)]
        seconds = {"prepare_seconds": 0.1, "run_seconds": 0.1, "store_seconds": 0.1}
        async with self.db.as_service() as session:
            return await ending.complete(session, attempt, pictures, seconds)

    async def beat(self) -> None:
        """Say that it is up."""
        async with self.db.as_service() as session:
            await workers.beat(session, WorkerState(self.name, "comfyui", "here", self.models))

    def named(self, name: str, **changes: Any) -> "Worker":
        """Another one."""
        return replace(self, name=name, taken=[], **changes)


def _keys(attempt: Attempt, index: int) -> list[str]:
    return [f"generations/{attempt.generation_id}/{attempt.id}/{index}-{name}" for name in ("full", "small", "medium")]


def _picture(attempt: Attempt, index: int) -> StoredPicture:
    full, small, medium = _keys(attempt, index)
    return StoredPicture(index, full, small, medium, "webp", FILE_BYTES, width=256, height=256, blurhash="L00000fQ")
