"""What ComfyUI says on its WebSocket and in its queue and history, parsed. Nothing here talks to anybody.

Frames and answers come from another's program: what is not understood is None or dropped, never an exception.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gpu.engine import Graph, OutputImage
from gpu.errors import EngineError
from gpu.failures import of_execution

_PREVIEW = 1
_PREVIEW_WITH_METADATA = 4
_JPEG = 1


@dataclass(frozen=True, slots=True)
class Started:
    """The engine has taken the prompt."""

    prompt_id: str


@dataclass(frozen=True, slots=True)
class Cached:
    """Nodes that need not run."""

    prompt_id: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Executing:
    """A node begins."""

    prompt_id: str
    node: str


@dataclass(frozen=True, slots=True)
class Stepped:
    """A node has done `value` of `of`."""

    prompt_id: str
    node: str
    value: float
    of: float


@dataclass(frozen=True, slots=True)
class Executed:
    """An output node has files to show."""

    prompt_id: str
    node: str
    images: tuple[OutputImage, ...]


@dataclass(frozen=True, slots=True)
class Succeeded:
    """All nodes are done; the history may not know it yet."""

    prompt_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A node raised."""

    prompt_id: str
    error: EngineError


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Somebody interrupted it."""

    prompt_id: str


@dataclass(frozen=True, slots=True)
class Over:
    """The prompt has left the worker; the history knows it."""

    prompt_id: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture of the sampler's state; of the running prompt when it does not say whose."""

    prompt_id: str | None
    image: bytes


Event = Started | Cached | Executing | Stepped | Executed | Succeeded | Failed | Interrupted | Over | Preview


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a prompt ended, by the history."""

    graph: Graph
    images: Mapping[str, tuple[OutputImage, ...]]
    """By output node; empty when nothing was saved."""
    error: EngineError | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a prompt was seen: the queue was read first, then the history, so a prompt on its way is in one of them."""

    running: bool = False
    pending: bool = False
    is_idle: bool = True
    """Nothing at all was running."""
    outcome: Outcome | None = None
    graph: Graph = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether the engine has it anywhere."""
        return self.running or self.pending or self.outcome is not None


def parse_text(frame: str) -> Event | None:
    """The event of a text frame; None for what no run needs."""
    try:
        message = orjson.loads(frame)
        return _event(message["type"], message["data"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def parse_binary(frame: bytes) -> Preview | None:
    """The preview of a binary frame; None for all others, images of SaveImageWebsocket (always PNG) among them."""
    try:
        event, second = struct.unpack_from(">II", frame)
        if event == _PREVIEW and second == _JPEG:
            return Preview(None, frame[8:])
        if event == _PREVIEW_WITH_METADATA:
            about = orjson.loads(frame[8 : 8 + second])
            if about["image_type"] == "image/jpeg":
                return Preview(about["prompt_id"], frame[8 + second :])
    except (struct.error, ValueError, KeyError, TypeError):
        return None
    return None


def parse_queue(body: Any, prompt_id: str) -> Sighting:
    """Where the queue has the prompt. Raises ValueError when this is no answer of ComfyUI's."""
    try:
        running, pending = body["queue_running"], body["queue_pending"]
        graphs = {place: _graph_of(items, prompt_id) for place, items in (("running", running), ("pending", pending))}
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError("not a queue") from error
    return Sighting(
        running=graphs["running"] is not None,
        pending=graphs["pending"] is not None,
        is_idle=not running,
        graph=graphs["running"] or graphs["pending"] or {},
    )


def parse_history(body: Any, prompt_id: str) -> Outcome | None:
    """How the prompt ended; None proves nothing, for a restart forgets. Raises ValueError likewise."""
    try:
        entry = body.get(prompt_id)
        if entry is None:
            return None
        images = {node: _images(output) for node, output in (entry.get("outputs") or {}).items()}
        found = {node: files for node, files in images.items() if files}
        kind, data = _last(entry["status"]["messages"])
        outcome = Outcome(graph=entry["prompt"][2], images=found)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError("not a history") from error
    if kind == "execution_interrupted":
        return Outcome(outcome.graph, found, interrupted=True)
    if kind == "execution_error" or entry["status"].get("status_str") == "error":
        return Outcome(outcome.graph, found, error=of_execution(data))
    return outcome


def _event(kind: str, data: Mapping[str, Any]) -> Event | None:
    match kind:
        case "execution_start":
            return Started(data["prompt_id"])
        case "execution_cached":
            return Cached(data["prompt_id"], tuple(data["nodes"]))
        case "executing" if "prompt_id" in data:  # without it: the greeting of a new socket
            node = data["node"]
            return Over(data["prompt_id"]) if node is None else Executing(data["prompt_id"], node)
        case "progress" if data.get("prompt_id"):
            return Stepped(data["prompt_id"], data["node"], float(data["value"]), float(data["max"]))
        case "executed":
            return Executed(data["prompt_id"], data["node"], _images(data["output"]))
        case "execution_success":
            return Succeeded(data["prompt_id"])
        case "execution_error":
            return Failed(data["prompt_id"], of_execution(data))
        case "execution_interrupted":
            return Interrupted(data["prompt_id"])
    return None


def _images(output: Any) -> tuple[OutputImage, ...]:
    """The files of one node's output; older engines answer a cached one with null."""
    files = (output or {}).get("images") or ()
    return tuple(OutputImage(file["filename"], file.get("subfolder", ""), file["type"]) for file in files)


def _graph_of(items: Sequence[Any], prompt_id: str) -> Graph | None:
    return next((item[2] for item in items if item[1] == prompt_id), None)


def _last(messages: Sequence[Any]) -> tuple[str, Mapping[str, Any]]:
    kind, data = messages[-1] if messages else ("", {})
    return str(kind), data
