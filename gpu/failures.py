"""ComfyUI's errors as ours: which code, which node, and a sentence without its paths and traces.

Its own words go into `detail`, for the log; tracebacks and inputs, which may hold a prompt, go nowhere.
"""

import re
from collections.abc import Mapping
from typing import Any

from gpu.errors import EngineError, EngineUnavailableError
from gpu.nodes import folder_of

_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory", re.IGNORECASE)
_OUT_OF_MEMORY_SENTENCE = "ran out of memory on your GPU"  # added by ComfyUI itself, whatever the type
# After one of these every later run of that process fails as well: its context on the device is gone.
_DEVICE_LOST = re.compile(r"CUDA error|CUDA driver|HIP error|cuDNN error|no CUDA-capable device|device-side assert")
_LOADER = re.compile(r"Loader")
_PLAIN = re.compile(r"[\w.+-]{1,80}")
_UNKNOWN_CLASS_BEFORE_2026 = re.compile(r"because node (\S+) does not exist\. Node ID '#([^']+)'")  # seen in 0.3.64
_DETAIL_CHARACTERS = 500
_LACKS_FILE = "The engine lacks a file of this model."


def of_refusal(body: Any) -> EngineError:
    """Why `POST /prompt` refused a graph: of its 400, or of the `node_errors` in a 200."""
    try:
        return _of_nodes(body.get("node_errors") or {}) or _of_graph(body["error"])
    except (KeyError, TypeError, AttributeError):
        return EngineError("The engine refused the workflow.", code="invalid_workflow", detail=_cut(str(body)))


def of_execution(data: Mapping[str, Any]) -> EngineError:
    """Why a node failed while it ran, of an `execution_error`."""
    kind, words = str(data.get("exception_type", "")), str(data.get("exception_message", ""))
    node, node_class = _id(data.get("node_id")), _plain(data.get("node_type"), "a node")
    detail = _cut(f"{kind}: {words}")
    is_full = kind.endswith("OutOfMemoryError") or _OUT_OF_MEMORY_SENTENCE in words
    if is_full or (_is_device(kind) and _OUT_OF_MEMORY.search(words)):
        sentence = "The engine ran out of memory; a smaller size or fewer images may fit."
        return EngineError(sentence, code="out_of_memory", node=node, retryable=True, detail=detail)
    if _is_device(kind) and _DEVICE_LOST.search(words):
        sentence = "The engine lost its GPU and has to be restarted."
        return EngineUnavailableError(sentence, node=node, restart_needed=True, detail=detail)
    if _LOADER.search(node_class) and (kind == "FileNotFoundError" or "not found" in words):
        return EngineError(_LACKS_FILE, code="model_missing", node=node, detail=detail)
    sentence = f"The workflow's {node_class} failed: {_plain(kind.rpartition('.')[2], 'an error')}."
    return EngineError(sentence, code="node_error", node=node, detail=detail)


def _of_nodes(node_errors: Mapping[str, Any]) -> EngineError | None:
    """The worst of them: a missing file explains the others."""
    found = [
        _of_input(node, str(about.get("class_type")), error)
        for node, about in node_errors.items()
        for error in about["errors"]
    ]
    return min(found, key=lambda error: error.code != "model_missing", default=None)


def _of_input(node: str, node_class: str, error: Mapping[str, Any]) -> EngineError:
    kind, extra = error["type"], error.get("extra_info") or {}
    name = _plain(extra.get("input_name"), "an input")
    where, detail = f"{name} of the workflow's {_plain(node_class, 'node')}", _cut(f"{kind}: {error.get('details')}")
    if kind == "value_not_in_list" and folder_of(name):
        return EngineError(_LACKS_FILE, code="model_missing", node=node, detail=detail)
    if kind == "custom_validation_failed" and name == "image":
        # our upload is gone: another container, or a cleaned folder; the next attempt uploads it again
        return EngineError(
            "The engine has lost the source image.", code="invalid_workflow", node=node, retryable=True, detail=detail
        )
    return EngineError(f"The engine refused {where}.", code="invalid_workflow", node=node, detail=detail)


def _of_graph(error: Mapping[str, Any]) -> EngineError:
    kind, extra, words = error["type"], error.get("extra_info") or {}, f"{error.get('message')} {error.get('details')}"
    unknown, node = extra.get("class_type"), extra.get("node_id")
    if old := _UNKNOWN_CLASS_BEFORE_2026.search(words):
        kind, (unknown, node) = "missing_node_type", old.groups()
    sentences = {
        "missing_node_type": f"The engine does not know the node class {_plain(unknown, 'of a node')}.",
        "prompt_no_outputs": "The workflow saves no image.",
    }
    sentence = sentences.get(kind, "The engine refused the workflow.")
    return EngineError(sentence, code="invalid_workflow", node=_id(node), detail=_cut(f"{kind}: {words}"))


def _is_device(kind: str) -> bool:
    """Whether torch itself raised it: a node's own text may say anything."""
    return kind.rpartition(".")[2] in {"RuntimeError", "AcceleratorError"}


def _plain(text: Any, otherwise: str) -> str:
    return text if isinstance(text, str) and _PLAIN.fullmatch(text) else otherwise


def _id(text: Any) -> str | None:
    return _plain(text, "") or None


def _cut(text: str) -> str:
    return " ".join(text.split())[:_DETAIL_CHARACTERS]
