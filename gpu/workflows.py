"""A graph whose titles say which inputs Picture fills, checked when it is loaded: nothing is left for requests."""

import copy
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gpu.engine import Graph
from gpu.errors import CatalogueError
from gpu.nodes import ALLOWED
from gpu.titles import NAMES, Place, Reader, is_of, titled_names

# `%year%` and the like would be expanded, ` [output]` at the end changes the folder, `..` leaves it
_SAFE_PATH = re.compile(r"(?!.*\.\.)[\w(][\w .()-]*(/[\w(][\w .()-]*)*")
_PATHS = {"sourceImage", "maskImage", "output"}


@dataclass(frozen=True, slots=True)
class Workflow:
    """A checked graph. What it takes is named as in its titles: `negativePrompt`, `imageCount`."""

    path: Path
    graph: Graph
    places: Mapping[str, Place]
    files: frozenset[tuple[str, str]]
    """The model files that it names, as (folder key, file name)."""
    warnings: tuple[str, ...] = ()

    @property
    def accepts(self) -> frozenset[str]:
        """The names that a request may set."""
        return frozenset(self.places) - {"output"}

    def saved(self, name: str) -> Any:
        """The value that the author left in the input of `name`; None where the graph has no such input."""
        place = self.places.get(name)
        return self.graph[place.node]["inputs"][place.inputs[0]] if place else None

    def bind(self, values: Mapping[str, object]) -> Graph:
        """A graph of its own with `values` filled in.

        A name that this graph has no input for is passed over; None leaves what the author saved (no negative prompt is
        an empty one). Raises ValueError for a name that no graph has, a wrong type, an unsafe path, and when the output
        or an image is missing.
        """
        if unknown := set(values) - set(NAMES):
            raise ValueError(f"no such names: {', '.join(sorted(unknown))}")
        graph = copy.deepcopy(dict(self.graph))
        for name, place in self.places.items():
            value = values.get(name)
            if value is None and name == "negativePrompt":
                value = ""
            if value is None and name not in _PATHS:
                continue
            filled = _checked(name, value) if place.inputs else None
            graph[place.node]["inputs"].update(dict.fromkeys(place.inputs, filled))
        return graph


def load(path: Path, allowed: Collection[str] = ALLOWED) -> Workflow:
    """The checked workflow in a file. Raises CatalogueError with all that is wrong with it."""
    try:
        graph = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CatalogueError([f"{path.name}: {error}"]) from error
    reader = Reader(path.name, graph, allowed)
    places = reader.places()
    files = frozenset(reader.files())
    reader.finish()
    return Workflow(path, graph, places, files, tuple(reader.warnings))


def output_node(graph: Graph) -> str | None:
    """The node whose images are the result, by its title."""
    return next((id for id, node in graph.items() if "output" in titled_names(node)), None)


def _checked(name: str, value: object) -> object:
    if not is_of(value, NAMES[name].type):
        raise ValueError(f"{name}: {value!r}")
    if name in _PATHS and not _SAFE_PATH.fullmatch(str(value)):
        raise ValueError(f"{name}: not a path of ours")
    return value
