"""/api/jobs: queue and history in one view."""

from typing import Any

from aiohttp import web

from gpu.simulator.prompts import Prompts
from gpu.simulator.routes import STATE, is_canonical
from gpu.simulator.state import State

_STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
_ENDS = {"execution_success": "completed", "execution_interrupted": "cancelled"}

Job = dict[str, Any]


def _active(item: Any, status: str) -> Job:
    number, prompt_id, _, extra, _ = item
    job = {"id": prompt_id, "status": status, "priority": number, "create_time": extra["create_time"]}
    return {**job, "outputs_count": 0, "previewable_outputs_count": 0, **_workflow(extra)}


def _workflow(extra: dict[str, Any]) -> dict[str, Any]:
    workflow = (extra.get("extra_pnginfo") or {}).get("workflow")
    return {"workflow_id": workflow["id"]} if isinstance(workflow, dict) and "id" in workflow else {}


def _ended(entry: dict[str, Any]) -> Job:
    number, prompt_id, _, extra, _ = entry["prompt"]
    messages = entry["status"]["messages"]
    last, said = messages[-1]
    images = [(node, image) for node, output in entry["outputs"].items() for image in output.get("images", [])]
    job: Job = {
        "id": prompt_id,
        "status": _ENDS.get(last, "failed"),
        "priority": number,
        "create_time": extra["create_time"],
        "execution_start_time": messages[0][1]["timestamp"],
        "execution_end_time": said["timestamp"],
    }
    if last == "execution_error":
        job["execution_error"] = said
    job |= {"outputs_count": len(images), "previewable_outputs_count": len(images)}
    if images:
        job["preview_output"] = {**images[0][1], "nodeId": images[0][0], "mediaType": "images"}
    return {**job, **_workflow(extra)}


def _all(prompts: Prompts) -> list[Job]:
    waiting = [_active(item, "pending") for item in prompts.waiting]
    return (
        waiting + [_active(item, "in_progress") for item in prompts.running] + [*map(_ended, prompts.history.values())]
    )


async def get_jobs(request: web.Request) -> web.Response:
    """A page of jobs, newest first unless asked otherwise."""
    query = request.query
    wanted = [status for status in query.get("status", "").split(",") if status]
    if unknown := [status for status in wanted if status not in _STATUSES]:
        said = f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(_STATUSES)}"
        return web.json_response({"error": said}, status=400)
    try:
        limit = int(query["limit"]) if "limit" in query else None
        offset = max(int(query.get("offset", 0)), 0)
    except ValueError:
        limit, offset = 0, 0
    if limit is not None and limit < 1:
        return web.json_response({"error": "limit must be a positive integer"}, status=400)
    jobs = [job for job in _all(request.app[STATE].prompts) if not wanted or job["status"] in wanted]
    if "workflow_id" in query:
        jobs = [job for job in jobs if job.get("workflow_id") == query["workflow_id"]]
    jobs.sort(key=_sort_key(query.get("sort_by")), reverse=query.get("sort_order", "desc") != "asc")
    page = jobs[offset : None if limit is None else offset + limit]
    has_more = offset + len(page) < len(jobs)
    pagination = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": has_more}
    return web.json_response({"jobs": page, "pagination": pagination})


def _sort_key(sort_by: str | None) -> Any:
    if sort_by == "execution_duration":
        return lambda job: job.get("execution_end_time", 0) - job.get("execution_start_time", 0)
    return lambda job: job["create_time"]


def _find(prompts: Prompts, prompt_id: str) -> Job | None:
    for items, status in ((prompts.running, "in_progress"), (prompts.waiting, "pending")):
        for item in items:
            if item[1] == prompt_id:
                return _active(item, status)
    entry = prompts.history.get(prompt_id)
    if entry is None:
        return None
    whole = {"outputs": entry["outputs"], "execution_status": entry["status"]}
    return {**_ended(entry), **whole, "workflow": {"prompt": entry["prompt"][2], "extra_data": entry["prompt"][3]}}


async def get_job(request: web.Request) -> web.Response:
    """One job, wherever it is."""
    job = _find(request.app[STATE].prompts, request.match_info["job_id"])
    return web.json_response(job) if job else web.json_response({"error": "Job not found"}, status=404)


def _cancel(state: State, prompt_id: str) -> bool:
    if state.prompts.is_running(prompt_id):
        state.interrupted.set()
        state.prompts.changed()  # as recorded; /interrupt tells nobody
        state.journal.write("interrupt", prompt_id=prompt_id)
        return True
    return state.prompts.delete(prompt_id)


async def post_cancel(request: web.Request) -> web.Response:
    """Stop one job, running or waiting, in one step."""
    return web.json_response({"cancelled": _cancel(request.app[STATE], request.match_info["job_id"])})


async def post_cancel_many(request: web.Request) -> web.Response:
    """Stop several."""
    wanted = (await request.json()).get("job_ids", [])
    if invalid := [job_id for job_id in wanted if not is_canonical(job_id)]:
        return web.json_response({"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}, status=400)
    done = [_cancel(request.app[STATE], job_id) for job_id in wanted]
    return web.json_response({"cancelled": any(done)})


ROUTES = [
    web.get("/api/jobs", get_jobs),
    web.get("/api/jobs/{job_id}", get_job),
    web.post("/api/jobs/cancel", post_cancel_many),
    web.post("/api/jobs/{job_id}/cancel", post_cancel),
]
