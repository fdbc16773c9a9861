"""Accounts that end."""

from typing import Annotated

import strawberry

from db import accounts
from resolvers.callers import require_person
from schema.context import Info
from schema.node import global_id
from schema.payloads import DeletePayload
from tasks import revocations
from tasks.queue import UPKEEP

Confirm = Annotated[str, strawberry.argument(description="The caller's own user name, or DELETE where they have none.")]


async def delete_account(info: Info, confirm: Confirm) -> DeletePayload:
    """All that the caller has is gone, and their token is worth nothing. Raises InvalidInputError when not meant."""
    person = require_person(info)
    async with info.context.db.as_user(info.context.claims) as session:
        # Postgres has no text with a zero byte, so it is nobody's name either.
        await accounts.delete_own(session, "" if "\0" in confirm else confirm)
    # Should we die before it, the other processes find out within PICTURE_REVOKED_SECONDS, and the sweep by itself.
    info.context.revoke(person)
    await revocations.announce(info.context.events, person)
    await info.context.queue.wake(UPKEEP)
    return DeletePayload(deleted_id=global_id("Profile", person))
