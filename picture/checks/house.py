"""The settings themselves, the home, and who signs tokens."""

import os
import shutil
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp

from picture.checks.finding import Finding, bad, doubtful, good
from picture.home import Home
from picture.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
ROOMY_BYTES = 1_000_000_000
TIMEOUT = aiohttp.ClientTimeout(total=10)


async def check_home(settings: Settings) -> AsyncIterator[Finding]:
    """Whether we may keep things there, and whether there is room."""
    path = settings.home
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        yield bad("home", f"{path} cannot be written", "Name another folder in PICTURE_HOME, or mend who owns it.")
        return
    free = shutil.disk_usage(existing).free
    if free < ROOMY_BYTES:
        yield doubtful("home", f"{path} has {free / 1e6:.0f} MB left", "Make room: Postgres stops when there is none.")
    else:
        yield good("home", f"{path}, {free / 1e9:.0f} GB free")
    running = Home(path).running()
    yield good("picture up", f"runs, process {running.pid}" if running else "does not run here")


async def check_address(settings: Settings) -> AsyncIterator[Finding]:
    """Whether clients reach the API where its pictures' addresses point to."""
    public = urlsplit(settings.public_url).hostname or ""
    if settings.host not in LOOPBACK and public in LOOPBACK:
        advice = "Set PICTURE_PUBLIC_URL to the address that clients use: pictures are handed out below it."
        yield doubtful("public address", f"the API listens on {settings.host}, but hands out {public}", advice)
    else:
        yield good("public address", settings.public_url)
    if not settings.secret and not settings.database_url:
        yield good("secret", "has none yet: `picture up` makes one for this home")
    elif not settings.secret:
        advice = "Set PICTURE_SECRET to the same random text in every process, or run `picture up` once."
        yield bad("secret", "nothing signs the addresses of private pictures", advice)
    else:
        yield good("secret", "addresses of private pictures are signed")
    if "*" in settings.allowed_origins:
        yield doubtful("origins", "every web page may call the API", "Name your clients' in PICTURE_ALLOWED_ORIGINS.")


async def check_identity(settings: Settings) -> AsyncIterator[Finding]:
    """Who signs tokens, and whether its keys can be read."""
    if settings.supabase_url:
        yield await _published_keys(f"{settings.supabase_url}/auth/v1/.well-known/jwks.json")
    if settings.supabase_jwt_secret:
        yield good("tokens", "HS256 ones of Supabase count")
    if settings.token_secret:
        yield good("tokens", "local ones count: `picture token NAME` prints one")
    elif not settings.has_supabase and not settings.database_url:
        yield good("tokens", "no secret yet: `picture up` makes one for this home")
    elif not settings.has_supabase:
        advice = "Set SUPABASE_URL or SUPABASE_JWT_SECRET; without Supabase, PICTURE_SECRET or PICTURE_TOKEN_SECRET."
        yield bad("tokens", "nobody can sign in", advice)


async def _published_keys(address: str) -> Finding:
    advice = "Is SUPABASE_URL the project's address, and may this machine reach it?"
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.get(address) as response:
            if response.status != 200:
                return bad("tokens", f"{address} answers {response.status}", advice)
            keys = (await response.json(content_type=None)).get("keys", [])
    except (aiohttp.ClientError, TimeoutError, ValueError, AttributeError) as error:
        return bad("tokens", f"{address} cannot be read ({type(error).__name__})", advice)
    if keys:
        return good("tokens", f"{len(keys)} published key(s) of Supabase")
    advice = "A project with an HS256 secret publishes none: set SUPABASE_JWT_SECRET."
    return doubtful("tokens", "Supabase publishes no key", advice)
