"""Whether this process lives, and whether what it depends on answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[object]]


def routes(checks: Mapping[str, Check], timeout_seconds: float) -> list[BaseRoute]:
    """`/healthz`: this process answers. `/readyz`: so does each dependency, in time; 503 when one does not."""

    async def ready(request: Request) -> Response:
        answers = await asyncio.gather(*(_answers(name, check, timeout_seconds) for name, check in checks.items()))
        said = {name: "ok" if answer else "unavailable" for name, answer in zip(checks, answers, strict=True)}
        return Response(orjson.dumps(said), 200 if all(answers) else 503, media_type="application/json")

    return [Route("/healthz", _alive, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]


async def _alive(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _answers(name: str, check: Check, timeout_seconds: float) -> bool:
    try:
        async with asyncio.timeout(timeout_seconds):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is no, and the log says why
        log.warning("not_ready", dependency=name, error=f"{type(error).__name__}: {error}")
        return False
    return True
