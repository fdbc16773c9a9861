import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gpu import workflows
from gpu.errors import CatalogueError
from gpu.nodes import ALLOWED
from gpu.workflows import Workflow

FOLDER = Path(workflows.__file__).parent / "workflows"
PACKAGED = sorted(FOLDER.glob("*.json"))
Change = Callable[[dict[str, Any]], None]


def graph(name: str = "sd15-txt2img") -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    return loaded


def saved(folder: Path, changed: object) -> Path:
    path = folder / "mine.json"
    path.write_bytes(orjson.dumps(changed))
    return path


def titled(class_type: str, title: str) -> Change:
    def change(graph: dict[str, Any]) -> None:
        next(node for node in graph.values() if node["class_type"] == class_type)["_meta"] = {"title": title}

    return change


def problem(folder: Path, *changes: Change, base: str = "sd15-txt2img") -> str:
    """What is said of the graph after `changes`."""
    changed = graph(base)
    for change in changes:
        change(changed)
    with pytest.raises(CatalogueError) as raised:
        workflows.load(saved(folder, changed))
    return str(raised.value)


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.stem)
def test_every_packaged_graph_is_sound(path: Path) -> None:
    workflow = workflows.load(path)
    assert workflow.warnings == ()
    assert workflow.files
    assert workflows.output_node(workflow.graph) == workflow.places["output"].node


def test_titles_say_what_a_request_may_set() -> None:
    accepted = workflows.load(FOLDER / "sdxl-lightning-txt2img.json").accepts
    assert accepted == {"prompt", "seed", "width", "height", "imageCount"}


def test_binding_fills_the_titled_inputs_of_a_copy() -> None:
    workflow = workflows.load(FOLDER / "sd15-img2img.json")
    before = copy.deepcopy(dict(workflow.graph))
    bound = workflow.bind(
        {"prompt": "a fox", "seed": 7, "strength": 1, "sourceImage": "picture/a (1).png", "output": "picture/a/i"}
    )
    assert bound["2"]["inputs"]["text"] == "a fox"
    assert bound["3"]["inputs"]["text"] == ""  # the author's own negative prompt is not the user's
    assert bound["4"]["inputs"]["image"] == "picture/a (1).png"
    assert bound["8"]["inputs"] == {**before["8"]["inputs"], "seed": 7, "denoise": 1}
    assert bound["10"]["inputs"]["filename_prefix"] == "picture/a/i"
    assert workflow.graph == before


def test_one_name_reaches_two_nodes_through_a_primitive() -> None:
    bound = workflows.load(FOLDER / "flux-dev-txt2img.json").bind({"width": 640, "output": "picture/a/i"})
    assert bound["6"]["inputs"] == {"value": 640}
    assert (bound["8"]["inputs"]["width"], bound["9"]["inputs"]["width"]) == (["6", 0], ["6", 0])


def test_several_inputs_of_a_node_take_one_value(tmp_path: Path) -> None:
    changed = graph()
    changed["2"] = {
        "class_type": "CLIPTextEncodeFlux",
        "_meta": {"title": "picture:prompt=clip_l+t5xxl as always"},
        "inputs": {"clip_l": "", "t5xxl": "", "clip": ["1", 1]},
    }
    workflow = workflows.load(saved(tmp_path, changed), allowed={*ALLOWED, "CLIPTextEncodeFlux"})
    inputs = workflow.bind({"prompt": "a fox", "output": "picture/a/i"})["2"]["inputs"]
    assert (inputs["clip_l"], inputs["t5xxl"]) == ("a fox", "a fox")


def test_a_comment_and_foreign_titles_are_the_authors_own(tmp_path: Path) -> None:
    changed = graph()
    titled("CheckpointLoaderSimple", "A picture: mine")(changed)
    titled("KSampler", "picture:seed (steps are fixed)")(changed)
    workflow = workflows.load(saved(tmp_path, changed))
    assert "steps" not in workflow.accepts
    assert workflow.warnings == ()


