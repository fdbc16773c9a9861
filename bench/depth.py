"""A million images: what any page costs beside the first one."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from rich.console import Console

from bench import data, figures
from bench.load import connected
from bench.options import Options, machine
from bench.stage import open_stage
from bench.workloads import PAGE, Request, token
from db.paging import Cursor
from schema.node import global_id

SCALE, QUICK_SCALE = 20, 2  # 1,000,000 images and 10,000 people
PAGES_DEEP = 10_000
FIRST, HOW_MANY = "the first page", "how many there are"
COMMON = "search, a common word"
SEARCHES = {
    COMMON: "fox",
    "search, words": "red fox in the snow",
    "search, rare words": "porcelain okapi",
    "search, Japanese": "赤い狐",
    "search, nothing": "zebra",
}
DOCUMENT = """query Gallery($scope: ImageScope! = MINE, $filter: ImageFilter, $order: ImageOrder!, $first: Int,
  $after: String, $last: Int, $before: String) { images(scope: $scope, filter: $filter, order: $order, first: $first,
  after: $after, last: $last, before: $before) { edges { cursor node {
    id url thumbnailUrl width height blurhash tags { name } likeCount likedByMe owner { username }
    generation { prompt model { slug } } } } pageInfo { hasNextPage endCursor } } }"""
COUNT = """query Count($scope: ImageScope! = MINE, $filter: ImageFilter) {
  images(scope: $scope, filter: $filter, first: 0) { totalCount } }"""
PLACES = """
    select created_at, id, like_count from images
    where is_public and archived_at is null and hidden_at is null order by {order} offset $1 limit 1
"""
SOME = """
    select array(select name from tags order by public_count desc, name limit 2) as tags,
        (select name from tags order by public_count, name limit 1) as rare_tag,
        (select id from models where slug = 'flux-schnell') as model
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How often each is asked for."""

    scale: int = SCALE
    rounds: int = 60


QUICK = Size(QUICK_SCALE, rounds=15)


@dataclass(slots=True)
class Report:
    """Milliseconds of one request at a time: of pages, and of counts."""

    machine: str
    size: data.Size
    pages: dict[str, dict[str, float]] = field(default_factory=dict)
    counts: dict[str, dict[str, float]] = field(default_factory=dict)


async def measure(options: Options) -> Report:
    """Each kind of page in turns, over one connection."""
    size = QUICK if options.quick else Size()
    report = Report(machine(), data.Size.times(size.scale))
    async with open_stage(options.home) as stage:
        options.say(f"making {report.size.images:,} images")
        database = await stage.database(report.size)
        admin = await asyncpg.connect(database.admin)
        try:
            person = (await data.askers(admin))[0]
            pages = dict(await _pages(admin, person))
            options.say("asking")
            async with stage.picture(database) as server, connected(server) as connection:
                took: dict[str, list[float]] = {name: [] for name in pages}
                for _ in range(size.rounds + 2):  # the first two make plans, and find the pages in memory
                    for name, request in pages.items():
                        began = time.perf_counter()
                        await connection.ask(request)
                        took[name].append(time.perf_counter() - began)
        finally:
            await admin.close()
    _divide(report, {name: figures.milliseconds(each[2:]) for name, each in took.items()})
    return report


async def _pages(admin: asyncpg.Connection, person: UUID) -> Iterator[tuple[str, Request]]:
    """What is asked for, by name."""
    filters = await _filters(admin, person)
    asked = {
        FIRST: {},
        **await _deep(admin),
        "oldest": {"order": "OLDEST"},
        "most liked": {"order": "MOST_LIKED"},
        **{name: {"filter": filter} for name, filter in filters.items()},
        "most liked of a common tag": {"order": "MOST_LIKED", "filter": filters["a common tag"]},
        "most liked of a common word": {"order": "MOST_LIKED", "filter": filters[COMMON]},
        "mine": {"scope": "MINE"},
        "mine, archived": {"scope": "ARCHIVED"},
        "those that I like": {"scope": "LIKED"},
        "mine, a common word": {"scope": "MINE", "filter": filters[COMMON]},
    }
    bearer, usual = token(person), {"scope": "PUBLIC", "order": "NEWEST", "first": PAGE}
    pages = [(name, Request.of(bearer, DOCUMENT, {**usual, **each}, '"edges":')) for name, each in asked.items()]
    counts = [
        (f"{HOW_MANY}: {name}", Request.of(bearer, COUNT, {"scope": "PUBLIC", "filter": filter}, '"totalCount":'))
        for name, filter in {"all": None, **filters}.items()
    ]
    return iter([*pages, *counts])


async def _deep(admin: asyncpg.Connection) -> dict[str, dict[str, Any]]:
    """Pages far from the first one, by the cursors that would lead there."""
    deep = min(PAGES_DEEP * PAGE, await admin.fetchval("select count(*) * 9 / 10 from images where is_public"))
    newest = await admin.fetchrow(PLACES.format(order="created_at desc, id desc"), deep)
    liked = await admin.fetchrow(PLACES.format(order="like_count desc, created_at desc, id desc"), deep)
    place = Cursor(newest["created_at"], newest["id"]).encode()
    liked_place = Cursor(liked["created_at"], liked["id"], "MOST_LIKED", liked["like_count"]).encode()
    name = f"{deep // PAGE:,} pages deep"
    return {
        name: {"after": place},
        f"{name}, backwards": {"first": None, "last": PAGE, "before": place},
        "the last page": {"first": None, "last": PAGE},
        f"most liked, {name}": {"order": "MOST_LIKED", "after": liked_place},
    }


async def _filters(admin: asyncpg.Connection, person: UUID) -> dict[str, dict[str, Any]]:
    some = await admin.fetchrow(SOME)
    return {
        **{name: {"search": words} for name, words in SEARCHES.items()},
        "a common tag": {"tags": some["tags"][:1]},
        "two common tags": {"tags": some["tags"]},
        "a rare tag": {"tags": [some["rare_tag"]]},
        "a common tag and a word": {"tags": some["tags"][:1], "search": SEARCHES[COMMON]},
        "a model": {"modelId": global_id("Model", some["model"])},
        "an owner": {"ownerId": global_id("Profile", person)},
    }


def _divide(report: Report, found: Mapping[str, dict[str, float]]) -> None:
    unit = found[FIRST]["median"]
    for name, each in found.items():
        kind = report.counts if name.startswith(HOW_MANY) else report.pages
        kind[name] = {"x_first": each["median"] / unit, **each}


def show(console: Console, report: Report) -> None:
    """As tables."""
    console.print(f"{report.machine}; {report.size.images:,} images of {report.size.people:,} people\n")
    columns = ("x the first page", "median, ms", "p99, ms", "of")
    for title, found in (("A page of 50 public images, without counting", report.pages), ("Counting", report.counts)):
        rows = [(name, each["x_first"], each["median"], each["p99"], each["count"]) for name, each in found.items()]
        figures.show(console, title, rows, *columns)
