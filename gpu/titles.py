"""The titles that say which inputs Picture fills: `picture:seed,guidance=cfg (a comment)`."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gpu.errors import CatalogueError
from gpu.nodes import folder_of

PREFIX = "picture:"
_LOOKS_LIKE_ONE = re.compile(r"\s*picture\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """What a title may bind."""

    type: type
    usual_inputs: tuple[str, ...]


NAMES = {
    "prompt": Name(str, ("text", "value")),
    "negativePrompt": Name(str, ("text", "value")),
    "seed": Name(int, ("seed", "noise_seed", "value")),
    "width": Name(int, ("width", "value")),
    "height": Name(int, ("height", "value")),
    "steps": Name(int, ("steps", "value")),
    "guidance": Name(float, ("cfg", "guidance", "value")),
    "imageCount": Name(int, ("batch_size", "amount", "value")),
    "strength": Name(float, ("denoise", "value")),
    "sourceImage": Name(str, ("image",)),
    "maskImage": Name(str, ("image",)),
    "output": Name(str, ("filename_prefix",)),
}
UNPREFIXED_OUTPUTS = {"PreviewImage"}


@dataclass(frozen=True, slots=True)
class Place:
    """The inputs of one node that a name fills."""

    node: str
    inputs: tuple[str, ...]


class Reader:
    """Collects the problems of one graph, each with its node."""

    def __init__(self, name: str, graph: Any, allowed: Collection[str]) -> None:
        self.warnings: list[str] = []
        self._name = name
        self._problems: list[str] = []
        self._allowed = allowed
        self._graph: dict[str, Any] = self._checked_shape(graph)

    def places(self) -> dict[str, Place]:
        """What the titles bind."""
        places: dict[str, Place] = {}
        for id, node in self._graph.items():
            for binding in self._bindings_of(id, _title(node)):
                self._place(id, node, binding, places)
        if "output" not in places:
            self._problems.append(f"{self._name}: no node is titled {PREFIX}output")
        return places

    def files(self) -> Iterator[tuple[str, str]]:
        """The model files that the graph names; a wired name could be any file, so it is refused."""
        for id, node in self._graph.items():
            for input, value in node["inputs"].items():
                folder = folder_of(input)
                if folder and _is_wired(value):
                    self._problem(id, f"{input} is wired; write the file's name into it")
                elif folder:
                    yield folder, str(value)

    def finish(self) -> None:
        """Raise what was found."""
        if self._problems:
            raise CatalogueError(self._problems)

    def _checked_shape(self, graph: Any) -> dict[str, Any]:
        if isinstance(graph, dict) and isinstance(graph.get("nodes"), list):
            raise CatalogueError([f'{self._name}: this is the editor\'s own format; save it with "Export (API)"'])
        if not isinstance(graph, dict) or not graph:
            raise CatalogueError([f"{self._name}: no graph in API format"])
        for id, node in graph.items():
            shaped = isinstance(node, dict) and isinstance(node.get("class_type"), str)
            if not shaped or not isinstance(node.get("inputs"), dict):
                raise CatalogueError([f"{self._name}: node {id} has no class_type or no inputs"])
        for id, node in graph.items():
            self._check_node(id, node, graph)
        return graph

    def _check_node(self, id: str, node: Mapping[str, Any], graph: Mapping[str, Any]) -> None:
        if node["class_type"] not in self._allowed:
            self._problem(id, f"the class {node['class_type']} is not allowed")
        for input, value in node["inputs"].items():
            if _is_wired(value) and not (value and isinstance(value[0], str) and value[0] in graph):
                self._problem(id, f"{input} is wired to a node that is not there")
        titled = titled_names(node)
        if node["class_type"] == "LoadImage" and not titled & {"sourceImage", "maskImage"}:
            self._problem(id, f"LoadImage must be titled {PREFIX}sourceImage")
        if "filename_prefix" in node["inputs"] and "output" not in titled:
            self._problem(id, "only the output may save files; show others by PreviewImage")

    def _bindings_of(self, id: str, title: str) -> Iterator[str]:
        if not title.startswith(PREFIX):
            if looks := _LOOKS_LIKE_ONE.match(title):
                self.warnings.append(f'{self._name}: node {id}: "{title}": write "{PREFIX}{title[looks.end() :]}"')
            return
        seen: set[str] = set()
        for binding in _bindings(title).split(","):
            name = binding.partition("=")[0]
            if not name or binding.endswith(("=", "+")):
                self._problem(id, f'"{title}" lacks a name or an input')
            elif name in seen:
                self._problem(id, f"{name} stands there twice; join its inputs by +")
            else:
                seen.add(name)
                yield binding

    def _place(self, id: str, node: Mapping[str, Any], binding: str, places: dict[str, Place]) -> None:
        title, _, explicit = binding.partition("=")
        name = NAMES.get(title)
        if name is None:
            near = difflib.get_close_matches(title, NAMES, 1, 0)
            self._problem(id, f"unknown name {title}; did you mean {near[0]}?")
        elif title in places:
            self._problem(id, f"{title} stands on node {places[title].node}, too; wire a primitive node to both")
        else:
            inputs = self._named(id, node, explicit) if explicit else self._usual(id, node, title, name)
            if inputs is not None and self._fits(id, node, name, inputs):
                places[title] = Place(id, inputs)

    def _named(self, id: str, node: Mapping[str, Any], explicit: str) -> tuple[str, ...] | None:
        inputs = tuple(explicit.split("+"))
        if missing := [input for input in inputs if input not in node["inputs"]]:
            has = ", ".join(node["inputs"]) or "none"
            self._problem(id, f"{node['class_type']} has no input {', '.join(missing)}; it has {has}")
            return None
        return inputs

    def _usual(self, id: str, node: Mapping[str, Any], title: str, name: Name) -> tuple[str, ...] | None:
        if title == "output" and node["class_type"] in UNPREFIXED_OUTPUTS:
            return ()
        there = [input for input in name.usual_inputs if input in node["inputs"]]
        plain = [input for input in there if not _is_wired(node["inputs"][input])]
        candidates = plain or there
        if len(candidates) != 1:
            which = " or ".join(candidates) or "none of its usual inputs"
            self._problem(id, f"{title}: {node['class_type']} has {which}; write {title}=INPUT")
            return None
        return tuple(candidates)

    def _fits(self, id: str, node: Mapping[str, Any], name: Name, inputs: tuple[str, ...]) -> bool:
        for input in inputs:
            value = node["inputs"][input]
            if _is_wired(value):
                self._problem(id, f"{input} is wired; put the title on node {value[0]}, at the other end")
                return False
            if not is_of(value, name.type):
                self._problem(id, f"{input} holds {value!r}, which is no {name.type.__name__}")
                return False
        return True

    def _problem(self, id: str, sentence: str) -> None:
        self._problems.append(f"{self._name}: node {id}: {sentence}")


def titled_names(node: Mapping[str, Any]) -> frozenset[str]:
    """The names in a node's title; none when it is the author's own."""
    title = _title(node)
    if not title.startswith(PREFIX):
        return frozenset()
    return frozenset(binding.partition("=")[0] for binding in _bindings(title).split(","))


def _title(node: Mapping[str, Any]) -> str:
    return str((node.get("_meta") or {}).get("title", ""))


def _bindings(title: str) -> str:
    """Without the prefix and the comment behind the first blank."""
    rest = title.removeprefix(PREFIX)
    return "" if not rest or rest[0].isspace() else rest.split(maxsplit=1)[0]


def _is_wired(value: object) -> bool:
    return isinstance(value, list)


def is_of(value: object, type: type) -> bool:
    """Whether JSON's `value` may stand where `type` is wanted: a whole number for a float, never true for 1."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) if type is float else isinstance(value, type)
