"""What an operator does at a terminal: by the workers' login, said in the audit log with who it was."""

import asyncio
import getpass
import os
import socket
import unicodedata
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from db.audit import Entry
from db.database import Database, is_away
from db.errors import PictureError
from picture.settings import Settings
from picture.trouble import Trouble
from resolvers.ids import parse
from tasks import publications, revocations
from tasks.events import Events, connect

T = TypeVar("T")


def operator() -> str:
    """Who sits at this terminal, as far as the machine knows."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


def entry(action: str, target: UUID, reason: str | None = None) -> Entry:
    """What the audit log is to say."""
    return Entry(operator(), action, target, reason)


def row_id(named: str, type_name: str) -> UUID:
    """The row that an id means: a global id as clients see it, or the row's own. Raises Trouble."""
    parsed = parse(named)
    if parsed and parsed[0] == type_name:
        return parsed[1]
    try:
        return UUID(named)
    except ValueError as error:
        raise Trouble(f"{named!r} is no id of {type_name.lower()}s.") from error


def at_desk(settings: Settings, act: Callable[[Database], Awaitable[T]]) -> T:
    """What `act` gives. Raises Trouble with the sentence of what was expected to go wrong."""

    async def sit() -> T:
        db = Database.connect(settings.require("database_worker_url"), pool_size=2)
        try:
            return await act(db)
        finally:
            await db.close()

    try:
        return asyncio.run(sit())
    except PictureError as error:
        raise Trouble(str(error)) from error
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        told = getattr(error, "orig", None) or error
        hint = " Is the database up?" if is_away(error) else " Has `picture migrate` run?"
        raise Trouble(f"{told}.{hint}") from error


async def tell_revoked(settings: Settings, person: UUID) -> None:
    """To all replicas at once, where there is Redis; else they find out within PICTURE_REVOKED_SECONDS."""
    await _tell(settings, lambda events: revocations.announce(events, person))


async def tell_published(settings: Settings, image_id: UUID) -> None:
    """To those who watch for new images, where there is Redis."""
    await _tell(settings, lambda events: publications.announce(events, image_id))


async def _tell(settings: Settings, say: Callable[[Events], Awaitable[None]]) -> None:
    if settings.redis_url is None:
        return
    redis = connect(settings.redis_url)
    try:
        await say(Events(redis, settings.namespace))
    finally:
        await redis.aclose()


def shown(text: str | None) -> str:
    """What somebody wrote, in one line and without what would move a terminal's cursor."""
    return " ".join("".join(" " if _moves(character) else character for character in text or "").split())


def _moves(character: str) -> bool:
    return unicodedata.category(character)[0] == "C"
