"""What is projected is what execution would have told: random documents, both ways, event by event."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import orjson
import pytest
from graphql import (
    FragmentDefinitionNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    is_leaf_type,
    parse,
)
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from db.claims import Claims
from db.database import Database
from db.enums import GenerationStage
from db.known_models import KnownModels
from db.queue import QueueRules
from db.tables import GenerationRow
from picture.graphql import make_schema
from picture.shapes import DocumentLimits
from resolvers.ids import row_id
from resolvers.projection import HOLE, Projection
from resolvers.streams import event_of
from schema.bounds import Bounds
from schema.context import Context, Outlet, outlet
from schema.events import EVENTS
from schema.picture import Generation
from storage.addresses import Addresses
from tasks.events import connect
from tasks.follow import Told
from tasks.hub import open_hub
from tasks.news import Progress, now
from tests.client import Client
from tests.conftest import House
from tests.live.conftest import Hand
from tests.live.wires import create

SEED = 20_261_121
DOCUMENTS = 90
schema = make_schema(DocumentLimits(max_tokens=20_000, max_aliases=1000, max_directives=1000, max_fragments=1000))
KINDS = [event.__name__ for event in EVENTS]
CONDITIONS = (*[""] * 12, " @include(if: $yes)", " @skip(if: $yes)", " @skip(if: $no)", " @include(if: false)")
ARGUMENTS = "id: $id, progress: true, previews: true"


@dataclass
class Author:
    """Writes valid documents, most of which ask for nothing but what events hold."""

    chance: random.Random
    fragments: list[str] = field(default_factory=list)

    def document(self) -> str:
        """One subscription."""
        self.fragments.clear()
        chosen = " ".join(["seen: __typename @include(if: $yes) @skip(if: $no)", *self.parts("GenerationEvent", 2)])
        head = "subscription ($id: ID!, $yes: Boolean! = true, $no: Boolean! = false)"
        return f"{head} {{ events: generationEvents({ARGUMENTS}) {{ {chosen} }} }} {' '.join(self.fragments)}"

    def parts(self, name: str, depth: int) -> Iterator[str]:
        """A selection on a type."""
        yield "__typename"
        for _ in range(self.chance.randint(1, 4)):
            on = self.chance.choice([name, "", *(KINDS if name == "GenerationEvent" else ())])
            condition, form = self.chance.choice(CONDITIONS), self.chance.randint(0, 4)
            if form > 1:
                yield from self.fields(name, depth)
                continue
            inner = " ".join(self.fields(on or name, depth))
            if form:
                yield f"... {f'on {on}' if on else ''}{condition} {{ __typename {inner} }}"
            else:
                self.fragments.append(f"fragment F{len(self.fragments)} on {on or name} {{ __typename {inner} }}")
                yield f"...F{len(self.fragments) - 1}{condition}"

    def fields(self, name: str, depth: int) -> Iterator[str]:
        """Some fields of a type, seldom one that a method answers."""
        type_ = schema._schema.get_type(name)
        for key, definition in type_.fields.items():  # type: ignore[union-attr]
            is_plain = definition.extensions["strawberry-definition"].is_basic_field
            is_of_the_moment = key == "etaSeconds" and not is_plain
            if self.chance.random() > (0.3 if is_plain else 0.01) or definition.args or is_of_the_moment:
                continue
            alias = self.chance.choice(["", "", f"{key}1: ", f"{key}2: "])
            inner = get_named_type(definition.type)
            if is_leaf_type(inner):
                yield f"{alias}{key}{self.chance.choice(CONDITIONS)}"
            elif isinstance(inner, GraphQLObjectType) and depth:
                yield f"{alias}{key} {{ {' '.join(self.parts(inner.name, depth - 1))} }}"


@dataclass
class Chorus:
    """Documents, each on two streams: one that sends what is projected, one whose every event is executed."""

    context: Context
    heard: list[tuple[list[Any], list[Any]]] = field(default_factory=list)
    count: int = 0
    expected: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def sing(self, document: str, id: str) -> None:
        """Hear both streams to their end."""
        directly: list[Any] = []
        executed: list[Any] = []
        self.heard.append((directly, executed))

        async def send(payload: bytes) -> bool:
            return send_now(payload)

        def send_now(payload: bytes) -> bool:
            self.note(directly, orjson.loads(payload))
            return True

        way = Outlet(send, send_now)
        await asyncio.gather(self.follow(document, id, directly, way), self.follow(document, id, executed, None))

    async def follow(self, document: str, id: str, heard: list[Any], way: Outlet | None) -> None:
        """Hear one stream to its end."""
        outlet.set(way)
        async for result in await schema.stream(document, {"id": id}, self.context):
            assert isinstance(result, ExecutionResult | PreExecutionError)
            errors = [error.formatted for error in result.errors or ()]
            self.note(heard, {"data": result.data, **({"errors": errors} if errors else {})})

    def note(self, heard: list[Any], what: Any) -> None:
        told = orjson.loads(orjson.dumps(what))
        assert "errors" not in told, told
        event = told["data"]["events"]
        own = ("cursor", "at") if event["seen"] == "GenerationSnapshot" else ("cursor",)  # of each stream's own moment
        told["data"]["events"] = {key: key if key.rstrip("12") in own else value for key, value in event.items()}
        heard.append(told)
        self.count += 1
        self.changed.set()

    async def hear(self, count: int) -> None:
        """Until so much more has been heard by all together: of progress, who is late would miss some."""
        self.expected += count
        async with asyncio.timeout(60):
            while self.count < self.expected:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def context(api: House, alice: Client) -> AsyncIterator[Context]:
    """A socket's of a replica that looks at nothing by itself."""
    settings, quiet = api.settings, {"silence_seconds": 60, "queue_moved_seconds": 60}
    db = Database.connect(settings.require("database_url"))
    needs: dict[str, Any] = {need.name: None for need in fields(Context) if need.init and need.default is MISSING}
    async with (
        connect(settings.require("redis_url")) as redis,
        open_hub(redis, db, QueueRules(), namespace=settings.namespace, capacity=1000, **quiet) as hub,
    ):
        needs |= {"db": db, "hub": hub, "rules": QueueRules(), "bounds": Bounds(), "models": KnownModels(db)}
        needs["addresses"] = Addresses("https://pictures.example", "a secret that is long", 10**9)
        yield Context(**needs, claims=Claims(sub=alice.sub, role="authenticated"), is_stream=True)
    await db.close()