@pytest.mark.parametrize("value", [{"seed": 1.5}, {"seed": True}, {"seed": "7"}, {"prompt": 7}, {"promt": "a fox"}])
def test_a_value_of_the_wrong_kind_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        workflows.load(FOLDER / "sd15-txt2img.json").bind({"output": "picture/a/i", **value})


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "a.png [output]", "%year%", "", None])
def test_an_unsafe_or_missing_path_is_refused(path: str | None) -> None:
    workflow = workflows.load(FOLDER / "sd15-img2img.json")
    with pytest.raises(ValueError):
        workflow.bind({"sourceImage": path, "output": "picture/a/i"})
    with pytest.raises(ValueError):
        workflow.bind({"sourceImage": "picture/a.png", "output": path})


@pytest.mark.parametrize(
    ("class_type", "title", "said"),
    [
        ("KSampler", "picture:sede", "unknown name sede; did you mean seed?"),
        ("KSampler", "picture:", "lacks a name or an input"),
        ("KSampler", "picture:seed,", "lacks a name or an input"),
        ("KSampler", "picture:seed=", "lacks a name or an input"),
        ("KSampler", "picture:seed,seed", "seed stands there twice"),
        ("KSampler", "picture:seed=noise_seed", "KSampler has no input noise_seed; it has seed, steps"),
        ("VAEDecode", "picture:maskImage", "VAEDecode has none of its usual inputs; write maskImage=INPUT"),
        ("KSampler", "picture:prompt=sampler_name", "prompt stands on node 2, too"),
        ("KSampler", "picture:seed=latent_image", "latent_image is wired; put the title on node"),
        ("KSampler", "picture:seed=scheduler", "scheduler holds 'karras', which is no int"),
        ("SaveImage", "picture:seed=filename_prefix", "no node is titled picture:output"),
    ],
)
def test_a_wrong_title_is_said_with_its_node(tmp_path: Path, class_type: str, title: str, said: str) -> None:
    told = problem(tmp_path, titled(class_type, title))
    assert said in told
    assert told.startswith("mine.json: node ")


def test_two_usual_inputs_want_a_choice(tmp_path: Path) -> None:
    def change(graph: dict[str, Any]) -> None:
        next(n for n in graph.values() if n["class_type"] == "EmptyLatentImage")["inputs"]["value"] = 1

    assert "has width or value; write width=INPUT" in problem(tmp_path, change)


def test_what_looks_like_a_title_is_warned_of(tmp_path: Path) -> None:
    changed = graph()
    titled("CheckpointLoaderSimple", "Picture : seed")(changed)
    assert 'write "picture:seed"' in workflows.load(saved(tmp_path, changed)).warnings[0]


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"class_type": "PythonExec", "inputs": {}}, "the class PythonExec is not allowed"),
        ({"class_type": "VAEDecode", "inputs": {"vae": ["77", 0]}}, "wired to a node that is not there"),
        ({"class_type": "VAEDecode", "inputs": {"vae": []}}, "wired to a node that is not there"),
        ({"class_type": "VAELoader", "inputs": {"vae_name": ["2", 0]}}, "vae_name is wired"),
        ({"class_type": "LoadImage", "inputs": {"image": "x.png"}}, "must be titled picture:sourceImage"),
        ({"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}, "only the output may save files"),
        ({"inputs": {}}, "no class_type"),
        ("a note", "no class_type"),
    ],
)
def test_an_unsafe_node_is_refused(tmp_path: Path, node: object, said: str) -> None:
    assert said in problem(tmp_path, lambda graph: graph.update({"99": node}))


@pytest.mark.parametrize("shape", [{"nodes": [], "links": []}, [], {}, "graph"])
def test_what_is_no_graph_is_said(tmp_path: Path, shape: object) -> None:
    with pytest.raises(CatalogueError, match=r"Export \(API\)|no graph in API format"):
        workflows.load(saved(tmp_path, shape))


def test_all_problems_of_a_graph_are_said_at_once(tmp_path: Path) -> None:
    told = problem(tmp_path, titled("KSampler", "picture:sede"), titled("SaveImage", "mine"))
    assert "unknown name" in told
    assert "no node is titled picture:output" in told


def test_a_preview_may_be_the_output(tmp_path: Path) -> None:
    changed = graph()
    id = workflows.output_node(changed)
    assert id
    changed[id] = {**changed[id], "class_type": "PreviewImage", "inputs": {"images": ["6", 0]}}
    changed[id]["_meta"] = {"title": "picture:output"}
    workflow: Workflow = workflows.load(saved(tmp_path, changed))
    assert workflow.bind({"output": "picture/a/i"})[id]["inputs"] == {"images": ["6", 0]}
