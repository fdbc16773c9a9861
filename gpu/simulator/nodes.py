"""The node classes that this engine knows: their inputs, outputs and choices, as ComfyUI describes them."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Choices = Callable[[str], Sequence[str]]


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_name("nodes.json").read_bytes())
    return document


def folders() -> list[str]:
    """The keys that GET /models lists."""
    return list(_document()["folders"])


def find(name: object) -> Mapping[str, Any] | None:
    """One class as the data file describes it; None when it is not installed."""
    entry: Mapping[str, Any] | None = _document()["classes"].get(name)
    return entry


def names() -> list[str]:
    """All classes, in the file's order."""
    return list(_document()["classes"])


def is_output(name: object) -> bool:
    """Whether a node of this class is run for its own sake."""
    entry = find(name)
    return bool(entry and entry.get("output_node"))


class Catalogue:
    """The classes together with the choices of the moment: `files` answers "checkpoints", "images" …"""

    def __init__(self, files: Choices) -> None:
        self._files = files

    def _choices(self, value: object) -> object:
        if not (isinstance(value, str) and value.startswith("@")):
            return value
        name = value[1:]
        return list(_document()[name]) if name in ("samplers", "schedulers") else list(self._files(name))

    def config(self, spec: Sequence[Any]) -> list[Any]:
        """An input's type and options, file lists filled in: `[[…], {…}]`, `["COMBO", {"options": […]}]`."""
        kind, *rest = spec
        if kind == "COMBO":
            return [kind, {**rest[0], "options": self._choices(rest[0]["options"])}]
        return [self._choices(kind), *(rest or [{}])]

    def inputs(self, entry: Mapping[str, Any]) -> dict[str, tuple[str, list[Any]]]:
        """Name → ("required" or "optional", its config)."""
        return {
            name: (category, self.config(spec))
            for category in ("required", "optional")
            for name, spec in entry.get(category, {}).items()
        }

    def object_info(self, name: str) -> dict[str, Any] | None:
        """What GET /object_info/{class} says of it."""
        entry = find(name)
        if entry is None:
            return None
        groups = {
            key: {name: self.config(spec) for name, spec in entry[key].items()}
            for key in ("required", "optional")
            if key in entry
        }
        groups |= {"hidden": entry["hidden"]} if "hidden" in entry else {}
        return {
            "input": groups,
            "input_order": {key: list(group) for key, group in groups.items()},
            "is_input_list": False,
            "output": entry["output"],
            "output_is_list": [False] * len(entry["output"]),
            "output_name": entry.get("output_name", entry["output"]),
            "name": name,
            "display_name": entry["display_name"],
            "description": "",
            "python_module": entry["module"],
            "category": entry["category"],
            "output_node": bool(entry.get("output_node")),
            "has_intermediate_output": False,
        }
