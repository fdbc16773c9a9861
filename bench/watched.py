"""What is watched: people with a generation at work each, and what a worker would say of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import orjson
from redis.asyncio import Redis

from bench.stage import Addresses, Stage
from db import models
from db.database import Database
from db.enums import EventKind, GenerationStage, GenerationStatus
from db.events import Changed
from db.migrate import migrate
from db.tables import EventRow, GenerationRow
from gpu import catalogue
from tasks import news

NAMESPACE = "bench-live"
STEPS = 30
CHANGE_EVERY = 4  # one event in so many is a change of status, the others are progress
PEOPLE = """
    with people as (
        insert into profiles (id, username) select gen_random_uuid(), 'watcher_' || n from generate_series(1, $1) n
        returning id
    ), limits as (
        insert into user_rate_limits (user_id, event_seq) select id, 1 from people
    )
    insert into image_generations (user_id, model_id, engine, prompt, width, height, steps, seed, image_count, status,
        stage, progress, expected_seconds, worker, attempt, attempt_id, lease_until, created_at, started_at)
    select p.id, m.id, m.engine, 'a red fox in the snow, oil painting, soft light', 1024, 1024, 30, 1, 1, 'processing',
        'sampling', 0, 2, 'worker', 1, gen_random_uuid(), now() + interval '1 day', now(), now()
    from people p cross join (select * from models where slug = 'flux-schnell') m
    returning row_to_json(image_generations)::text
"""


@asynccontextmanager
async def open_watched(stage: Stage, count: int) -> AsyncIterator[tuple[Addresses, Sequence[GenerationRow]]]:
    """A database in which so many people have a generation at work; dropped afterwards."""
    database = stage.addresses.at("bench_live")
    admin = await asyncpg.connect(stage.addresses.at("postgres").admin)
    try:
        await admin.execute(f"drop database if exists {database.name} with (force)")
        await admin.execute(f"create database {database.name}")
        await migrate(database.admin, database.api, database.worker)
        yield database, await _people(database, count)
        await admin.execute(f"drop database {database.name} with (force)")
    finally:
        await admin.close()


async def _people(database: Addresses, count: int) -> list[GenerationRow]:
    db = Database.connect(database.worker)
    async with db.as_service() as session:
        await models.sync(session, "comfyui", [entry.row() for entry in catalogue.load().entries.values()])
    await db.close()
    connection = await asyncpg.connect(database.admin)
    try:
        rows = await connection.fetch(PEOPLE, count)
    finally:
        await connection.close()
    return [GenerationRow.model_validate(orjson.loads(row[0])) for row in rows]


class Teller:
    """Says what a worker would say, straight to Redis; ahead of the rows, so that nobody looks for what is missing."""

    def __init__(self, redis: Redis, rows: Sequence[GenerationRow]) -> None:
        self._redis = redis
        self._rows = rows
        self._seqs: dict[UUID, int] = {}
        self._told = 0

    async def tell(self, count: int) -> None:
        """So many events, each of the next generation in turn."""
        pipeline = self._redis.pipeline(transaction=False)
        for _ in range(count):
            row = self._rows[self._told % len(self._rows)]
            round_ = self._told // len(self._rows)
            self._told += 1
            message = self._change(row) if round_ % CHANGE_EVERY == 0 else self._progress(row, round_)
            pipeline.publish(news.channel(NAMESPACE, row.user_id), message)
        await pipeline.execute()

    def _change(self, row: GenerationRow) -> bytes:
        """Another attempt has begun."""
        seq = self._seqs[row.user_id] = self._seqs.get(row.user_id, 1) + 1
        row.attempt, row.attempt_id, row.status = row.attempt + 1, uuid4(), GenerationStatus.PROCESSING
        event = EventRow(
            user_id=row.user_id,
            seq=seq,
            generation_id=row.id,
            kind=EventKind.STARTED,
            attempt=row.attempt,
            will_retry=False,
            failure=None,
            created_at=news.now(),
        )
        return news.encode_changes(Changed(row, (event,)))

    @staticmethod
    def _progress(row: GenerationRow, step: int) -> bytes:
        step %= STEPS
        return news.encode_progress(row, GenerationStage.SAMPLING, step / STEPS, step, STEPS, 2.0)
