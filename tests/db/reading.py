"""Every way to read: what a client can ask for by filter, order, direction, scope and relation, as documents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

IMAGE = """fragment I on Image { id url thumbnailUrl(size: MEDIUM) downloadUrl urlExpiresAt width height format fileSize
  blurhash prompt negativePrompt seed steps guidance isPublic isFavorite rating likeCount likedByMe createdAt archivedAt
  tags { id name color } model { slug isAvailable } owner { id username } generation { id model { slug } } }"""
GENERATION = """fragment G on Generation { id status stage progress queuePosition heldReason etaSeconds prompt mode seed
  model { slug } failure { code } attempt retryOf { id } sourceImage { id } batch { id }
  images { id url tags { name } } }"""
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
LIST = f"""query($scope: ImageScope!, $filter: ImageFilter, $order: ImageOrder!) {{
  images(scope: $scope, filter: $filter, order: $order, first: 2) {{ edges {{ node {{ id }} }} {PAGE} }} }}"""
SIDES = """query($scope: ImageScope!, $filter: ImageFilter, $order: ImageOrder!, $place: String) {
  behind: images(scope: $scope, filter: $filter, order: $order, first: 2, after: $place) { edges { cursor } }
  ahead: images(scope: $scope, filter: $filter, order: $order, last: 2, before: $place) { edges { cursor } }
  end: images(scope: $scope, filter: $filter, order: $order, last: 2) { edges { cursor } } }"""
GALLERY = f"""query($scope: ImageScope!) {{ images(scope: $scope, first: 10) {{
  edges {{ cursor node {{ ...I }} }} {PAGE} totalCount }} }} {IMAGE}"""
COUNT = """query($scope: ImageScope!, $filter: ImageFilter) {
  images(scope: $scope, filter: $filter, first: 0) { totalCount } }"""
GENERATIONS = f"""query($filter: GenerationFilter) {{
  generations(filter: $filter, first: 2) {{ edges {{ cursor node {{ ...G }} }} {PAGE} totalCount }} }} {GENERATION}"""
GENERATIONS_SIDES = """query($filter: GenerationFilter, $place: String) {
  behind: generations(filter: $filter, first: 2, after: $place) { edges { cursor } }
  ahead: generations(filter: $filter, last: 2, before: $place) { edges { cursor } }
  end: generations(filter: $filter, last: 2) { edges { cursor } } }"""
BATCHES = """{ batches(first: 2) { edges { cursor node { id status totalCount completedCount progress
  generations { id status images { id } } } } totalCount } end: batches(last: 2) { edges { cursor } } }"""
PROFILE = f"""query($id: ID!) {{ node(id: $id) {{ ... on Profile {{ username
  images(first: 10) {{ edges {{ cursor node {{ ...I }} }} {PAGE} totalCount }} }} }} }} {IMAGE}"""
PROFILE_SIDES = """query($id: ID!, $place: String) { node(id: $id) { ... on Profile {
  behind: images(first: 2, after: $place) { edges { cursor } }
  ahead: images(last: 2, before: $place) { edges { cursor } } end: images(last: 2) { edges { cursor } } } } }"""
NODES = """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Image { url tags { name } owner { username } }
  ... on Generation { status queuePosition pictures: images { id url } } ... on Tag { name imageCount }
  ... on Model { typicalSeconds }
  ... on Profile { username images(first: 2) { totalCount edges { node { id } } } } } }"""

SCOPES = ("MINE", "PUBLIC", "ARCHIVED", "LIKED")
ORDERS = ("NEWEST", "OLDEST", "MOST_LIKED")
SINCE, UNTIL = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Reading:
    """A document; and where it gives a page of the connection at `path`, one for the pages on all sides of its end."""

    name: str
    document: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    path: Sequence[str] = ()
    sides: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to ask for: global ids, and names."""

    image: str
    generation: str
    model: str
    tag: str
    owner: str
    username: str
    tags: Sequence[str]


