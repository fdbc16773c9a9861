"""What is expected of an answer: values, parts of objects, lists of the same length, or whether something holds."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

Checked = set[tuple[str, str]]


def starts(beginning: str) -> Callable[[str | None], bool]:
    return lambda text: text is not None and text.startswith(beginning)


def between(least: float, most: float) -> Callable[[float | None], bool]:
    return lambda number: number is not None and least <= number <= most


def above(least: float) -> Callable[[float | None], bool]:
    return lambda number: number is not None and number > least


def is_there(value: Any) -> bool:
    return value is not None


def is_jpeg(data_url: str) -> bool:
    kind, _, data = data_url.partition(",")
    return kind == "data:image/jpeg;base64" and base64.b64decode(data).startswith(b"\xff\xd8")


def differences(expected: Any, actual: Any, at: str, checked: Checked) -> Iterator[str]:
    """Where `actual` is not as expected; the fields that were looked at are added to `checked`."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, part in expected.items():
            if key not in actual:
                yield f"{at}.{key} was not asked for"
                continue
            checked.add((actual["__typename"], key.partition("_")[0]))
            yield from differences(part, actual[key], f"{at}.{key}", checked)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for part, one in zip(expected, actual, strict=True):
            yield from differences(part, one, at, checked)
    elif not (expected(actual) if callable(expected) else expected == actual):
        yield f"{at}: {actual!r}"
