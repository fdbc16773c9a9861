"""Scalars: how instants, big integers and money look on the wire."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import orjson
import strawberry
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.scalar import ScalarDefinition

MAX_BIG_INT = 2**53 - 1  # what a double holds exactly, so what every JSON client reads back unchanged

OFFSET = "+00:00"

BigInt = NewType("BigInt", int)


def _parse_datetime(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant and instant.tzinfo:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise StrawberryInputCoercionError(
        "A DateTime is an ISO-8601 instant with its offset, such as 2030-01-31T12:00:00Z."
    )


def _serialize_datetime(value: datetime) -> str:
    """As Postgres prints it in JSON: without trailing zeros."""
    text = orjson.dumps(value.astimezone(UTC))[1:-1].decode().removesuffix(OFFSET)  # a third of what isoformat takes
    return f"{text.rstrip('0') if '.' in text else text}{OFFSET}"


def _parse_big_int(value: object) -> BigInt:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_BIG_INT:
        raise StrawberryInputCoercionError(f"A BigInt is a whole number from 0 to {MAX_BIG_INT}.")
    return BigInt(value)


def _parse_decimal(value: object) -> Decimal:
    try:
        amount = Decimal(value) if isinstance(value, str) else None
    except ArithmeticError:
        amount = None
    if amount is None or not amount.is_finite():
        raise StrawberryInputCoercionError('A Decimal is a string, such as "0.003".')
    return amount


def _serialize_decimal(value: Decimal) -> str:
    return format(value.normalize(), "f")


SCALARS: dict[Any, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An ISO-8601 instant with offset, always UTC.",
        serialize=_serialize_datetime,
        parse_value=_parse_datetime,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="An integer of up to 53 bits, safe in every client (0 … 9007199254740991).",
        serialize=int,
        parse_value=_parse_big_int,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An amount of money in US dollars, as a decimal string: "0.003".',
        serialize=_serialize_decimal,
        parse_value=_parse_decimal,
    ),
}
