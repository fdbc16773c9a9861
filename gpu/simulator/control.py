"""The routes that the real server has not: for tests, to wait for a moment and to let go on."""

from aiohttp import web

from gpu.simulator.routes import STATE
from gpu.simulator.scripts import ScriptError

_LONGEST_SECONDS = 300.0


async def get_events(request: web.Request) -> web.Response:
    """Events behind `after` (of one `kind`); waits up to `timeout` seconds for the first."""
    query = request.query
    timeout = min(float(query.get("timeout", 30)), _LONGEST_SECONDS)
    events = await request.app[STATE].journal.after(int(query.get("after", 0)), timeout, query.get("kind"))
    return web.json_response({"events": events})


async def post_release(request: web.Request) -> web.Response:
    """Let the paused go on: those with this `name`, or all."""
    body = await request.json() if request.can_read_body else {}
    return web.json_response({"released": request.app[STATE].journal.release(body.get("name"))})


async def post_rules(request: web.Request) -> web.Response:
    """More rules for the script, as JSON: {"rule": [{…}]}."""
    try:
        request.app[STATE].script.add((await request.json())["rule"])
    except (ScriptError, TypeError, KeyError) as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.Response()


ROUTES = [
    web.get("/simulator/events", get_events),
    web.post("/simulator/release", post_release),
    web.post("/simulator/rules", post_rules),
]
