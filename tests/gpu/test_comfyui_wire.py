"""Frames and answers as ComfyUI 0.33.0 sent them, shortened."""

import io
import struct
from typing import Any

import orjson
import pytest
from PIL import Image

from gpu import previews, wire
from gpu.course import Course
from gpu.engine import Finished, OutputImage, Progressed, Staged
from gpu.errors import EngineError, InterruptedRunError
from gpu.failures import of_execution, of_refusal

ID = "d0a5ac5f-f746-4a2e-9291-fe3fa841f630"
GRAPH = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {}},
    "3": {"class_type": "KSampler", "inputs": {}},
    "8": {"class_type": "VAEDecode", "inputs": {}},
    "9": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "picture:output"}},
}
IMAGE = {"filename": "i_00001_.png", "subfolder": "picture/a", "type": "output"}


def event(kind: str, **data: Any) -> wire.Event | None:
    return wire.parse_text(orjson.dumps({"type": kind, "data": {"prompt_id": ID, **data}}).decode())


def told(*events: wire.Event | None) -> list[Any]:
    course = Course(GRAPH)
    return [news for event in events if event for news in course.heard(event, is_canceled=False)]


def entry(status: str, messages: list[Any], outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    prompt = [0, ID, GRAPH, {}, ["9"]]
    return {ID: {"prompt": prompt, "outputs": outputs or {}, "status": {"status_str": status, "messages": messages}}}


def jpeg(px: int = 512) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((px, px), 80).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def run_of(*steps: int) -> list[wire.Event | None]:
    return [
        event("execution_start"),
        event("execution_cached", nodes=[]),
        *(event("executing", node=node) for node in ("4", "6", "3")),
        *(event("progress", node="3", value=step, max=4) for step in steps),
        event("executing", node="8"),
        event("executing", node="9"),
        event("executed", node="9", output={"images": [IMAGE]}),
        event("execution_success"),
    ]


def test_a_run_passes_its_stages_in_order_and_ends_with_its_image() -> None:
    news = told(*run_of(1, 2, 3, 4))
    stages = [item.stage for item in news if isinstance(item, Staged)]
    assert stages == ["preparing", "loading_model", "sampling", "decoding", "storing"]
    assert news[-1] == Finished((OutputImage("i_00001_.png", "picture/a", "output"),))


def test_progress_only_grows_and_counts_the_steps() -> None:
    news = [item for item in told(*run_of(0, 1, 2, 2, 1, 4)) if isinstance(item, Progressed)]
    values = [item.progress for item in news]
    assert values == sorted(set(values))
    assert 0 < values[0] < values[-1] < 1
    assert [(item.step, item.steps) for item in news if item.step] == [(1, 4), (2, 4), (4, 4)]


def test_cached_nodes_are_no_part_of_the_whole() -> None:
    cached = told(event("execution_cached", nodes=["4", "6"]), event("progress", node="3", value=4, max=4))[-1]
    full = told(event("progress", node="3", value=4, max=4))[-1]
    assert cached.progress > full.progress


def test_a_node_that_the_graph_does_not_show_harms_nothing() -> None:
    assert told(event("executing", node="4.0.0.2"), event("progress", node="77", value=1, max=0)) == []


def test_a_success_without_files_is_left_to_the_history() -> None:
    course = Course(GRAPH)
    assert course.heard(wire.Succeeded(ID), is_canceled=False) == []
    assert course.is_ending


def test_images_of_other_nodes_are_not_the_result() -> None:
    news = told(event("executed", node="77", output={"images": [IMAGE]}), event("execution_success"))
    assert news == []


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "{}",
        '{"type": "executing", "data": {"node": "4"}}',
        '{"type": "executing", "data": null}',
        '{"type": "progress", "data": {"value": "x", "prompt_id": "a", "node": "1", "max": 2}}',
        '{"type": "status", "data": {"status": {}, "sid": "x"}}',
        '{"type": "notification", "data": {"value": "hello"}}',
    ],
)
def test_a_frame_that_nobody_understands_is_dropped(frame: str) -> None:
    assert wire.parse_text(frame) is None


def test_previews_come_in_two_kinds_of_frame() -> None:
    about = orjson.dumps({"prompt_id": ID, "node_id": "3", "image_type": "image/jpeg"})
    assert wire.parse_binary(struct.pack(">II", 1, 1) + b"jpeg") == wire.Preview(None, b"jpeg")
    assert wire.parse_binary(struct.pack(">II", 4, len(about)) + about + b"jpeg") == wire.Preview(ID, b"jpeg")


