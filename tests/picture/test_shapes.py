"""Documents that are too much: each is refused by name, in time that grows no faster than it does."""

import gc
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from graphql import Lexer, Source, TokenKind, get_introspection_query

from picture.documents import Documents, Examined
from picture.failures import process_errors
from picture.graphql import schema
from picture.settings import Settings
from picture.shapes import DocumentLimits

Make = Callable[[int], str]
LIMITS = DocumentLimits()


def examine(text: str, limits: DocumentLimits = LIMITS) -> Examined:
    return Documents(limits).examine(schema._schema, text)


def said(text: str, limits: DocumentLimits = LIMITS) -> str:
    """The code and the sentence of the first thing that is wrong."""
    error = examine(text, limits).errors[0]
    process_errors([error])
    return f"{(error.extensions or {}).get('code')}: {error.message}"


def many(each: str, joint: str = " ") -> Make:
    return lambda n: joint.join(each.replace("%", str(number)) for number in range(n))


def around(begin: str, inner: Make, end: str) -> Make:
    return lambda n: begin + inner(n) + end


def nested(begin: str, inner: str, end: str) -> Make:
    return lambda n: begin * n + inner + end * n


def spreading(n: int) -> str:
    """Each fragment spreads the next twice: 2ⁿ fields."""
    fragments = (f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(n))
    return f"{{ ...f0 }} {' '.join(fragments)} fragment f{n} on Query {{ __typename }}"


def circle(n: int) -> str:
    return "{ ...f0 } " + " ".join(f"fragment f{i} on Query {{ ...f{(i + 1) % n} }}" for i in range(n))


def chain(n: int) -> str:
    fragments = " ".join(f"fragment f{i} on Query {{ b {{ ...f{i + 1} }} }}" for i in range(n))
    return f"{{ ...f0 }} {fragments} fragment f{n} on Query {{ __typename }}"


def meshed(n: int) -> str:
    """Each fragment spreads all."""
    spreads = many("...f%")(n)
    return f"{{ ...f0 }} {many(f'fragment f% on Query {{ {spreads} }}')(n)}"


def repeated(n: int) -> str:
    """Every field is compared with every other of its name."""
    return "{ viewer { " + many("profile { images { edges { node { owner { id } } } } }")(n) + " } }"


REFUSED: dict[str, tuple[Make, int, str]] = {
    "characters": (lambda n: "{ __typename } #" + "x" * n, 50_000, "has 50016 characters; 50000 are allowed"),
    "lines": (lambda n: "\n" * n + "{ __typename }", 2000, "has 2001 lines; 2000 are allowed"),
    "tokens": (around("{", many("__typename"), "}"), 2001, "has 2003 tokens; 2000 are allowed"),
    "names": (around("{", lambda n: "a" * n, "}"), 256, "a name of more than 255 characters; so many are allowed"),
    "depth": (nested("{ a ", "", "}"), 20, "is 20 levels deep; 15 are allowed"),
    "depth, far too much": (nested("{ a ", "", "}"), 500, "nested too deeply"),
    "depth through fragments": (chain, 20, "is 21 levels deep; 15 are allowed"),
    "lists in lists": (around("{ nodes(ids: ", nested("[", "", "]"), ") { id } }"), 900, "nested too deeply"),
    "aliases": (around("{", many("a%: __typename"), "}"), 51, "has 51 aliases; 50 are allowed"),
    "directives": (around("{ __typename ", many("@include(if: true)"), "}"), 51, "has 51 directives; 50 are allowed"),
    "introspections": (around("{", many("a%: __schema { types { name } }"), "}"), 3, "has 3 introspections; 2 are"),
    "fragments": (around("{ __typename } ", many("fragment f% on Query { a }"), ""), 51, "has 51 fragments; 50 are"),
    "operations": (many("query q% { __typename }"), 21, "has 21 operations; 20 are allowed"),
    "root fields": (around("{", many("__typename"), "}"), 21, "has 21 fields at its root; 20 are allowed"),
    "root fields through fragments": (spreading, 10, "has 1024 fields at its root; 20 are allowed"),
    "doubling": (spreading, 49, "has more than 1000000000 fields at its root"),
    "pairs": (repeated, 90, "the same fields again and again, in 24030 pairs; 10000 are allowed"),
}
GROWING: dict[str, Make] = {
    **{name: make for name, (make, _, _) in REFUSED.items()},
    "circle": circle,
    "mesh": meshed,
    "names that nothing has": around("{ viewer {", many("emai%"), "} }"),
    "one long name": around("{", lambda n: "a" * n, "}"),
    "one long text": around('{ node(id: "', lambda n: "a" * n, '") { id } }'),
    "one long number": around("{ images(first: ", lambda n: "9" * n, ") { totalCount } }"),
    "variables": around("query(", many("$v%: ID"), ") { __typename }"),
    "one variable": around("query(", many("$v: ID"), ") { __typename }"),
    "arguments": around("{ viewer(", many("a%: 1"), ") { email } }"),
    "objects": around("{ nodes(ids: ", nested("{a: ", "1", "}"), ") { id } }"),
    "texts without an end": around('{ node(id: """', lambda n: '\\"""' * n, ""),
    "quotes": lambda n: '"' * n,
    "backslashes": around('{ node(id: "', lambda n: "\\" * n, ""),
    "comments": around("", many("# %\n", ""), "{ __typename }"),
    "blanks": around("{", lambda n: " ," * n, "__typename }"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_much_is_refused_by_its_name(name: str) -> None:
    make, size, sentence = REFUSED[name]
    assert sentence in said(make(size))
    assert said(make(size)).startswith("QUERY_TOO_COMPLEX")


def test_tokens_are_counted_as_they_are_parsed() -> None:
    values = r'''a: -1.5e+3, b: "x \" y" c: """x "y" \""" z""" d: [1, 2] e: {f: $g}'''
    for text in (get_introspection_query(), f"query($g: Int = 5) {{ h({values}) @i ...J ... on K {{ l }} }} # m\n,"):
        lexer, count = Lexer(Source(text)), 0
        while lexer.advance().kind is not TokenKind.EOF:
            count += 1
        assert f"has {count} tokens; {count - 1} are" in said(text, DocumentLimits(max_tokens=count - 1))
        assert "tokens" not in said(text + "}", DocumentLimits(max_tokens=count + 2))


def test_a_circle_of_fragments_is_bad_input() -> None:
    assert said(circle(3)).startswith("BAD_USER_INPUT: Cannot spread fragment")


@pytest.mark.parametrize("name", GROWING)
def test_time_grows_no_faster_than_the_document(name: str) -> None:
    documents, spent = Documents(LIMITS), []
    gc.collect()
    gc.disable()
    try:
        for size in (20, 200, 2000, 20_000):
            text = GROWING[name](size) if size < 500 or name != "mesh" else ""
            began_at = time.process_time()
            documents.examine(schema._schema, text)
            spent.append(time.process_time() - began_at)
    finally:
        gc.enable()
    assert max(spent) < 0.5
    for smaller, larger in pairwise(spent):
        assert larger < 30 * smaller + 0.1, spent


def test_the_settings_are_the_limits() -> None:
    assert DocumentLimits.of(Settings.given()) == LIMITS
