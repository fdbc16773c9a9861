"""How instants, big integers and money look on the wire."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from schema.scalars import MAX_BIG_INT, SCALARS, BigInt

INSTANT: Any = SCALARS[datetime]
NUMBER: Any = SCALARS[BigInt]
MONEY: Any = SCALARS[Decimal]


def test_an_instant_is_printed_in_utc_with_its_offset() -> None:
    noon = datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    assert INSTANT.serialize(noon) == "2030-01-31T10:00:00+00:00"
    assert INSTANT.serialize(noon.replace(microsecond=120_000)) == "2030-01-31T10:00:00.12+00:00"


def test_an_instant_is_read_with_any_offset() -> None:
    assert INSTANT.parse_value("2030-01-31T12:00:00Z") == datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert INSTANT.parse_value("2030-01-31T12:00:00+02:00") == datetime(2030, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong", ["2030-01-31", "2030-01-31T12:00:00", "yesterday", "", 5, "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_instant_is_refused(wrong: object) -> None:
    with pytest.raises(GraphQLError, match="A DateTime is"):
        INSTANT.parse_value(wrong)


@pytest.mark.parametrize("number", [0, 1, MAX_BIG_INT, 7.0])
def test_a_big_integer_is_a_number(number: float) -> None:
    assert NUMBER.parse_value(number) == number


@pytest.mark.parametrize("wrong", [-1, MAX_BIG_INT + 1, 1.5, "1", True, None, 1e300])
def test_what_no_client_reads_back_unchanged_is_refused(wrong: object) -> None:
    with pytest.raises(GraphQLError, match="A BigInt is"):
        NUMBER.parse_value(wrong)


@pytest.mark.parametrize(
    ("amount", "printed"), [("0.003000", "0.003"), ("100", "100"), ("1E-7", "0.0000001"), ("0", "0")]
)
def test_money_is_a_plain_decimal_string(amount: str, printed: str) -> None:
    assert MONEY.serialize(Decimal(amount)) == printed


@pytest.mark.parametrize("wrong", [0.1, 3, "NaN", "Infinity", "a lot", None])
def test_what_is_no_amount_is_refused(wrong: object) -> None:
    with pytest.raises(GraphQLError, match="A Decimal is"):
        MONEY.parse_value(wrong)