@pytest.mark.parametrize(
    "frame", [b"", b"abc", struct.pack(">II", 1, 2) + b"png", struct.pack(">II", 4, 9), struct.pack(">II", 3, 0)]
)
def test_other_binary_frames_are_no_previews(frame: bytes) -> None:
    assert wire.parse_binary(frame) is None


def test_a_saved_images_frame_is_no_preview() -> None:
    about = orjson.dumps({"prompt_id": ID, "node_id": "9", "image_type": "image/png"})
    assert wire.parse_binary(struct.pack(">II", 4, len(about)) + about + b"png") is None


def test_a_preview_is_cut_down() -> None:
    small = previews.shrink(jpeg())
    assert small
    assert len(small) <= previews.MAX_BYTES
    assert max(Image.open(io.BytesIO(small)).size) <= previews.MAX_PX


@pytest.mark.parametrize("image", [b"", b"no image", jpeg()[:300]])
def test_a_broken_preview_is_none(image: bytes) -> None:
    assert previews.shrink(image) is None


def test_the_queue_is_searched_for_the_prompt() -> None:
    running, waiting = [0, ID, GRAPH, {}, []], [1, "other", {}, {}, []]
    sighting = wire.parse_queue({"queue_running": [running], "queue_pending": [waiting]}, ID)
    assert (sighting.running, sighting.pending, sighting.is_idle, sighting.graph) == (True, False, False, GRAPH)
    sighting = wire.parse_queue({"queue_running": [], "queue_pending": [running]}, ID)
    assert (sighting.running, sighting.pending, sighting.is_idle) == (False, True, True)
    assert not wire.parse_queue({"queue_running": [], "queue_pending": []}, ID).is_known


@pytest.mark.parametrize("body", [None, [], {}, {"queue_running": 1, "queue_pending": []}])
def test_what_is_no_queue_is_refused(body: object) -> None:
    with pytest.raises(ValueError):
        wire.parse_queue(body, ID)


def test_the_history_tells_success_failure_and_interruption_apart() -> None:
    ended = wire.parse_history(entry("success", [["execution_success", {}]], {"9": {"images": [IMAGE]}}), ID)
    assert ended
    assert Course(GRAPH).ended(ended, is_canceled=False).images[0].filename == "i_00001_.png"
    interrupted = wire.parse_history(entry("error", [["execution_interrupted", {"node_id": "3"}]]), ID)
    assert interrupted
    with pytest.raises(InterruptedRunError) as raised:
        Course(GRAPH).ended(interrupted, is_canceled=True)
    assert raised.value.by_us
    failed = wire.parse_history(entry("error", [["execution_error", {"node_id": "3", "node_type": "KSampler"}]]), ID)
    assert failed
    assert failed.error
    assert failed.error.code == "node_error"


@pytest.mark.parametrize("outputs", [{}, {"9": None}, {"9": {}}, {"9": {"images": []}}, {"7": {"images": [IMAGE]}}])
def test_an_end_without_an_image_is_no_success(outputs: dict[str, Any]) -> None:
    ended = wire.parse_history(entry("success", [["execution_success", {}]], outputs), ID)
    assert ended
    with pytest.raises(EngineError) as raised:
        Course(GRAPH).ended(ended, is_canceled=False)
    assert (raised.value.code, raised.value.retryable) == ("no_output", True)


def test_an_empty_history_proves_nothing() -> None:
    assert wire.parse_history({}, ID) is None


@pytest.mark.parametrize("body", [None, [], {ID: {}}, {ID: {"status": {"messages": []}}}])
def test_what_is_no_history_is_refused(body: object) -> None:
    with pytest.raises(ValueError):
        wire.parse_history(body, ID)


def refusal(kind: str, node: str = "4", node_class: str = "CheckpointLoaderSimple", **extra: Any) -> EngineError:
    error = {"type": kind, "message": "", "details": "x: '/models/secret' not in []", "extra_info": extra}
    about = {"errors": [error], "dependent_outputs": ["9"], "class_type": node_class}
    return of_refusal({"error": {"type": "prompt_outputs_failed_validation"}, "node_errors": {node: about}})


def test_a_missing_file_is_a_missing_model() -> None:
    error = refusal("value_not_in_list", input_name="ckpt_name")
    assert (error.code, error.node, error.retryable) == ("model_missing", "4", False)
    assert refusal("value_not_in_list", "2", "DualCLIPLoader", input_name="clip_name2").code == "model_missing"


