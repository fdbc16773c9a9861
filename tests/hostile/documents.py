"""Documents that ask for too much, for what is another's, or for nothing that is there."""

from tests.hostile.requests import Hostile, document

MANY = " ".join
CREATE = 'createGeneration(input: {model: "flux-schnell", prompt: %s}) { generation { id prompt } errors { message } }'

FOX = CREATE % '"a fox"'


def _nested(begin: str, inner: str, end: str, times: int) -> str:
    return begin * times + inner + end * times


def _fragments(each: str, count: int) -> str:
    return MANY(each.replace("%n", str(n + 1)).replace("%", str(n)) for n in range(count))


IMAGES = "images(first: 100) { edges { node { owner { %s } } } }"
REQUESTS: list[Hostile] = [
    document("nothing", ""),
    document("blanks", " \n\t, " * 1000),
    document("one brace", "{"),
    document("no selection", "query {}"),
    document("only a comment", "# " + "x" * 40_000),
    document("a null byte", "{ viewer\0 { email } }"),
    document("a byte order mark inside", "{ viewer\ufeff { email } }"),
    document("right to left", "{ \u202eviewer { email } }"),
    document("an emoji for a name", "{ 🦊 }"),
    document("SQL for a name", "{ viewer'; drop table models; -- }"),
    document("shell for a name", "{ $(reboot) }"),
    document("a template for a name", "{ {{7*7}} }"),
    document("a long name", "{ " + "a" * 49_000 + " }"),
    document("a longer name", "{ " + "a" * 900_000 + " }"),
    document("a name that is nearly one", "{ viewe }"),
    document("many names that are nearly one", "{ viewer {" + MANY(f"emai{n}" for n in range(900)) + "} }"),
    document("10,000 aliases", "{" + MANY(f"a{n}: __typename" for n in range(10_000)) + "}"),
    document("50 aliases of what costs much", "{" + MANY(f"a{n}: images(first: 100) {{ totalCount }}" for n in range(50)) + "}"),
    document("an alias twice, differently", "{ a: viewer { email } a: models { slug } }"),
    document("deep", "{" + _nested("a {", "b", "}", 16) + "}"),
    document("deeper", "{" + _nested("a {", "b", "}", 300) + "}"),
    document("deepest", "{" + _nested("a{", "b", "}", 20_000) + "}"),
    document("deep inline fragments", "{" + _nested("... on Query {", "__typename", "}", 200) + "}"),
    document("deep and real", "{ viewer { profile { " + _nested("images { edges { node { owner { ", "id", " } } } }", 4) + "} } }"),
    document("a page of pages", "{ " + IMAGES % (IMAGES % (IMAGES % "id")) + " }"),
    document("a page of pages by variables", "query($n: Int) { images(first: $n) { edges { node { owner { images(first: $n) { edges { node { id prompt } } } } } } } }", n=100),
    document("a huge page", "{ images(first: 2147483647) { totalCount } }"),
    document("a page of less than nothing", "{ images(first: -1) { totalCount } }"),
    document("both ends", "{ images(first: 1, last: 1) { totalCount } }"),
    document("a page size with 5,000 digits", "{ images(first: " + "9" * 5000 + ") { totalCount } }"),
    document("a page size that is no number", '{ images(first: "1 or 1=1") { totalCount } }'),
    document("a float for a page size", "{ images(first: 1e308) { totalCount } }"),
    document("a cursor of nothing", '{ images(scope: PUBLIC, after: "") { totalCount edges { cursor } } }'),
    document("a cursor of SQL", '{ images(scope: PUBLIC, after: "\' or 1=1 --") { edges { cursor } } }'),
    document("a cursor of zeros", '{ images(scope: PUBLIC, after: "' + "A" * 32 + '") { edges { cursor } } }'),
    document("a cursor of 40,000 characters", '{ images(scope: PUBLIC, after: "' + "A" * 40_000 + '") { edges { cursor } } }'),
    document("a scope that is none", "{ images(scope: EVERYTHING) { totalCount } }"),
    document("fragments that double", "{ ...f0 } " + _fragments("fragment f% on Query { ...f%n ...f%n }", 45) + " fragment f45 on Query { __typename }"),
    document("a circle of one", "{ ...f } fragment f on Query { ...f }"),
    document("a circle of fifty", "{ ...f0 } " + _fragments("fragment f% on Query { ...f%n }", 49) + " fragment f49 on Query { ...f0 }"),
    document("a circle through fields", "{ viewer { ...f } } fragment f on Viewer { profile { images { edges { node { owner { ...g } } } } } } fragment g on Profile { images { edges { node { owner { ...g } } } } }"),
    document("1,000 fragments", "{ __typename } " + _fragments("fragment f% on Query { __typename }", 1000)),
    document("a fragment twice", "{ ...f } fragment f on Query { __typename } fragment f on Query { viewer { email } }"),
    document("a fragment of nothing", "{ ...f }"),
    document("a fragment on an input", "{ ...f } fragment f on CreateGenerationInput { model }"),
    document("all fragments in all", "{ ...f0 } " + MANY(f"fragment f{n} on Query {{ {MANY(f'...f{m}' for m in range(20))} }}" for n in range(20))),
    document("1,000 operations", _fragments("query q% { __typename }", 1000)),
    document("several operations", "query a { __typename } mutation b { " + FOX + " }"),
    document("an operation twice", "query a { __typename } query a { viewer { email } }"),
    document("1,000 directives", "{ __typename " + "@include(if: true) " * 1000 + "}"),
    document("a directive that is none", "{ __typename @export(as: \"x\") }"),
    document("deferred", "{ ... @defer { viewer { email } } }"),
    document("streamed", "{ models @stream(initialCount: 0) { slug } }"),
    document("the same field 600 times", "{ viewer { " + "email " * 600 + "} }"),
    document("overlapping fields", "{ viewer { " + "profile { images { edges { node { id owner { id } } } } } " * 60 + "} }"),
    document("introspection of introspection", "{ __schema { types { " + _nested("fields { type { ", "name", " } }", 8) + " } } }"),
    document("introspection, 40 times", "{" + MANY(f"a{n}: __schema {{ types {{ fields {{ name type {{ name }} }} }} }}" for n in range(20)) + "}"),
    document("a type of any name", '{ __type(name: "' + "A" * 40_000 + '") { name } }'),
    document("a service's own field", "{ _service { sdl } _entities(representations: []) { __typename } }"),
    document("a schema", "type Query { a: Int }"),
    document("a schema and a query", "extend type Query { a: Int } { a }"),
    document("lists in lists", "{ nodes(ids: " + _nested("[", "", "]", 900) + ") { id } }"),
    document("objects in objects", "{ images(filter: " + _nested("{a: ", "1", "}", 600) + ") { totalCount } }"),
    document("1,000 ids", "{ nodes(ids: [" + '"a",' * 900 + "]) { id } }"),
    document("10,000 ids by a variable", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["a"] * 10_000),
    document("an object for an id", "query($id: ID!) { node(id: $id) { id } }", id={"$ne": None}),
    document("a variable that is not declared", "query { node(id: $id) { id } }", id="a"),
    document("variables that nobody uses", "query(" + MANY(f"$v{n}: ID" for n in range(500)) + ") { __typename }"),
    document("a variable of an output type", "query($a: Query) { __typename }", a={}),
    document("a variable in itself", "query($a: Int = $a) { images(first: $a) { totalCount } }"),
    document("fields that an input does not have", "mutation($input: CreateGenerationInput!) { createGeneration(input: $input) { generation { id } } }", input={f"modele{n}": n for n in range(5000)}),
    document("a prompt of null bytes", "mutation { " + CREATE % '"a\\u0000fox"' + " }"),
    document("a prompt of half a character", "mutation { " + CREATE % '"\\ud83d"' + " }"),
    document("a prompt of 40,000 characters", "mutation { " + CREATE % f'"{"a" * 40_000}"' + " }"),
    document("many at once", "mutation { " + MANY(f"a{n}: {FOX}" for n in range(50)) + " }"),
    document("another's generation", "{ generation(id: \"{theirs}\") { id prompt } }"),
    document("another's node", "{ node(id: \"{theirs}\") { id ... on Generation { prompt } } }"),
    document("another's among many", "{ nodes(ids: [\"{theirs}\", \"{theirs}\"]) { id ... on Generation { prompt } } }"),
    document("another's to be canceled", "mutation { cancelGeneration(id: \"{theirs}\") { generation { prompt } errors { message } } }"),
    document("another's to be deleted", "mutation { deleteGeneration(id: \"{theirs}\") { deletedId errors { message } } }"),
    document("another's to be followed", "subscription { generationEvents(id: \"{theirs}\") { generation { prompt } } }"),
    document("a subscription over HTTP", "subscription { myGenerationEvents { cursor } }"),
    document("two fields of a subscription", "subscription { a: myGenerationEvents { cursor } b: myGenerationEvents { cursor } }"),
]  # fmt: skip
