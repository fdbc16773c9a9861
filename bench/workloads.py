"""What is asked: a page of a gallery, one generation, a new one, and all of these as they come in a day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from jose import jwt

from bench import data
from bench.house import SECRET
from bench.people import BenchError
from schema.node import global_id

GALLERY = """query Gallery($scope: ImageScope! = MINE, $first: Int!, $after: String) {
  images(scope: $scope, first: $first, after: $after) {
    edges { cursor node { id url thumbnailUrl width height blurhash tags { name } likeCount likedByMe owner { username } generation { prompt model { slug } } } }
    pageInfo { hasNextPage endCursor } totalCount } }"""  # noqa: E501 - as it is in the description of the workloads
GENERATION = """query Generation($id: ID!) { generation(id: $id) { id status progress prompt negativePrompt width height steps guidance seed imageCount attempt createdAt completedAt
  model { slug name } images { id url thumbnailUrl width height blurhash } } }"""  # noqa: E501
CREATE = """mutation Create($input: CreateGenerationInput!) { createGeneration(input: $input) {
  generation { id status prompt seed width height createdAt model { slug } } errors { message code path } } }"""
PAGE = 50
CREATES = 2000
# Of ten requests of a day: seven pages of a gallery, two generations, one that asks for another.
MIX = ("mine", "public", "mine", "generation", "mine", "public", "mine", "generation", "mine", "create")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and what its answer contains when it has succeeded."""

    token: str
    body: bytes
    expected: bytes

    @classmethod
    def of(cls, token: str, document: str, variables: Mapping[str, Any], expected: str) -> "Request":
        """A document with its variables."""
        return cls(token, orjson.dumps({"query": document, "variables": variables}), expected.encode())


Workloads = Mapping[str, Sequence[Request]]


def token(sub: UUID) -> str:
    """That of a person, for as long as a bench may take."""
    claims = {"sub": str(sub), "aud": "authenticated", "role": "authenticated", "exp": 4_000_000_000}
    return str(jwt.encode(claims, SECRET, algorithm="HS256"))


async def open_workloads(admin_url: str) -> Workloads:
    """Requests of twenty people, in turns, by the name of what they ask for."""
    connection = await asyncpg.connect(admin_url)
    try:
        people = await data.askers(connection)
        generations = await data.generations_of(connection, people)
    finally:
        await connection.close()
    if not people:
        raise BenchError("Nobody has as many images as those who are to ask.")
    tokens = [token(person) for person in people]
    shown = [
        (token, global_id("Generation", id))
        for at_once in zip(*(generations[person] for person in people), strict=False)
        for token, id in zip(tokens, at_once, strict=True)
    ]
    found = {
        "mine": [Request.of(token, GALLERY, {"scope": "MINE", "first": PAGE}, '"totalCount":') for token in tokens],
        "public": [Request.of(token, GALLERY, {"scope": "PUBLIC", "first": PAGE}, '"totalCount":') for token in tokens],
        "generation": [Request.of(token, GENERATION, {"id": id}, '"COMPLETED"') for token, id in shown],
        "create": [
            Request.of(tokens[number % len(tokens)], CREATE, {"input": wanted(number)}, '"errors":[]')
            for number in range(CREATES)
        ],
    }
    return {**found, "mixed": list(mixed(found))}


def wanted(number: int) -> dict[str, Any]:
    """What createGeneration is given."""
    return {"model": "flux-schnell", "prompt": f"a red fox in the snow, number {number}", "width": 1024, "height": 1024}


def mixed(found: Workloads, count: int = 2000) -> Iterator[Request]:
    """Requests of all kinds, each kind in its own turns."""
    kinds = {name: cycle(requests) for name, requests in found.items()}
    for name, _ in zip(cycle(MIX), range(count), strict=False):
        yield next(kinds[name])
