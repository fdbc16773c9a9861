"""What is somebody's own is, for anybody else, exactly what is not there: the same words, the same work, no trace.

Each field of the three roots that leads to a node or takes an id has a case below, and so has each field of a node that
leads to another: a new one without fails here. To add one, write how it asks for what is looked for, `$id`, or list it
with those whose answers are searched for what is hers.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)
from sqlalchemy import text

from picture.graphql import schema
from tests.client import Client, ClosedError, RefusedError
from tests.conftest import House

ERRORS = "errors { __typename code message path ... on NotFoundError { missingId } }"
FROM = '{model: "stable-diffusion-1.5", prompt: "a", sourceImageId: $id}'
SHOWN = base64.b64encode(b"Image:20000000-0000-0000-0000-000000000001").decode()
WITH_MASK = FROM.replace("$id", f'"{SHOWN}", mode: INPAINT, maskImageId: $id')

# By what is looked for: how each field asks for it by its id. Whoever it is not for learns nothing by any of them.
BY_ID: dict[str, dict[str, str]] = {
    "Generation:10000000-0000-0000-0000-0000000000f0": {
        "Query.node": "(id: $id) { id }",
        "Query.nodes": "(ids: [$id, $id]) { id }",
        "Query.generation": "(id: $id) { id }",
        "Mutation.cancelGeneration": "(id: $id) { generation { id } ERRORS }",
        "Mutation.retryGeneration": "(id: $id) { generation { id } ERRORS }",
        "Mutation.deleteGeneration": "(id: $id) { deletedId ERRORS }",
        "Subscription.generationEvents": "(id: $id) { cursor }",
    },
    "Batch:10000000-0000-0000-0000-00000000000b": {
        "Query.node": "(id: $id) { id }",
        "Query.batch": "(id: $id) { id }",
        "Query.generations": "(filter: {batchId: $id}) { totalCount edges { node { id } } }",
        "Mutation.cancelBatch": "(id: $id) { batch { id } ERRORS }",
        "Mutation.retryBatch": "(id: $id) { batch { id } ERRORS }",
        "Subscription.batchUpdated": "(id: $id) { id }",
    },
    "Image:10000000-0000-0000-0000-000000000001": {
        "Query.node": "(id: $id) { id }",
        "Query.image": "(id: $id) { id }",
        "Query.generationEstimate": f"(input: {FROM}) {{ ERRORS }}",
        "Mutation.createGeneration": f"(input: {FROM}) {{ generation {{ id }} ERRORS }}",
        "Mutation.updateImage": "(input: {id: $id, isPublic: true}) { image { id } ERRORS }",
        "Mutation.deleteImage": "(id: $id) { deletedId ERRORS }",
        "Mutation.addTags": '(imageId: $id, names: ["a"]) { image { id } ERRORS }',
        "Mutation.removeTags": '(imageId: $id, names: ["hers"]) { image { id } ERRORS }',
        "Mutation.likeImage": "(id: $id) { image { id } ERRORS }",
        "Mutation.unlikeImage": "(id: $id) { image { id } ERRORS }",
        "Mutation.reportImage": '(id: $id, reason: "a") { image { id } ERRORS }',
    },
    # archived
    "Image:10000000-0000-0000-0000-000000000002": {
        "Query.image": "(id: $id) { id }",
        "Mutation.createGeneration": f"(input: {WITH_MASK}) {{ generation {{ id }} ERRORS }}",
    },
    # hidden by the operator
    "Image:10000000-0000-0000-0000-000000000003": {
        "Query.image": "(id: $id) { id }",
        "Mutation.likeImage": "(id: $id) { image { id } ERRORS }",
        "Mutation.reportImage": '(id: $id, reason: "a") { image { id } ERRORS }',
    },
    "Tag:10000000-0000-0000-0000-0000000000e1": {
        "Query.node": "(id: $id) { id }",
        "Mutation.updateTag": '(id: $id, color: "#000000") { tag { id } ERRORS }',
    },
    "PromptTemplate:10000000-0000-0000-0000-0000000000d1": {
        "Query.node": "(id: $id) { id }",
        "Mutation.updatePromptTemplate": '(id: $id, input: {name: "a", prompt: "b"}) { promptTemplate { id } ERRORS }',
        "Mutation.deletePromptTemplate": "(id: $id) { deletedId ERRORS }",
    },
    # What everybody sees is still nobody else's to change.
    "PromptTemplate:20000000-0000-0000-0000-0000000000d1": {
        "Mutation.updatePromptTemplate": '(id: $id, input: {name: "a", prompt: "b"}) { promptTemplate { id } ERRORS }',
        "Mutation.deletePromptTemplate": "(id: $id) { deletedId ERRORS }",
    },
    "Image:20000000-0000-0000-0000-000000000001": {
        "Mutation.updateImage": "(input: {id: $id, isPublic: false}) { image { id } ERRORS }",
        "Mutation.deleteImage": "(id: $id) { deletedId ERRORS }",
        "Mutation.addTags": '(imageId: $id, names: ["a"]) { image { id } ERRORS }',
        "Mutation.removeTags": '(imageId: $id, names: ["shown"]) { image { id } ERRORS }',
    },
    "Upload:10000000-0000-0000-0000-0000000000c1": {
        "Query.node": "(id: $id) { id }",
        "Query.upload": "(id: $id) { id }",
        "Mutation.completeUpload": "(id: $id) { upload { id } ERRORS }",
        "Subscription.uploadUpdated": "(id: $id) { id }",
    },
}  # fmt: skip

# What shows many, and what leads from something public: nothing that is hers alone is in the answer.
PUBLIC_IMAGE = "... on Image { id generation { id } owner { id } model { id } tags { id name imageCount } }"
LISTED = {
    "Query.viewer": "{ viewer { profile { id } } }",
    "Query.models": "{ models(includeInactive: true) { id } }",
    "Query.model": '{ model(slug: "flux-schnell") { id } }',
    "Query.profile": '{ profile(username: "alice") { id images { totalCount edges { node { id } } } } }',
    "Query.promptTemplates": "{ promptTemplates { id name } }",
    "Query.generations": "{ generations { totalCount edges { node { id } } } }",
    "Query.batches": "{ batches { totalCount edges { node { id } } } }",
    "Query.images": "{ public: images(scope: PUBLIC) { totalCount edges { node { id } } } images { totalCount } "
    "archived: images(scope: ARCHIVED) { totalCount } liked: images(scope: LIKED) { totalCount } "
    'found: images(scope: PUBLIC, filter: {search: "hers"}) { edges { node { id } } } }',
    "Query.tags": "{ tags { id name imageCount } }",
    "Image.generation": f"{{ images(scope: PUBLIC) {{ edges {{ node {{ {PUBLIC_IMAGE} }} }} }} }}",
    "Image.owner": f"{{ images(scope: PUBLIC) {{ edges {{ node {{ {PUBLIC_IMAGE} }} }} }} }}",
    "Image.model": f"{{ images(scope: PUBLIC) {{ edges {{ node {{ {PUBLIC_IMAGE} }} }} }} }}",
    "Image.tags": f"{{ images(scope: PUBLIC) {{ edges {{ node {{ {PUBLIC_IMAGE} }} }} }} }}",
    "Profile.images": "{ images(scope: PUBLIC) { edges { node { owner { images { edges { node { id } } } } } } } }",
}

# Whose parent is the caller's own or not there at all, and what makes something new of the caller's own.
OWN = {
    "Generation.model", "Generation.sourceImage", "Generation.retryOf", "Generation.batch", "Generation.images",
    "Batch.generations", "Upload.image", "Mutation.createBatch", "Mutation.createUpload",
    "Mutation.createPromptTemplate", "Mutation.updateProfile", "Subscription.myGenerationEvents",
    "Subscription.imagePublished",
}  # fmt: skip


def roots() -> list[GraphQLObjectType]:
    found = (schema._schema.query_type, schema._schema.mutation_type, schema._schema.subscription_type)
    return [root for root in found if root]


def leads_to_node(kind: GraphQLNamedType, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a node can be reached through it, not counting what is behind that node."""
    if kind.name == "Node" or (is_object_type(kind) and any(one.name == "Node" for one in kind.interfaces)):
        return True
    if kind.name in seen or not (is_object_type(kind) or is_interface_type(kind)):
        return False
    kinds = [kind, *(schema._schema.get_possible_types(kind) if is_interface_type(kind) else ())]
    types = (get_named_type(field.type) for one in kinds for field in one.fields.values())
    return any(leads_to_node(inner, seen | {kind.name}) for inner in types)


