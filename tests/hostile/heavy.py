"""What is allowed, or nearly: documents and variables that take as much work as can be had for one request."""

from typing import Any

from graphql import get_introspection_query

from tests.hostile.requests import Hostile, document
from tests.hostile.values import own

MANY = " ".join
IMAGE = own("Image", "01")
NODE = """id url thumbnailUrl downloadUrl width height blurhash prompt isPublic likeCount createdAt likedByMe
  tags { id name color } owner { id username } generation { id prompt } model { id slug name }"""
CREATE = """createGeneration(input: {model: "flux-schnell", prompt: "a"}) { generation { id queuePosition images { id } } }"""
# A script without blanks, in which every character begins a word; what is long in other ways.
LONG = {
    "Chinese": "\u8d64" * 80_000,
    "patterns": "%a" * 120_000,
    "words": MANY(f"w{number}" for number in range(30_000)),
    "dots": "a.b-c " * 40_000,
    "quotes": "'" * 200_000,
}
ASKED = {
    "templates": "query($s: String!) { promptTemplates(search: $s) { id } }",
    "categories": "query($s: String!) { promptTemplates(category: $s) { id } }",
    "tags": "query($s: String!) { tags(search: $s) { id } }",
    "pictures": "query($s: String!) { images(scope: PUBLIC, filter: {search: $s}) { totalCount edges { node { id } } } }",
    "tagged pictures": "query($s: String!) { images(scope: PUBLIC, filter: {tags: [$s]}) { totalCount } }",
    "a profile": "query($s: String!) { profile(username: $s) { id } }",
    "a name": "mutation($s: String!) { updateProfile(input: {username: $s}) { errors { message } } }",
    "a color": f'mutation($s: String!) {{ updateTag(id: "{own("Tag", "e1")}", color: $s) {{ errors {{ message }} }} }}',
    "a tag": f'mutation($s: String!) {{ addTags(imageId: "{IMAGE}", names: [$s]) {{ errors {{ message }} }} }}',
    "a reason": f'mutation($s: String!) {{ reportImage(id: "{IMAGE}", reason: $s) {{ errors {{ message }} }} }}',
}  # fmt: skip
LISTS: dict[str, tuple[str, Any]] = {
    "8,000 prompts": ("$v: [BatchPromptInput!]!) { createBatch(input: {model: \"a\", prompts: $v}", [{"prompt": "a"}] * 8000),
    "8,000 prompts that are none": ("$v: [BatchPromptInput!]!) { createBatch(input: {model: \"a\", prompts: $v}", [{"promp": "a"}] * 8000),
    "20,000 names": (f"$v: [String!]!) {{ addTags(imageId: \"{IMAGE}\", names: $v", [f"tag {number}" for number in range(20_000)]),
    "990 names": (f"$v: [String!]!) {{ addTags(imageId: \"{IMAGE}\", names: $v", [f"tag {number}" for number in range(990)]),
    "20,000 tags": ("$v: [String!]!) { images(filter: {tags: $v}", [f"tag {number}" for number in range(20_000)]),
    "20,000 statuses": ("$v: [GenerationStatus!]) { generations(filter: {status: $v}", ["QUEUED"] * 20_000),
    "10,000 fields that there are not": ("$v: ImageFilter) { images(filter: $v", {f"a{number}": 1 for number in range(10_000)}),
}  # fmt: skip
REQUESTS: list[Hostile] = [
    *[document(f"{name} of {what}", text, s=value) for name, text in ASKED.items() for what, value in LONG.items()],
    *[
        document(name, f"{'mutation' if 'createBatch' in text or 'addTags' in text else 'query'}({text}) {{ __typename }} }}", v=value)
        for name, (text, value) in LISTS.items()
    ],
    document("all of the schema", get_introspection_query(input_value_deprecation=True, schema_description=True)),
    document("all of the schema, twice", "{ " + MANY(f"a{n}: __schema {{ types {{ name fields {{ name args {{ name type {{ name }} }} }} }} }}" for n in range(2)) + " }"),
    document("as many pairs of one name as there may be", "{ viewer { profile { images { edges { node { " + MANY(f"{name} " * 44 for name in NODE.split()[:12]) + " } } } } } }"),
    document("the same node 100 times", "{ nodes(ids: [" + f'"{IMAGE}" ' * 100 + "]) { id ... on Image { " + NODE + " } } }"),
    document("a list of 1,900 ids", "{ nodes(ids: [" + '"a" ' * 1900 + "]) { id } }"),
    document("a page of all that there is", "{ images(scope: PUBLIC, first: 100) { edges { node { " + NODE + " } } totalCount } }"),
    document("20 estimates", "{ " + MANY(f"a{n}: generationEstimate(input: {{model: \"flux-schnell\", prompt: \"a\"}}) {{ width }}" for n in range(20)) + " }"),
    document("20 generations", "mutation { " + MANY(f"a{n}: {CREATE}" for n in range(20)) + " }"),
    document("900 names that are nearly one, of pictures", "{ images { edges { node { " + MANY(f"imag{n}" for n in range(900)) + " } } } }"),
    document("a prompt of marks", "mutation($s: String!) { createGeneration(input: {model: \"flux-schnell\", prompt: $s}) { generation { id } } }", s="\u0344" * 4000),
    document("a text of many lines", '{ images(after: """' + "\n   a" * 1900 + '""") { totalCount } }'),
    document("commas", "," * 49_000 + "{ __typename }"),
]  # fmt: skip
