"""Taking from a queue, as it gets longer; and what its indexes cost whoever asks."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from rich.console import Console
from sqlalchemy import Engine, event

from bench import data, figures, targets
from bench.options import Options, machine
from bench.people import BenchError
from bench.stage import Addresses, open_stage
from bench.targets import Verdict
from db import taking
from db.database import Database

SCRIPT = Path(__file__).with_name("waiting.sql")
PEOPLE = 10_000
MAX_CONCURRENT = 3
TAKERS, TAKES_PER_SECOND = 16, 75
DEPTHS = (1_000, 10_000, 100_000)
HELD = 40_000
# As if it had been made: what is measured is the taking, with as few held as there are takers.
END = """
    update image_generations set status = 'completed', completed_at = now(), progress = 1, reserved_by = null,
        lease_until = null where id = $1
"""
INSERT = """
    insert into {table} (id, user_id, model_id, engine, mode, prompt, width, height, steps, seed, image_count, priority,
        expected_seconds, tag)
    select gen_random_uuid(), $1, $2, 'comfyui', 'text_to_image', 'a red fox', 1024, 1024, 4, $3, 1, 0, 4, $4
"""
# An index over what waits, is reserved or runs.
QUEUE_INDEXES = """
    select indexrelid::regclass::text from pg_index
    where indrelid = '{table}'::regclass and pg_get_expr(indpred, indrelid) ~ '(queued|reserved_by)'
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is taken and inserted."""

    takes: int = 600
    inserts: int = 3000


QUICK = Size(takes=120, inserts=600)


@dataclass(slots=True)
class Report:
    """Milliseconds."""

    machine: str
    statements: dict[str, dict[str, float]] = field(default_factory=dict)
    whole: dict[str, dict[str, float]] = field(default_factory=dict)
    inserts: dict[str, dict[str, float]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)


async def measure(options: Options) -> Report:
    """Queues of several lengths, one taker and many."""
    size, report = QUICK if options.quick else Size(), Report(machine())
    async with open_stage(options.home) as stage:
        options.say("making the data")
        database = await stage.database(data.Size(people=PEOPLE))
        admin = await asyncpg.connect(database.admin)
        try:
            await admin.execute("create temp table bench_waiting (waiting int, held int)")
            for waiting, held in [*((depth, 0) for depth in DEPTHS), (DEPTHS[-1], HELD)]:
                name = f"{waiting:,} waiting" + (f" behind {held:,} of people at their limit" if held else "")
                for count, per_second in ((1, None), (TAKERS, TAKES_PER_SECOND)):
                    options.say(f"a queue of {waiting + held:,}")
                    await _fill(admin, waiting, held)
                    label = f"{name}, {count} taker{'s' * (count > 1)}"
                    await _take(report, label, database, count, per_second, size.takes)
            options.say("inserting")
            report.inserts = await _insert(admin, size.inserts)
        finally:
            await admin.close()
    report.verdicts = list(_verdicts(report))
    return report


async def _fill(admin: asyncpg.Connection, waiting: int, held: int) -> None:
    await admin.execute("delete from bench_waiting")
    await admin.execute("insert into bench_waiting values ($1, $2)", waiting, held)
    await admin.execute(SCRIPT.read_text())
    await admin.execute("vacuum (analyze) image_generations")


async def _take(
    report: Report, label: str, database: Addresses, count: int, per_second: float | None, takes: int
) -> None:
    db = Database.connect(database.worker, pool_size=2 * TAKERS)
    end = await asyncpg.create_pool(database.worker, min_size=1, max_size=TAKERS)
    try:
        models = await end.fetchval("select array_agg(id) from models where engine = 'comfyui' and is_active")
        takers = Takers(db, end, models)
        await takers.take(count, None, 10 * count)
        with timed(db.engine.sync_engine) as statements:
            took = await takers.take(count, per_second, takes)
        report.statements[label] = figures.milliseconds(statements())
        report.whole[label] = figures.milliseconds(took)
    finally:
        await end.close()
        await db.close()


@dataclass(slots=True)
class Takers:
    """Workers who can run every model, and who are done with it at once."""

    db: Database
    end: asyncpg.Pool
    models: Sequence[UUID]

    async def take(self, takers: int, per_second: float | None, count: int) -> list[float]:
        """Seconds that each of so many takes took, at a rate, or each after the last."""
        turns, began = itertools.count(), time.perf_counter()

        async def work(name: str) -> list[float]:
            took = []
            while (number := next(turns)) < count:
                if per_second:
                    await asyncio.sleep(began + number / per_second - time.perf_counter())
                took.append(await self._take(name))
            return took

        return [each for took in await asyncio.gather(*(work(f"taker {n}") for n in range(takers))) for each in took]

    async def _take(self, name: str) -> float:
        began = time.perf_counter()
        async with self.db.as_service() as session:
            row = await taking.reserve(
                session, worker=name, engine="comfyui", model_ids=self.models, max_concurrent=MAX_CONCURRENT,
                lease_seconds=60,
            )  # fmt: skip
        took = time.perf_counter() - began
        if row is None:
            raise BenchError("A take came back empty while others wait.")
        await self.end.execute(END, row.id)
        return took


@contextmanager
def timed(engine: Engine) -> Iterator[Any]:
    """What returns the seconds of each transaction's statements: with the driver, without what is made of rows."""
    begun: dict[int, float] = {}
    spent: defaultdict[int, float] = defaultdict(float)
    ended: list[float] = []

    def before(connection: Any, *rest: Any) -> None:
        begun[id(connection)] = time.perf_counter()

    def after(connection: Any, *rest: Any) -> None:
        spent[id(connection)] += time.perf_counter() - begun.pop(id(connection))

    def commit(connection: Any) -> None:
        ended.append(spent.pop(id(connection), 0.0))

    listeners = (("before_cursor_execute", before), ("after_cursor_execute", after), ("commit", commit))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    yield lambda: ended
    for name, listener in listeners:
        event.remove(engine, name, listener)