def takes_id(kind: GraphQLNamedType, seen: frozenset[str] = frozenset()) -> bool:
    if kind.name == "ID":
        return True
    if not is_input_object_type(kind) or kind.name in seen:
        return False
    inputs: GraphQLInputObjectType = kind
    return any(takes_id(get_named_type(field.type), seen | {kind.name}) for field in inputs.fields.values())


def fields_that_matter() -> Iterator[str]:
    for root in roots():
        for name, field in root.fields.items():
            is_asked = any(takes_id(get_named_type(argument.type)) for argument in field.args.values())
            if is_asked or leads_to_node(get_named_type(field.type)):
                yield f"{root.name}.{name}"
    for kind in schema._schema.type_map.values():
        if is_object_type(kind) and any(one.name == "Node" for one in kind.interfaces):
            yield from (
                f"{kind.name}.{name}"
                for name, field in kind.fields.items()
                if leads_to_node(get_named_type(field.type))
            )


def test_every_field_that_leads_to_a_node_or_takes_an_id_has_a_case() -> None:
    cases = {field for documents in BY_ID.values() for field in documents} | LISTED.keys() | OWN
    matter = set(fields_that_matter())
    assert matter - cases == set()
    assert cases - matter - {"Subscription.imagePublished"} == set(), "these are no longer there"


