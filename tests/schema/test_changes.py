"""What clients were promised stays: a breaking change of the schema is one that the changelog names."""

from pathlib import Path

import pytest
from graphql import build_schema
from graphql.utilities import find_breaking_changes

from picture.graphql import schema

ROOT = Path(__file__).parents[2]
RELEASED = (ROOT / "schema" / "released.graphql").read_text("utf-8")
NOW = schema.as_str()


def unannounced(before: str, after: str, changelog: str) -> list[str]:
    """Breaking changes, in graphql-core's words, that the changelog's newest section does not name."""
    newest = changelog.split("\n## [")[1]
    said = " ".join(newest.split())
    changes = find_breaking_changes(build_schema(before), build_schema(after))
    return [change.description for change in changes if change.description not in said]


def test_a_breaking_change_is_named_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert unannounced(RELEASED, NOW, changelog) == [], "name each under `### Changed` in CHANGELOG.md, word for word"


SMALL = """
enum Colour { RED GREEN }
type Query { picture(id: ID!): String! colour: Colour }
"""
EMPTY = "# Changelog\n\n## [Unreleased]\n"


@pytest.mark.parametrize(
    ("was", "becomes", "breaks"),
    [
        ("colour: Colour", "", "Field Query.colour was removed."),
        ("String!", "String", "Field Query.picture changed type from String! to String."),
        ("id: ID!", "id: ID!, size: Int!", "A required argument Query.picture(size:) was added."),
        ("RED ", "", "Enum value Colour.RED was removed."),
    ],
)
def test_what_breaks_a_client_is_found_unless_the_changelog_names_it(was: str, becomes: str, breaks: str) -> None:
    after = SMALL.replace(was, becomes, 1)
    assert unannounced(SMALL, after, EMPTY) == [breaks]
    assert unannounced(SMALL, after, EMPTY + f"- {breaks.replace(' was', chr(10) + '  was')}\n") == []
    assert unannounced(SMALL, after, f"{EMPTY}\n## [0.1.0]\n- {breaks}\n") == [breaks]


def test_what_is_new_breaks_nobody() -> None:
    after = SMALL.replace("colour: Colour", "colour: Colour shade(of: Colour): Colour").replace("RED", "RED BLUE")
    assert unannounced(SMALL, after, EMPTY) == []
