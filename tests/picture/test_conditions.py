"""Which part of a picture is answered with, and when none is."""

import pytest

from picture.conditions import byte_range, is_fresh

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("range", "expected"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=5-", (5, None)),
        ("bytes=-5", (-5, None)),
        ("bytes=-0", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,3-4", None),
        ("bytes=a-b", None),
        ("bytes=٣-٤", None),
        (f"bytes={'9' * 5000}-", None),
        ("items=0-1", None),
        (None, None),
    ],
)
def test_one_plain_range_is_honoured_and_nothing_else(range: str | None, expected: object) -> None:
    assert byte_range(range, None, ETAG) == expected


def test_a_part_of_another_version_is_not_sent() -> None:
    assert byte_range("bytes=0-1", ETAG, ETAG) == (0, 1)
    assert byte_range("bytes=0-1", '"old"', ETAG) is None
    assert byte_range("bytes=0-1", f"W/{ETAG}", ETAG) is None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (ETAG, True),
        (f"W/{ETAG}", True),
        (f'"x", {ETAG}', True),
        ("*", True),
        ('"x"', False),
        ("", False),
        (None, False),
    ],
)
def test_a_client_that_has_it_is_told_so(known: str | None, expected: bool) -> None:
    assert is_fresh(known, ETAG) is expected
