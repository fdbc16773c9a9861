"""What a request asks for, read no further than it may go, and believed in nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import orjson
from starlette.requests import Request

from picture.failures import TOO_COMPLEX
from picture.refusals import JSON, RefusedError
from picture.settings import Settings

KINDS: dict[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "variables": (dict, "an object"),
    "operationName": (str, "a string"),
    "extensions": (dict, "an object"),
    "documentId": (str, "a string"),
    "id": (str, "a string"),
}


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How large and how slow a request may be."""

    max_body_bytes: int = 500_000
    body_seconds: float = 10
    operation_seconds: float = 20
    max_batch: int = 0
    max_variables_bytes: int = 250_000
    max_variables_depth: int = 10
    max_variables_values: int = 1000

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that the settings name."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation as a client has written it down."""

    query: str | None
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None

    @classmethod
    def parse(cls, value: object, limits: RequestLimits) -> Self:
        """The operation in a JSON value. Raises RefusedError when there is none, or it brings too much."""
        if not isinstance(value, dict):
            raise RefusedError(400, "A request is one JSON object.")
        for name, (kind, said) in KINDS.items():
            if not isinstance(value.get(name), kind | None):
                raise RefusedError(400, f"`{name}` must be {said} or null, if provided.")
        variables, extensions = value.get("variables"), value.get("extensions")
        check_size("variables", variables, limits)
        check_size("extensions", extensions, limits)
        document_id = value.get("documentId") or value.get("id")
        return cls(value.get("query"), variables, value.get("operationName"), extensions, document_id)


def check_size(name: str, value: Mapping[str, Any] | None, limits: RequestLimits) -> None:
    """Raise RefusedError when a client's object holds too much, is nested too deeply, or too large."""
    if not value:
        return
    if wrong := _shape(value, limits.max_variables_depth, limits.max_variables_values):
        raise RefusedError(400, f"The {name} {wrong}; so many are allowed.", TOO_COMPLEX)
    size = len(orjson.dumps(value))  # which would not write what is 300 levels deep
    if size > limits.max_variables_bytes:
        said = f"The {name} have {size} bytes; {limits.max_variables_bytes} are allowed."
        raise RefusedError(400, said, TOO_COMPLEX)


def _shape(value: object, most_levels: int, most_values: int) -> str | None:
    """Why a value is refused for its shape; a list of 20,000 takes ten times as long to be judged as to be read."""
    level: list[Any] = [value]
    count = 0
    for _ in range(most_levels + 1):
        count += sum(map(len, level))
        if count > most_values:
            return f"hold more than {most_values} values"
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return None
    return f"are more than {most_levels} levels deep"


async def read(request: Request, limits: RequestLimits) -> Asked | list[Asked]:
    """The operation of a request, or several where that is allowed. Raises RefusedError."""
    if request.method == "GET":
        return Asked.parse(_parameters(request), limits)
    _check_kind(request)
    try:
        value = orjson.loads(await _body(request, limits))
    except orjson.JSONDecodeError:
        raise RefusedError(400, "The body is not JSON.") from None
    if not isinstance(value, list) or not limits.max_batch:
        return Asked.parse(value, limits)
    if not 0 < len(value) <= limits.max_batch:
        message = f"The request has {len(value)} operations; 1 to {limits.max_batch} are allowed."
        raise RefusedError(400, message, TOO_COMPLEX)
    return [Asked.parse(each, limits) for each in value]


def _parameters(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        try:
            given[name] = orjson.loads(given[name]) if given.get(name) else None
        except orjson.JSONDecodeError:
            raise RefusedError(400, f"`{name}` is not JSON.") from None
    return given


def _check_kind(request: Request) -> None:
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    charset = rest.strip().lower()
    if kind.strip().lower() != JSON or (charset.startswith("charset=") and charset[8:].strip('"') != "utf-8"):
        raise RefusedError(415, f"A request is {JSON}, in UTF-8.", headers={"Accept": JSON})
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, "A request is sent as it is, not compressed.", headers={"Accept-Encoding": "identity"})


async def _body(request: Request, limits: RequestLimits) -> bytes:
    most = limits.max_body_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > most:
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        message = f"The request did not arrive within {limits.body_seconds:g} s."
        raise RefusedError(408, message, headers={"Connection": "close"}) from None
    return bytes(body)


def _too_large(most: int) -> RefusedError:
    return RefusedError(413, f"A request has at most {most} bytes.", headers={"Connection": "close"})