async def _insert(admin: asyncpg.Connection, count: int) -> dict[str, dict[str, float]]:
    """Into two copies of the table, in turns: one with all its indexes, one without those of the queue."""
    took: dict[str, list[float]] = {"with": [], "without": []}
    for name in took:
        await admin.execute(f'create table "{name}" (like image_generations including all)')
        await admin.execute(f'insert into "{name}" select * from image_generations')
    for index in await admin.fetch(QUEUE_INDEXES.format(table='"without"')):
        await admin.execute(f"drop index {index[0]}")
    ids = await admin.fetchrow("select (select id from profiles limit 1), (select id from models limit 1)")
    inserts = {name: await admin.prepare(INSERT.format(table=f'"{name}"')) for name in took}
    async with admin.transaction():  # what is measured is the insert, and not the disk
        for number in range(count):
            for name, insert in inserts.items():
                began = time.perf_counter()
                await insert.fetch(*ids, number, number / 7)
                took[name].append(time.perf_counter() - began)
    await admin.execute('drop table "with", "without"')
    return {name: figures.milliseconds(each[count // 10 :]) for name, each in took.items()}


def _verdicts(report: Report) -> Iterator[Verdict]:
    shallow, deep = (report.statements[f"{depth:,} waiting, 1 taker"] for depth in (DEPTHS[0], DEPTHS[-1]))
    held = report.statements[f"{DEPTHS[-1]:,} waiting behind {HELD:,} of people at their limit, 1 taker"]
    yield targets.TAKE_MEDIAN.judge(deep["median"])
    yield targets.TAKE_P99.judge(deep["p99"])
    yield targets.TAKE_DEPTH.judge(deep["median"] / shallow["median"])
    yield targets.TAKE_HELD.judge(held["median"] / deep["median"])
    yield targets.INSERT.judge(report.inserts["with"]["median"] / report.inserts["without"]["median"])


def show(console: Console, report: Report) -> None:
    """As tables."""
    console.print(f"{report.machine}\n")
    columns = ("median, ms", "p99, ms", "of")
    figures.show(console, "A take: its statements", figures.rows_of(report.statements), *columns)
    figures.show(console, "A take: the whole transaction, from Python", figures.rows_of(report.whole), *columns)
    figures.show(console, "An insert, indexes of the queue", figures.rows_of(report.inserts), *columns)
    targets.show(console, report.verdicts)
