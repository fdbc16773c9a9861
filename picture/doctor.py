"""Looks at every setting and service, and says what to do."""

from collections.abc import AsyncIterator

from picture.checks.databases import check_databases
from picture.checks.engines import check_engine
from picture.checks.finding import Check, Finding
from picture.checks.house import check_address, check_home, check_identity
from picture.checks.services import check_api, check_redis, check_scanner, check_storage
from picture.settings import Settings

CHECKS: tuple[Check, ...] = (
    check_home,
    check_address,
    check_identity,
    check_databases,
    check_redis,
    check_storage,
    check_scanner,
    check_engine,
    check_api,
)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """What there is to say, one thing after the other; each check is bounded in time by its own clients."""
    for check in CHECKS:
        async for finding in check(settings):
            yield finding
