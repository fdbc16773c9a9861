"""What the schema can be asked with: every argument and every field of an input, given what its type is not for.

Nothing is listed here by hand: a new field is tried as soon as it is there. What is given otherwise is as it should be,
and is the asker's own, so that what is strange gets as far as it can.
"""

import base64
from collections.abc import Iterator
from typing import Any

import orjson
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from picture.graphql import schema
from tests.hostile.requests import Hostile

Path = tuple[str, ...]


def encoded(text: str | bytes) -> str:
    """A global id that says this."""
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def own(kind: str, row: str) -> str:
    """One of who asks, made by `scene.py`."""
    return encoded(f"{kind}:30000000-0000-0000-0000-0000000000{row}")


class Json(str):
    """Written into a body as it is, though no encoder would."""


MARK = "\ue000"  # stands in a body for what is then written there
THEIRS = {
    f"another's {kind}": encoded(f"{kind}:10000000-0000-0000-0000-0000000000{row}")
    for kind, row in {
        "Generation": "f0", "Batch": "0b", "Image": "01", "Tag": "e1", "PromptTemplate": "d1", "Upload": "c1",
    }.items()
}  # fmt: skip
ROW = "10000000-0000-0000-0000-000000000001"
IDS: dict[str, Any] = {
    **THEIRS,
    "another's, archived": encoded(f"Image:{ROW[:-1]}2"),
    "another's, hidden": encoded(f"Image:{ROW[:-1]}3"),
    "nothing": "",
    "blanks": "   ",
    "no base64": "!!!!",
    "a null byte": "\0",
    "a key": ROW,
    "a kind": encoded("Image"),
    "a kind without a key": encoded("Image:"),
    "a key without a kind": encoded(f":{ROW}"),
    "a kind that is none": encoded(f"Secret:{ROW}"),
    "a kind that is no node": encoded(f"Query:{ROW}"),
    "a kind in small letters": encoded(f"image:{ROW}"),
    "a kind of everything": encoded(f"__proto__:{ROW}"),
    "a null byte behind": encoded(f"Image:{ROW}\0"),
    "a blank behind": encoded(f"Image:{ROW} "),
    "a line behind": encoded(f"Image:{ROW}") + "\n",
    "no padding": encoded(f"Image:{ROW}a").rstrip("="),
    "too much padding": encoded(f"Image:{ROW}") + "====",
    "encoded twice": encoded(encoded(f"Image:{ROW}")),
    "for addresses": base64.urlsafe_b64encode(b"Image:\xff\xfe\xfb").decode(),
    "no UTF-8": encoded(b"Image:\xff\xfe\x00\x80"),
    "SQL": encoded("Image:' or 1=1 --"),
    "SQL as it is": "' or 1=1 --",
    "another form": encoded(f"Image:{{{ROW}}}"),
    "no dashes": encoded(f"Image:{ROW.replace('-', '')}"),
    "a URN": encoded(f"Image:urn:uuid:{ROW}"),
    "wide digits": encoded("Image:" + ROW.replace("1", "\uff11").replace("0", "\uff10")),
    "no key": encoded(f"Image:{'0' * 8}-0000-0000-0000-{'0' * 12}"),
    "the last key": encoded(f"Image:{'f' * 8}-ffff-ffff-ffff-{'f' * 12}"),
    "100,000 characters": "A" * 100_000,
    "a number": 5,
    "a large number": 10**18,
    "too large a number": Json("1" + "0" * 400),
    "a fraction": 1.5,
    "true": True,
    "an object": {"$ne": None},
    "an array": [[ROW]],
    "null": None,
    "half a character": Json('"\\ud800"'),
}
STRINGS: dict[str, Any] = {
    "nothing": "",
    "a null byte": "a\0b",
    "control characters": "\x01\x1b[31m\x7f\x85\u2028",
    "right to left": "\u202egnp.exe\u2066\u2069",
    "nothing to see": "\u200b\u200d\ufeff\u2060",
    "SQL": "'; drop table images; --",
    "a pattern": "%_\\%" * 20,
    "a query of words": "a & !b | (c <-> d):* \\ '",
    "a template": "{{7*7}}${7*7}<%= 7 %>",
    "a path": "../../../../etc/passwd",
    "a page": "<script>alert(1)</script>",
    "lines of a head": "a\r\nSet-Cookie: a=b",
    "an address inside": "https://127.0.0.1:5432@evil.example/\\..",
    "no character": "\uffff\ufdd0\U0010ffff",
    "a foreign case": "\u0130\u00df\ufb03\u1e9e",
    "marks upon marks": "e" + "\u0301" * 20_000,
    "foxes": "\U0001f98a" * 2000,
    "240,000 characters": "a" * 240_000,
    "half a character": Json('"\\ud800"'),
    "a number": 5,
    "true": True,
    "an object": {"a": 1},
    "null": None,
}
NUMBERS: dict[str, Any] = {
    "less than nothing": -1,
    "the least": -(2**31),
    "less than the least": -(2**31) - 1,
    "the most": 2**31 - 1,
    "more than the most": 2**31,
    "53 bits": 2**53 - 1,
    "54 bits": 2**53,
    "64 bits": 2**64 - 1,
    "400 digits": Json("9" * 400),
    "the largest float": 1.7976931348623157e308,
    "the smallest float": 5e-324,
    "minus nothing": Json("-0"),
    "as a text": "1",
    "as a text that is none": "NaN",
    "in other digits": "\u0663",
    "a text of 5,000 digits": "9" * 5000,
    "true": True,
    "an array": [1, 2],
    "null": None,
}
FLOATS: dict[str, Any] = {
    **NUMBERS,
    "beyond a float": Json("1e400"),
    "minus nothing, in parts": Json("-0.0"),
    "not a number": Json("NaN"),
    "infinity": Json("-Infinity"),
}
TIMES: dict[str, Any] = {
    "year 0": "0000-01-01T00:00:00Z",
    "before the first": "0001-01-01T00:00:00+14:00",
    "the first": "0001-01-01T00:00:00Z",
    "the last": "9999-12-31T23:59:59.999999Z",
    "after the last": "9999-12-31T23:59:59-14:00",
    "year 10,000": "+10000-01-01T00:00:00Z",
    "before Postgres": "-4800-01-01T00:00:00Z",
    "February 30": "2026-02-30T00:00:00Z",
    "hour 24": "2026-01-01T24:00:00Z",
    "a leap second": "2016-12-31T23:59:60Z",
    "an offset of 99 hours": "2026-01-01T00:00:00+99:99",
    "an offset of seconds": "2026-01-01T00:00:00+00:00:59.999999",
    "no offset": "2026-01-01T00:00:00",
    "a day": "2026-01-01",
    "a week": "2026-W01-1",
    "now": "now",
    "infinity": "-infinity",
    "other digits": "\u0662\u0660\u0662\u0666-01-01T00:00:00Z",
    "200,000 digits": "2026-01-01T00:00:00." + "9" * 200_000 + "Z",
    "a number": 10**15,
    "null": None,
}
CHOICES: dict[str, Any] = {
    "none of them": "EVERYTHING",
    "nothing": "",
    "small letters": "mine",
    "a number": 0,
    "several": ["MINE", "PUBLIC"] * 500,
    "an object": {"MINE": True},
    "of all objects": "__class__",
    "null": None,
}
FLAGS: dict[str, Any] = {"a text": "true", "a number": 1, "an array": [True], "null": None}
KINDS = {
    "ID": IDS, "String": STRINGS, "Int": NUMBERS, "Float": FLOATS, "BigInt": NUMBERS, "DateTime": TIMES,
    "Boolean": FLAGS,
}  # fmt: skip