def is_projected(document: str, row: GenerationRow) -> bool:
    """Whether nothing has to be executed to tell of progress."""
    operation, *rest = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    fragments = {one.name.value: one for one in rest if isinstance(one, FragmentDefinitionNode)}
    projection = Projection(schema._schema, operation, fragments, {"yes": True, "no": False})
    progress = Progress(now(), row.id, row.attempt, GenerationStage.SAMPLING, 0.5)
    return projection.render(event_of(Told(HOLE, progress, row), HOLE)) is not None


async def play(hand: Hand, alice: Client, fox: str, owl: str, bat: str) -> AsyncIterator[int]:
    """Three lives, and after each change how many events tell of it."""
    row = await hand.start(fox)
    yield 1
    await hand.progress(row, 0.5)
    yield 1
    await hand.preview(row)
    yield 1
    await hand.fail(row, retries=True)
    yield 2
    row = await hand.start(fox)
    yield 1
    await hand.progress(row, 1 / 3)
    yield 1
    await hand.complete(row)
    yield 1
    row = await hand.start(owl)
    yield 1
    await hand.fail(row)
    yield 1
    row = await hand.start(bat)
    yield 1
    await alice.cancel(bat)
    yield 1
    await hand.fail(row)  # which was asked to stop: it is CANCELED
    yield 1


async def test_what_is_projected_is_what_execution_tells(alice: Client, hand: Hand, context: Context) -> None:
    fox = await create(alice, 'a "fox"\n\\ ☃ \U0001f98a')
    owl, bat = await create(alice, "an owl"), await create(alice, "a bat")
    author, chorus = Author(random.Random(SEED)), Chorus(context)
    documents = [(author.document(), (fox, owl, bat)[number % 3]) for number in range(DOCUMENTS)]
    singing = asyncio.gather(*(chorus.sing(document, id) for document, id in documents))
    await chorus.hear(2 * DOCUMENTS)  # the snapshots
    async for told in play(hand, alice, fox, owl, bat):
        await chorus.hear(told * 2 * DOCUMENTS // 3)
    await singing
    for (document, _), (directly, executed) in zip(documents, chorus.heard, strict=True):
        assert directly == executed, f"seed {SEED}:\n{document}"
    async with hand.db.as_service() as session:
        row = await session.get_one(GenerationRow, row_id(fox, Generation))
    assert sum(is_projected(document, row) for document, _ in documents) > 0.8 * DOCUMENTS
