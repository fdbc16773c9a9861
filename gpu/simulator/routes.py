"""Prompts by HTTP: posting, queue, history, interruption. All routes also exist under /api."""

import json
import re
import time
import uuid
from typing import Any

from aiohttp import web

from gpu.simulator.graphs import Graph
from gpu.simulator.scripts import Moment
from gpu.simulator.state import State
from gpu.simulator.validation import Checker, Verdict, problem
from gpu.simulator.worker import text_of

STATE: web.AppKey[State] = web.AppKey("state", State)

_CANONICAL = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_WANTED_ID = (
    "prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one"
)
_SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")


def is_canonical(text: object) -> bool:
    """Whether it is a UUID in lower case with hyphens."""
    return isinstance(text, str) and _CANONICAL.fullmatch(text) is not None


def refusal(error: dict[str, Any], node_errors: dict[str, Any] | None = None) -> web.Response:
    """A 400 as POST /prompt gives it."""
    return web.json_response({"error": error, "node_errors": node_errors or {}}, status=400)


async def post_prompt(request: web.Request) -> web.Response:
    """Queue a graph. What is no JSON, or of a wrong type in a wrong place, ends in a 500 like in the real server."""
    state = request.app[STATE]
    body = await request.json()
    if "number" in body:
        number = float(body["number"])
    else:
        is_front = "front" in body and body["front"]
        number = -state.prompts.number if is_front else state.prompts.number
        state.prompts.number += 1
    if "prompt" not in body:
        return refusal(problem("no_prompt", "No prompt provided", "No prompt provided"))
    prompt_id = body.get("prompt_id")
    if prompt_id is None:
        prompt_id = str(uuid.uuid4())
    elif not is_canonical(prompt_id):
        return refusal(problem("invalid_prompt_id", "prompt_id must be a valid UUID", _WANTED_ID))
    graph: Graph = body["prompt"]
    verdict = await _verdict(state, graph, prompt_id, body)
    if verdict.error is not None:
        return refusal(verdict.error, verdict.node_errors)
    extra = body.get("extra_data", {})
    if "client_id" in body:
        extra["client_id"] = body["client_id"]
    extra = {key: value for key, value in extra.items() if key not in _SECRETS}
    extra["create_time"] = int(time.time() * 1000)
    state.journal.write("posted", prompt_id=prompt_id, nth=state.posted)
    state.prompts.put((number, prompt_id, graph, extra, verdict.outputs))
    return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors})


async def _verdict(state: State, graph: Graph, prompt_id: str, body: dict[str, Any]) -> Verdict:
    verdict = Checker(graph, state.catalogue, state.folders).check(body.get("partial_execution_targets"))
    if verdict.error is not None:
        return verdict
    state.posted += 1  # only those that might run, so that a script's `nth` is easy to tell
    state.nth[prompt_id] = state.posted
    moment = Moment("post", state.posted, text_of(graph))
    for rule in await state.reach(moment, prompt_id, body.get("client_id")):
        if rule.do == "validation_error":
            node_id, node = next(iter(graph.items()))
            said = problem(
                "value_not_in_list", "Value not in list", rule.message or "the script says so", input_name="?"
            )
            errors = {
                node_id: {"errors": [said], "dependent_outputs": verdict.outputs, "class_type": node["class_type"]}
            }
            failed = problem("prompt_outputs_failed_validation", "Prompt outputs failed validation", "")
            return Verdict(failed, [], errors)
    return verdict


async def get_prompt(request: web.Request) -> web.Response:
    """How many wait and run."""
    return web.json_response(request.app[STATE].status())


async def get_queue(request: web.Request) -> web.Response:
    """What runs and what waits, the latter in the heap's order."""
    prompts = request.app[STATE].prompts
    return web.json_response({"queue_running": prompts.running, "queue_pending": prompts.waiting})


async def post_queue(request: web.Request) -> web.Response:
    """Delete waiting prompts."""
    prompts = request.app[STATE].prompts
    body = await request.json()
    if body.get("clear"):
        prompts.clear()
    for prompt_id in body.get("delete", []):
        prompts.delete(prompt_id)
    return web.Response()


async def post_interrupt(request: web.Request) -> web.Response:
    """Stop what runs, or one prompt if it is that which runs."""
    state = request.app[STATE]
    try:
        body = await request.json()
    except json.JSONDecodeError:
        body = {}
    prompt_id = body.get("prompt_id")
    if prompt_id is None or state.prompts.is_running(prompt_id):
        state.interrupted.set()
        state.journal.write("interrupt", prompt_id=prompt_id)
    return web.Response()


async def get_history(request: web.Request) -> web.Response:
    """Ended prompts: all, or a page of them."""
    query = request.query
    count = int(query["max_items"]) if "max_items" in query else None
    return web.json_response(request.app[STATE].prompts.page(count, int(query.get("offset", -1))))


async def get_history_of(request: web.Request) -> web.Response:
    """One ended prompt, or {}."""
    prompt_id = request.match_info["prompt_id"]
    found = request.app[STATE].prompts.history.get(prompt_id)
    return web.json_response({prompt_id: found} if found else {})


async def post_history(request: web.Request) -> web.Response:
    """Forget ended prompts."""
    history = request.app[STATE].prompts.history
    body = await request.json()
    if body.get("clear"):
        history.clear()
    for prompt_id in body.get("delete", []):
        history.pop(prompt_id, None)
    return web.Response()


async def post_free(request: web.Request) -> web.Response:
    """Give memory back once nothing runs; `free_memory` also drops what nodes have made."""
    body = await request.json()
    state = request.app[STATE]
    if body.get("free_memory"):
        state.free()
    state.journal.write("free")
    return web.Response()


async def get_socket(request: web.Request) -> web.StreamResponse:
    """The WebSocket."""
    state = request.app[STATE]
    is_owner = request.query.get("clientId") == state.client
    return await state.sockets.serve(request, state.status(), state.node if is_owner else None)


ROUTES = [
    web.get("/ws", get_socket),
    web.get("/prompt", get_prompt),
    web.post("/prompt", post_prompt),
    web.get("/queue", get_queue),
    web.post("/queue", post_queue),
    web.post("/interrupt", post_interrupt),
    web.get("/history", get_history),
    web.get("/history/{prompt_id}", get_history_of),
    web.post("/history", post_history),
    web.post("/free", post_free),
]