# What is given where something has to be: by the name of an argument, then by its type.
USUAL: dict[str, Any] = {
    "model": "flux-schnell", "contentType": "image/png", "confirm": "no", "username": "mallory", "names": ["a"],
    "prompts": [{"prompt": "a"}, {"prompt": "b"}], "ids": [own("Image", "01")], "imageId": own("Image", "01"),
    "progress": False, "previews": False, "isPublic": False, "size": 1000, "imageCount": 1,
}  # fmt: skip
TYPES: dict[str, Any] = {"String": "a", "Int": 1, "Boolean": False, "ID": own("Image", "01")}
IDS_OF = {
    "Generation": "f0", "Batch": "0b", "Tag": "e1", "Template": "d1", "Upload": "c1", "generationEvents": "f0",
}  # fmt: skip


def documents() -> Iterator[tuple[str, str, dict[str, Any], GraphQLField]]:
    """Each field of a query or mutation, asked with all of its arguments as variables, and what they usually are."""
    for root in (schema._schema.query_type, schema._schema.mutation_type):
        assert root
        for name, field in root.fields.items():
            if not field.args:
                continue
            declared = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
            given = ", ".join(f"{each}: ${each}" for each in field.args)
            document = f"{root.name.lower()}({declared}) {{ {name}({given}) {selected(field.type)} }}"
            usual = {
                each: _usual(each, argument.type, name)
                for each, argument in field.args.items()
                if is_required_argument(argument)
            }
            yield name, document, usual, field


