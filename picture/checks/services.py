"""Redis, the storage and the API."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import aiohttp
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from picture.checks.finding import Finding, bad, doubtful, good
from picture.home import Home
from picture.settings import Settings
from picture.stores import storage_config
from storage.errors import ScannerUnavailableError, StorageError
from storage.objects import Storage, open_storage
from storage.scanning import Scanner

TIMEOUT = aiohttp.ClientTimeout(total=10)
SCANNER_SECONDS = 5.0
PROBE = b"picture doctor was here"


async def check_redis(settings: Settings) -> AsyncIterator[Finding]:
    """Whether it answers, keeps what it is told, and throws nothing away."""
    if not settings.redis_url:
        yield good("Redis", "has no address: `picture up` starts our own")
        return
    try:
        async with Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5) as redis:
            version = (await redis.info("server")).get("redis_version", "?")
            yield good("Redis", f"answers, version {version}")
            async for finding in _kept(redis):
                yield finding
    except (OSError, RedisError) as error:
        yield bad("Redis", f"does not answer: {error}", "Is it up, and is REDIS_URL right?")


async def _kept(redis: "Redis") -> AsyncIterator[Finding]:
    try:
        rules = await redis.config_get("appendonly", "maxmemory-policy")
    except ResponseError:
        yield good("Redis", "does not tell its configuration, as hosted ones do not")
        return
    if rules.get("appendonly") != "yes":
        advice = "Nothing is lost without, but wake-ups are, and waiting takes longer: set `appendonly yes`."
        yield doubtful("Redis", "keeps nothing over a restart", advice)
    if rules.get("maxmemory-policy") != "noeviction":
        advice = "Set `maxmemory-policy noeviction`: it may throw messages away."
        yield doubtful("Redis", f"evicts by {rules.get('maxmemory-policy')}", advice)


async def check_storage(settings: Settings) -> AsyncIterator[Finding]:
    """Whether an object can be written, read and deleted."""
    what = settings.s3_endpoint or str(settings.home / "storage")
    try:
        async with open_storage(storage_config(settings)) as storage:
            await _round_trip(storage)
    except (OSError, StorageError) as error:
        advice = "Are S3_ENDPOINT, S3_BUCKET, S3_REGION and the key right, and may it put, get and delete?"
        yield bad("storage", f"{what}: {error}", advice if settings.s3_endpoint else "Mend who may write there.")
    else:
        yield good("storage", f"{what}: an object was written, read and deleted")


async def _round_trip(storage: Storage) -> None:
    key = f"{storage.prefix}doctor/{uuid4()}"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe"
        source.write_bytes(PROBE)
        await storage.put(key, source, "application/octet-stream")
    try:
        found = await storage.open(key)
        try:
            if b"".join([chunk async for chunk in found.chunks()]) != PROBE:
                raise StorageError("What was read is not what was written.")
        finally:
            found.close()
    finally:
        await storage.delete([key])


async def check_scanner(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the virus scanner answers, where there is to be one."""
    if not settings.clamav_url:
        yield good("scanner", "CLAMAV_URL is not set: uploads are made anew, and not scanned before")
        return
    try:
        yield good("scanner", f"answers: {await Scanner(settings.clamav_url, SCANNER_SECONDS).version()}")
    except ScannerUnavailableError as error:
        advice = "Uploads wait for it. Is it up, and is CLAMAV_URL right?"
        yield bad("scanner", f"{settings.clamav_url}: {error}", advice)


async def check_api(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the API of this home, where one runs, is ready."""
    running = Home(settings.home).running()
    for process in running.roles.get("api", []) if running else []:
        address = f"{process.address}/readyz"
        try:
            async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.get(address) as response:
                said = await response.json()
                away = ", ".join(name for name, state in said.items() if state != "ok")
                if away:
                    yield bad("API", f"{process.address} has no {away}", "See what is said of that here.")
                else:
                    yield good("API", f"{process.address} is ready")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            advice = f"See {settings.home / 'logs'}, or what `picture up` prints."
            yield bad("API", f"{process.address} does not answer ({type(error).__name__})", advice)