def readings(known: Known) -> Iterator[Reading]:
    """All of them."""
    for scope in SCOPES:
        yield Reading(f"a gallery, {scope}", GALLERY, {"scope": scope})
        for order in ORDERS:
            for name, filter in filters(known):
                variables = {"scope": scope, "order": order, "filter": filter}
                yield Reading(f"images {scope} {order} {name}", LIST, variables, ("images",), SIDES)
        for name, filter in filters(known):
            yield Reading(f"images {scope} {name}: how many", COUNT, {"scope": scope, "filter": filter})
    for name, generations in generation_filters(known):
        yield Reading(f"generations {name}", GENERATIONS, {"filter": generations}, ("generations",), GENERATIONS_SIDES)
    yield Reading("batches", BATCHES)
    yield Reading("a profile's images", PROFILE, {"id": known.owner}, ("node", "images"), PROFILE_SIDES)
    yield from single(known)


def filters(known: Known) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each filter of images by itself, and some together."""
    yield "all", None
    yield "by a common word", {"search": "fox"}
    yield "by words", {"search": "красная лиса в снегу"}
    yield "by a rare word", {"search": "porcelain okapi"}
    yield "by a tag", {"tags": known.tags[:1]}
    yield "by tags", {"tags": list(known.tags)}
    yield "by model", {"modelId": known.model}
    yield "by owner", {"ownerId": known.owner}
    yield "favorites", {"isFavorite": True}
    yield "rated", {"minRating": 4}
    yield "by time", {"createdAfter": SINCE, "createdBefore": UNTIL}
    yield "by tag, word and model", {"search": "fox", "tags": known.tags[:1], "modelId": known.model}
    yield "by owner, tag and time", {"ownerId": known.owner, "tags": known.tags[:1], "createdAfter": SINCE}


def generation_filters(known: Known) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each filter of generations."""
    yield "all", None
    yield "by status", {"status": ["COMPLETED"]}
    yield "by statuses", {"status": ["QUEUED", "FAILED"]}
    yield "by model", {"modelId": known.model}
    yield "by batch", {"batchId": "QmF0Y2g6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw"}
    yield "by time", {"createdAfter": SINCE, "createdBefore": UNTIL}


def single(known: Known) -> Iterator[Reading]:
    """What is no page."""
    ids = [known.image, known.generation, known.model, known.tag, known.owner]
    yield Reading("nodes", NODES, {"ids": ids})
    yield Reading("an image", "query($id: ID!) { image(id: $id) { ...I } }" + IMAGE, {"id": known.image})
    yield Reading(
        "a generation", "query($id: ID!) { generation(id: $id) { ...G } }" + GENERATION, {"id": known.generation}
    )
    yield Reading("a profile", "query($n: String!) { profile(username: $n) { id createdAt } }", {"n": known.username})
    yield Reading("models", "{ models(includeInactive: true) { slug isAvailable typicalSeconds } }")
    yield Reading("a model", '{ model(slug: "flux-schnell") { id } }')
    yield Reading("tags", "{ tags { id name color imageCount } }")
    yield Reading("tags by name", 'query { tags(search: "night", first: 20) { name imageCount } }')
    yield Reading(
        "templates", '{ promptTemplates { id name } some: promptTemplates(category: "a", search: "b") { id } }'
    )
    yield Reading(
        "who asks",
        """{ viewer { email profile { id username images(first: 3) { totalCount } }
      limits { generationsUsedThisHour uploadsUsedToday storageBytesUsed running queued } } }""",
    )
    yield Reading(
        "an estimate",
        """{ generationEstimate(input: { model: "flux-schnell", prompt: "a red fox" }) {
      width cost queuePosition etaSeconds errors { message } } }""",
    )
    upload = "VXBsb2FkOjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA=="
    yield Reading("an upload", "query($id: ID!) { upload(id: $id) { id status image { id } } }", {"id": upload})
    batch = "QmF0Y2g6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw"
    yield Reading("a batch", "query($id: ID!) { batch(id: $id) { id generations { id } } }", {"id": batch})