def selected(kind: GraphQLOutputType, depth: int = 3) -> str:
    """All that can be asked of it without arguments, to this depth."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if not isinstance(named, GraphQLObjectType):
        return "{ __typename }" if named.name == "Node" else "{ __typename message code path }"
    fields = [
        f"{name} {inner}"
        for name, field in named.fields.items()
        if not any(map(is_required_argument, field.args.values()))
        and (is_leaf_type(get_named_type(field.type)) or depth > 1)
        and (inner := selected(field.type, depth - 1)) is not None
    ]
    return "{ " + " ".join(["__typename", *fields]) + " }"


def _usual(name: str, kind: Any, field: str) -> Any:
    if name == "id":
        row = next((row for kind, row in IDS_OF.items() if kind in field), "01")
        named = next((kind for kind in IDS_OF if kind in field), "Image")
        return own({"Template": "PromptTemplate"}.get(named, named), row)
    if name in USUAL:
        return USUAL[name]
    named = get_named_type(kind)
    if is_input_object_type(named):
        inner = {each: value for each, value in named.fields.items() if isinstance(value.type, GraphQLNonNull)}
        return {each: _usual(each, value.type, field) for each, value in inner.items()}
    return TYPES[named.name]


def leaves(name: str, kind: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The places of an argument that take a value, and the type of each."""
    bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(bare, GraphQLList) and is_input_object_type(get_named_type(bare)):
        yield from leaves("0", bare.of_type, (*path, name))
    elif is_input_object_type(bare):
        for each, field in bare.fields.items():
            yield from leaves(each, field.type, (*path, name))
    else:
        yield (*path, name), bare


def _values(kind: Any) -> dict[str, Any]:
    if is_list_type(kind):
        inner = _values(kind.of_type.of_type if isinstance(kind.of_type, GraphQLNonNull) else kind.of_type)
        listed = {f"a list of {name}": [value] for name, value in list(inner.items())[::2] if type(value) is not Json}
        return {**listed, "5,000 of them": [next(iter(inner.values()))] * 5000, "lists in lists": [[[[[]]]]]}
    return CHOICES if is_enum_type(kind) else KINDS[kind.name]


def _put(values: Any, path: Path, value: Any) -> Any:
    """A copy in which this stands at that place."""
    if not path:
        return value
    if isinstance(values, list):
        return [_put(values[0], path[1:], value), *values[1:]]
    return {**(values or {}), path[0]: _put((values or {}).get(path[0]), path[1:], value)}


def _body(document: str, variables: Any, value: Any) -> bytes:
    body = orjson.dumps({"query": document, "variables": variables})
    return body.replace(orjson.dumps(MARK), value.encode()) if isinstance(value, Json) else body


REQUESTS: list[Hostile] = [
    Hostile(
        f"{name}, {'.'.join(path)}: {what}",
        _body(document, _put(usual, path, MARK if isinstance(value, Json) else value), value),
    )
    for name, document, usual, field in documents()
    for argument_name, argument in field.args.items()
    for path, kind in leaves(argument_name, argument.type)
    for what, value in _values(kind).items()
]