def test_every_kind_of_node_is_looked_for_by_node() -> None:
    public = {"Model", "Profile"}
    node: Any = schema._schema.type_map["Node"]
    kinds = {kind.name for kind in schema._schema.get_possible_types(node)}
    assert {
        named.partition(":")[0] for named, documents in BY_ID.items() if "Query.node" in documents
    } == kinds - public


@pytest.fixture
async def hers(api: House, alice: Client, bob: Client) -> None:
    """Alice has one of each; Bob is here, too."""
    for person in (alice, bob):
        await person.query("{ viewer { profile { id } } }")
    db = await api.database()
    script = Path(__file__).with_name("privacy.sql").read_text().replace("ALICE", f"'{alice.sub}'")
    async with db.as_service() as session:
        await session.execute(text("update profiles set username = 'alice' where id = :id"), {"id": alice.sub})
        for statement in script.split(";\n"):
            if statement.strip():
                await session.execute(text(statement))


def encoded(named: str) -> str:
    return base64.b64encode(named.encode()).decode()


PRIVATE = {encoded(named) for named in BY_ID if ":1" in named}


async def answer(client: Client, document: str, id: str) -> str:
    """All that comes back, without the id that was asked for."""
    if document.startswith("subscription"):
        said: Any = await first_of(client, document, id)
    else:
        said = await client.post({"query": document, "variables": {"id": id}})
    return orjson.dumps(said).decode().replace(id, "ID")


async def first_of(client: Client, document: str, id: str) -> Any:
    name = document.split("{ ")[1].split("(")[0]
    try:
        async with client.socket() as socket:
            async for value in socket.subscribe(document, name, {"id": id}):
                return value
    except RefusedError as refused:
        return refused.errors
    except ClosedError as closed:
        return closed.code
    return "complete"


def written(named: str, field: str) -> str:
    operation, _, name = field.partition(".")
    return f"{operation.lower()}($id: ID!) {{ {name}{BY_ID[named][field].replace('ERRORS', ERRORS)} }}"


CASES = [(named, field) for named, documents in BY_ID.items() for field in documents]


@pytest.mark.usefixtures("hers")
async def test_what_is_anothers_is_what_is_not_there(
    bob: Client, nobody: Client, alice: Client, statements: list[str]
) -> None:
    """Nor is a malformed id, or one of another kind."""
    told: dict[str, set[str]] = {}
    for named, field in CASES:
        kind, _, row = named.partition(":")
        document = written(named, field)
        absent = UUID(int=UUID(row).int ^ (0xABCDEF << 64))
        for who in (bob, nobody):
            # what a process remembers from the first time on, as the catalogue, is not what is compared
            said, cost = [await answer(who, document, encoded(f"{kind}:{UUID(int=5)}"))], []
            for id in (encoded(named), encoded(f"{kind}:{absent}")):
                statements.clear()
                said.append(await answer(who, document, id))
                cost.append(len(statements))
            malformed = (encoded(f"Nonsense:{row}"), "nonsense", encoded(f"{kind}:{row} "))
            said += [await answer(who, document, id) for id in malformed]
            if len(set(said)) > 1 or cost[0] != cost[1]:
                told[f"{field} of {named} for {who.sub}"] = {*said, *map(str, cost)}
    assert not told, "\n".join(f"{field}: {sorted(said)}" for field, said in told.items())
    assert (await alice.query("{ images { totalCount } promptTemplates { id } }"))["images"]["totalCount"] == 3


@pytest.mark.usefixtures("hers")
async def test_its_owner_is_answered_otherwise(alice: Client) -> None:
    """Else the documents above would prove nothing; what deletes comes last."""
    alike = []
    for named, field in sorted(CASES, key=lambda case: "delete" in case[1]):
        document, absent = written(named, field), encoded(f"{named.partition(':')[0]}:{UUID(int=5)}")
        if await answer(alice, document, encoded(named)) == await answer(alice, document, absent):
            alike.append(f"{field} of {named}")
    assert alike == []


@pytest.mark.usefixtures("hers")
async def test_ones_stream_tells_of_ones_own(alice: Client, bob: Client) -> None:
    his = await bob.create_generation()
    heard = []
    async with bob.events(progress=False) as events:
        async for event in events:
            heard.append((event["__typename"], event["generation"]["id"]))
            if event["__typename"] == "GenerationCanceled":
                break
            await alice.cancel((await alice.create_generation(isPublic=True))["id"])
            await bob.cancel(his["id"])
    assert heard == [("GenerationSnapshot", his["id"]), ("GenerationCanceled", his["id"])]


@pytest.mark.usefixtures("hers")
async def test_nothing_of_hers_is_in_what_shows_many(bob: Client, nobody: Client) -> None:
    for field, document in LISTED.items():
        for who in (bob, nobody):
            status, body = await who.post({"query": document})
            assert (status, "errors" in body) == (200, False), (field, body)
            said = orjson.dumps(body).decode()
            ids = [part for part in said.split('"') if part in PRIVATE]
            assert ids == [], field
            assert '"hers"' not in said, field
            assert '"generation":{' not in said, field
