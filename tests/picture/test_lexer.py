"""Documents are read as graphql-core reads them, and leave nothing behind."""

import gc
import random

import pytest
from graphql import GraphQLError, Token, ast_to_dict
from graphql import parse as by_graphql_core

from picture.lexer import parse

MOST = 2000
PIECES = (
    "{", "}", "(", ")", "[", "]", ":", "$", "!", "...", "@", "|", "&", "=", " ", "  ", ",", ",,", "\n", "\r", "\r\n",
    "\t", "\ufeff", "# comment", "# comment\n", "#\r", "query", "mutation", "fragment", "on", "name", "_a1", "true",
    "null", "1", "-0", "01", "1.5e3", "1.", '"text"', '""', '"a, b # c"', '"\\n\\u0041\\u{1F98A}"', '"\\x"', '"open',
    '"two\nlines"',
    '"""block"""', '"""\n  a\n   b "" \\""" c\n"""', '"""open', '"ö🦊"', '"\t"', '"\x07"', '"\ud800"', "\x00",
    "ä", "?", '"a""b"',
)  # fmt: skip
GOOD = (
    "{ a }",
    '\ufeff query Q($a: Int = 1, $b: [String!]! = ["x", """y"""]) @d(a: {b: $a}) { a: b(c: "# no", d: -1.5) ...F }\n'
    "# the end,\r\nfragment F on T { ... on U @skip(if: true) { e } ... { f } }  # and nothing",
    "{\r  a\r\n  b\n\n  c\n}",
    '{ a(b: "one", c: "", d: "t,w,o" e: """\n    three\n      four\n  """) }',
)


IGNORED = (" ", "  ", ",", "\n", "\r", "\r\n", "\t", "\ufeff", "# a comment\n", '#"\r', "#\r\n")


def spaced(chance: random.Random) -> str:
    """A document, likely a good one, with much between its tokens."""
    tokens = ("{", "a", "(", "b", ":", chance.choice(PIECES), "c", ":", '"d"', ")", "{", "e", "}", "}")
    return "".join(token + " ".join(chance.choices(IGNORED, k=3)) for token in tokens)


def outcome(read: object, text: str) -> object:
    """The tree with the places of all its nodes; or what is said against the text, and where."""
    try:
        return ast_to_dict(read(text, max_tokens=MOST), locations=True)  # type: ignore[operator]
    except GraphQLError as error:
        return error.message, error.locations


@pytest.mark.parametrize("text", GOOD)
def test_a_document_is_read_as_it_is(text: str) -> None:
    expected = outcome(by_graphql_core, text)
    assert isinstance(expected, dict)
    assert outcome(parse, text) == expected


def test_whatever_is_written_is_read_alike() -> None:
    chance, good = random.Random(7), 0
    for number in range(20_000):
        text = "".join(chance.choices(PIECES, k=chance.randrange(1, 12)))
        text = text if number % 2 else spaced(chance)
        found = outcome(parse, text)
        assert found == outcome(by_graphql_core, text), repr(text)
        good += isinstance(found, dict)
    assert good > 1000


def test_nothing_is_left_for_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        others = left()
        document = parse(GOOD[1], MOST)
        assert left() > others  # what nodes name stays as long as they do
        del document
        with pytest.raises(GraphQLError):
            parse("{ a b c d(", MOST)
        assert left() == others
    finally:
        gc.enable()


def left() -> int:
    return sum(isinstance(one, Token) for one in gc.get_objects())
