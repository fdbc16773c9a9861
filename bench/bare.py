"""The limit: Starlette and one hand-written statement, whose JSON is sent as it comes.

It does what has to be done for a page of a gallery: verifies the token (and remembers that it did), reads by the API's
login under row-level security, signs the addresses of private pictures. It knows two documents, and answers by the
scope that is asked for. It makes no other check.
"""

import base64
import gc
import hashlib
import hmac
import math
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import click
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATEMENT = Path(__file__).with_name("bare.sql").read_text()
SCOPES = {"MINE": "user_id = $2::uuid", "PUBLIC": "is_public and hidden_at is null"}
STATEMENTS = {scope: STATEMENT.replace("{scope}", condition) for scope, condition in SCOPES.items()}
WINDOW_SECONDS = 3600
POOL_SIZE = 5  # as many as the API has for statements of this kind
BLOCK_BYTES = 64  # of SHA-256
# As the API's own connections.
CONNECTION = {
    "search_path": "public",
    "timezone": "UTC",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}


class Bare:
    """The application's only endpoint."""

    def __init__(self, pool: asyncpg.Pool, public_url: str, secret: str) -> None:
        self._pool = pool
        self._secret = secret.encode()
        self._subjects: dict[str, tuple[str, UUID, float]] = {}  # by token: claims, whose, until
        key = self._secret if len(self._secret) <= BLOCK_BYTES else hashlib.sha256(self._secret).digest()
        pads = [bytes(byte ^ pad for byte in key.ljust(BLOCK_BYTES, b"\0")) for pad in (0x36, 0x5C)]
        self._signing = (f"{public_url}/i/", *pads, WINDOW_SECONDS)

    async def __call__(self, request: Request) -> Response:
        """The page that is asked for."""
        claims, sub = self._verified(request.headers["authorization"][7:])
        variables = orjson.loads(await request.body())["variables"]
        values = (claims, sub, variables["first"], *self._signing, math.ceil(time.time() + WINDOW_SECONDS / 2))
        async with self._pool.acquire() as connection:
            text = await connection.fetchval(STATEMENTS[variables["scope"]], *values)
        return Response(text, media_type="application/json")

    def _verified(self, token: str) -> tuple[str, UUID]:
        """Claims as the policies read them, and whose they are."""
        known = self._subjects.get(token)
        if known is None:
            signed, _, signature = token.rpartition(".")
            expected = hmac.digest(self._secret, signed.encode(), "sha256")
            assert hmac.compare_digest(expected, base64.urlsafe_b64decode(signature + "=="))
            payload = orjson.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
            claims = orjson.dumps({"role": payload["role"], "sub": payload["sub"]}).decode()
            known = self._subjects[token] = (claims, UUID(payload["sub"]), payload["exp"])
        assert known[2] > time.time()
        return known[:2]


async def _nothing(connection: object) -> None:
    """Every setting ends with its statement."""


async def _ready(request: Request) -> Response:
    return Response("ready")


def make_app(database_url: str, public_url: str, secret: str) -> Starlette:
    """The whole of it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            database_url, min_size=POOL_SIZE, max_size=POOL_SIZE, server_settings=CONNECTION, reset=_nothing,
            max_cached_statement_lifetime=0, max_cacheable_statement_size=0,
        ) as pool:  # fmt: skip
            app.router.routes.append(Route("/graphql", Bare(pool, public_url, secret).__call__, methods=["POST"]))
            yield

    return Starlette(routes=[Route("/readyz", _ready)], lifespan=lifespan)


@click.command()
@click.option("--port", type=int, required=True)
def serve(port: int) -> None:
    """Serve until told to stop."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    app = make_app(os.environ["DATABASE_URL"], os.environ["PUBLIC_URL"], os.environ["SECRET"])
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)


if __name__ == "__main__":
    serve()
