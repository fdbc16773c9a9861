"""Logs: one line per event, with its ids; pretty in a terminal, JSON otherwise."""

import logging
import sys
from pathlib import Path
from typing import Literal
from uuid import UUID

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

Format = Literal["auto", "pretty", "json"]

# They tell of their ordinary life in lines that say nothing about ours.
_TALKATIVE = ("aiohttp", "asyncio", "boto3", "botocore", "docker", "dramatiq", "PIL", "s3transfer", "sqlalchemy",
              "urllib3", "uvicorn", "websockets", "gql", "alembic")  # fmt: skip


def configure(format: Format = "auto", level: str = "info", *, role: str | None = None) -> None:
    """Send structlog and the standard library's loggers to stderr in one form; `role` is added to every line."""
    pretty = format == "pretty" or (format == "auto" and sys.stderr.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty, key="at"),
        _constant(role),
        _once,
        _readable,
    ]
    render = _renderers(pretty)
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _bridge(number, [*shared, structlog.stdlib.ExtraAdder(), _named], render)


def _renderers(pretty: bool) -> list[Processor]:
    if pretty:
        # Never with the values of variables: secrets are among them.
        plain = structlog.dev.plain_traceback
        colours = sys.stderr.isatty()
        return [structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="at", exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]


def _json(event: EventDict, **_: object) -> str:
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_SUBCLASS
    return orjson.dumps(event, default=str, option=options).decode()


def _constant(role: str | None) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        if role is not None:
            event.setdefault("role", role)
        return event

    return add


def _readable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, UUID | Path):
            event[key] = str(value)
    return event


def _named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event


def _once(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Keep a traceback out of the second line about the same exception: ours and the framework's, say."""
    info = event.get("exc_info")
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if not isinstance(error, BaseException):
        event.pop("exc_info", None)
    elif getattr(error, "_picture_logged", False):
        event.pop("exc_info", None)
        event["error"] = f"{type(error).__name__}: {error}"
    else:
        error._picture_logged = True  # type: ignore[attr-defined]
        event["exc_info"] = error
    return event


def _bridge(level: int, before: list[Processor], render: list[Processor]) -> None:
    """Make the standard library's records look as our own do."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(max(level, logging.WARNING))
        logger.propagate = True
