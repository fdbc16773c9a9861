"""What lies around all routes: the check of the browser's origin, and the script's failures of HTTP itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from gpu.simulator.routes import STATE
from gpu.simulator.scripts import Moment
from gpu.simulator.state import State

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def middlewares() -> list[Any]:
    """In the order in which a request passes them."""
    return [check_origin, fail_as_scripted]


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for another site's page in a browser on this machine."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.Response(status=403)
    host, origin = request.headers.get("Host"), request.headers.get("Origin")
    if host and origin:
        ours, theirs = urlsplit(f"//{host}"), urlsplit(origin)
        is_other = ours.hostname != theirs.hostname or (ours.port and theirs.port and ours.port != theirs.port)
        if ours.hostname in _LOOPBACK and is_other:
            return web.Response(status=403)
    return web.Response() if request.method == "OPTIONS" else await handler(request)


@web.middleware
async def fail_as_scripted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Stall, refuse, or break an answer off, where the script says so."""
    if request.path.startswith("/simulator/"):
        return await handler(request)
    state = request.app[STATE]
    task = asyncio.current_task()
    assert task is not None
    state.handlers.add(task)
    try:
        return await _answer(state, request, handler)
    finally:
        state.handlers.discard(task)


async def _answer(state: State, request: web.Request, handler: Handler) -> web.StreamResponse:
    path = request.path.removeprefix("/api")
    rules = await state.reach(Moment("request", path=path, method=request.method))
    doings = {rule.do for rule in rules}
    await state.sockets.gate.wait()
    if "http_500" in doings:
        return web.Response(status=500, text="500 Internal Server Error\n\nServer got itself in trouble")
    if "half_response" in doings:
        return await _half(request, await handler(request))
    response = await handler(request)
    if any(rule.do == "lose_answer" for rule in await state.reach(Moment("answer", path=path, method=request.method))):
        _cut(request)
    return response


async def _half(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if isinstance(response, web.FileResponse):
        body = await asyncio.to_thread(response._path.read_bytes)
    else:
        body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"Content-Type": response.content_type})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    _cut(request)
    return half


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