def test_a_missing_file_explains_the_other_errors() -> None:
    bad = {"type": "required_input_missing", "details": "clip", "extra_info": {"input_name": "clip"}}
    missing = {"type": "value_not_in_list", "details": "", "extra_info": {"input_name": "vae_name"}}
    nodes = {"6": {"errors": [bad], "class_type": "X"}, "1": {"errors": [bad, missing], "class_type": "VAELoader"}}
    error = of_refusal({"error": {"type": "prompt_outputs_failed_validation"}, "node_errors": nodes})
    assert (error.code, error.node) == ("model_missing", "1")


@pytest.mark.parametrize(
    "kind",
    [
        "required_input_missing", "bad_linked_input", "return_type_mismatch", "invalid_input_type", "dependency_cycle",
        "value_smaller_than_min", "value_bigger_than_max", "value_not_in_list", "custom_validation_failed",
        "exception_during_validation", "exception_during_inner_validation",
    ],
)  # fmt: skip
def test_every_refused_input_is_an_invalid_workflow(kind: str) -> None:
    error = refusal(kind, "3", "KSampler", input_name="sampler_name")
    assert (error.code, error.node, error.retryable) == ("invalid_workflow", "3", False)
    assert error.message == "The engine refused sampler_name of the workflow's KSampler."


def test_a_lost_source_image_may_be_uploaded_again() -> None:
    error = refusal("custom_validation_failed", "10", "LoadImage", input_name="image")
    assert (error.code, error.retryable) == ("invalid_workflow", True)


def test_an_unknown_node_class_is_named() -> None:
    extra = {"node_id": "3", "class_type": "NoSuchNode", "node_title": "x"}
    error = of_refusal({"error": {"type": "missing_node_type", "extra_info": extra}, "node_errors": {}})
    assert (error.code, error.node) == ("invalid_workflow", "3")
    assert error.message == "The engine does not know the node class NoSuchNode."
    message, details = "Cannot execute because node NoSuchNode does not exist.", "Node ID '#3'"
    older = of_refusal({"error": {"type": "invalid_prompt", "message": message, "details": details}})
    assert (older.message, older.node) == (error.message, "3")


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, "no", {"error": {"type": "no_prompt"}, "node_errors": {}}, {"node_errors": [1]},
        {"error": {"type": "prompt_no_outputs", "message": "", "extra_info": {}}, "node_errors": {}},
        {"error": {"type": "missing_node_type", "extra_info": {"node_id": "3", "class_type": None}}, "node_errors": {}},
    ],
)  # fmt: skip
def test_every_other_refusal_is_an_invalid_workflow(body: object) -> None:
    assert of_refusal(body).code == "invalid_workflow"


def failure(kind: str, message: str, node_type: str = "KSampler") -> EngineError:
    return of_execution(
        {"node_id": "3", "node_type": node_type, "exception_type": kind, "exception_message": message, "traceback": []}
    )


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("torch.OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB."),
        ("torch.cuda.OutOfMemoryError", "HIP out of memory"),
        ("torch.AcceleratorError", "CUDA error: out of memory"),
        ("RuntimeError", "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        ("SomeError", "x\nThis error means you ran out of memory on your GPU.\n\nTIPS: …"),
    ],
)
def test_out_of_memory_has_many_faces(kind: str, message: str) -> None:
    error = failure(kind, message)
    assert (error.code, error.node, error.retryable) == ("out_of_memory", "3", True)


def test_a_lost_gpu_wants_a_new_process() -> None:
    error = failure("torch.AcceleratorError", "CUDA error: an illegal memory access was encountered")
    assert (error.code, error.restart_needed, error.retryable) == ("engine_unavailable", True, True)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("FileNotFoundError", "No such file: '/models/x.safetensors'"),
        ("Exception", "Model in folder 'vae' with filename 'x' not found."),
    ],
)
def test_a_file_that_vanished_is_a_missing_model(kind: str, message: str) -> None:
    assert failure(kind, message, "VAELoader").code == "model_missing"


def test_a_failing_node_is_named_without_its_words() -> None:
    error = failure("PIL.UnidentifiedImageError", "cannot identify image file '/comfyui/input/a.png'\n", "LoadImage")
    assert (error.code, error.node, error.retryable) == ("node_error", "3", False)
    assert error.message == "The workflow's LoadImage failed: UnidentifiedImageError."
    assert "/comfyui" in (error.detail or "")


@pytest.mark.parametrize("data", [{}, {"node_type": "<b>", "exception_type": "a b/c", "node_id": "../x"}])
def test_a_strange_failure_shows_nothing_strange(data: dict[str, Any]) -> None:
    error = of_execution(data)
    assert (error.message, error.node) == ("The workflow's a node failed: an error.", None)
