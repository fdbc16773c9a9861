"""What Postgres was asked, by its own log, and how it would go about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

# Tables that grow with what people do.
BIG = frozenset({
    "images", "image_generations", "image_tags", "image_likes", "image_words", "generation_events", "objects",
})  # fmt: skip
# "2026-11-21 17:00:00.000 UTC LOG:  execute __asyncpg_stmt_1__: select …", and lines that go on begin with a tab.
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ \S+ (\w+):  ", re.MULTILINE)
STATEMENT = re.compile(r"(?:execute [^:]*|statement): ")
# The driver's own, and of transactions: there is nothing to be planned.
PLAIN = re.compile(
    r"\s*(begin|commit|rollback|set|show|select pg_advisory|reset|close|unlisten|deallocate)\b", re.IGNORECASE
)

PARAMETERS = "select cardinality(parameter_types) from pg_prepared_statements where name = 'explained'"


@dataclass(slots=True)
class Log:
    """What a server writes, from here on; of databases that log their statements."""

    path: Path
    read_to: int = 0

    def skip(self) -> None:
        """Forget what has been written so far."""
        self.read_to = self.path.stat().st_size

    def statements(self) -> Iterator[str]:
        """Those that have come since, in their order."""
        with self.path.open("rb") as file:
            file.seek(self.read_to)
            text = file.read().decode()
            self.read_to = file.tell()
        parts = ENTRY.split(text)[1:]
        for level, said in zip(parts[::2], parts[1::2], strict=True):
            if level == "LOG" and (begin := STATEMENT.match(said)):
                statement = said[begin.end() :].replace("\n\t", "\n").strip()
                if not PLAIN.match(statement):
                    yield statement


async def explain(connection: asyncpg.Connection, statement: str) -> Any:
    """How it would be answered, whatever the values of its parameters."""
    await connection.execute(f"prepare explained as {statement}")
    try:
        count = await connection.fetchval(PARAMETERS)
        values = f"({', '.join(['null'] * count)})" if count else ""
        return orjson.loads(await connection.fetchval(f"explain (format json) execute explained{values}"))[0]["Plan"]
    finally:
        await connection.execute("deallocate explained")


def scanned(plan: Any) -> set[str]:
    """The big tables that are read from one end to the other."""
    found = set()
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in BIG:
        found.add(plan["Relation Name"])
    return found.union(*(scanned(part) for part in plan.get("Plans", ())))
