"""The self-hosted models: one TOML file says what each can do, with which graphs and files, within which limits.

All that is wrong with it is found when it is loaded. Ours is catalogue.toml; an operator's own may stand in its place.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from gpu.entries import Declared, DeclaredModel
from gpu.errors import CatalogueError
from gpu.nodes import ALLOWED
from gpu.workflows import Workflow
from gpu.workflows import load as load_workflow

PACKAGED = Path(__file__).parent / "catalogue.toml"

_CAPABILITY_OF_INPUT = {"negativePrompt": "negative_prompt", "seed": "seed"}
_NEEDED = {
    "text_to_image": {"prompt", "seed"},
    "image_to_image": {"prompt", "seed", "sourceImage", "strength"},
    "inpaint": {"prompt", "seed", "sourceImage", "strength"},
    "upscale": {"sourceImage"},
}
_FREE_CAPABILITIES = {"lora", "vector"}  # nothing in a title shows them


@dataclass(frozen=True)
class Entry:
    """One model of the catalogue."""

    declared: DeclaredModel
    ratios: tuple[str, ...]
    workflows: Mapping[str, Workflow]
    """By mode: `text_to_image`, `image_to_image`, `inpaint`, `upscale`."""

    @property
    def slug(self) -> str:
        """Its stable name."""
        return self.declared.slug

    @property
    def modes(self) -> dict[str, list[str]]:
        """For each mode the names that a request may set, sorted."""
        return {mode: sorted(workflow.accepts) for mode, workflow in self.workflows.items()}

    @property
    def capabilities(self) -> list[str]:
        """ModelCapability values: the modes, what the titles take, and what the file says besides."""
        accepted = frozenset[str]().union(*(workflow.accepts for workflow in self.workflows.values()))
        taken = {capability for input, capability in _CAPABILITY_OF_INPUT.items() if input in accepted}
        return sorted({*self.workflows, *taken, *(set(self.declared.capabilities) & _FREE_CAPABILITIES)})

    def files(self, mode: str) -> frozenset[tuple[str, str]]:
        """What `mode` needs, as (folder key, file name): what its graph names, and what is declared for none."""
        named = frozenset[tuple[str, str]]().union(*(workflow.files for workflow in self.workflows.values()))
        return self.workflows[mode].files | (self._declared(mode) - named)

    def available(self, files: Mapping[str, Set[str]], mode: str) -> bool:
        """Whether an engine with these files, by folder key, can run `mode`."""
        return mode in self.workflows and all(name in files.get(folder, ()) for folder, name in self.files(mode))

    def _declared(self, mode: str) -> frozenset[tuple[str, str]]:
        return frozenset((file.folder, file.name) for file in self.declared.files if file.only in (None, mode))

    def row(self) -> dict[str, Any]:
        """The columns of its ModelRow, save the id."""
        declared, limits = self.declared, self.declared.limits
        steps, guidance = self._setting("steps"), self._setting("guidance")
        return {
            "slug": declared.slug,
            "name": declared.name,
            "description": declared.description,
            "provider": "comfyui",
            "version": declared.version,
            "capabilities": self.capabilities,
            "aspect_ratios": list(self.ratios),
            "default_width": self.default("width"),
            "default_height": self.default("height"),
            "min_width": limits.width[0],
            "max_width": limits.width[1],
            "min_height": limits.height[0],
            "max_height": limits.height[1],
            "max_pixels": limits.pixels,
            "max_source_pixels": limits.source_pixels,
            "max_image_count": limits.image_count,
            "size_multiple": declared.size_multiple,
            "default_steps": steps[0],
            "min_steps": steps[1],
            "max_steps": steps[2],
            "default_guidance": guidance[0],
            "min_guidance": guidance[1],
            "max_guidance": guidance[2],
            "default_strength": self.default("strength"),
            "licence": declared.licence,
            "cost_per_image": declared.cost,
            "expected_seconds": declared.seconds,
            "native_pixels": declared.native_pixels,
            "engine": "comfyui",
            "modes": self.modes,
            "is_active": declared.is_active,
            "sort_order": declared.sort_order,
            "digest": self.digest,
        }

    @property
    def digest(self) -> str:
        """Of all that makes the pictures: the same request of another digest may come out as another."""
        made_of = {mode: [workflow.graph, sorted(self.files(mode))] for mode, workflow in self.workflows.items()}
        said = orjson.dumps([self.declared.version, made_of], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(said).hexdigest()

    def default(self, key: str) -> Any:
        """What a request that leaves `key` open gets: the file's value, else the one saved in the first graph."""
        declared = getattr(self.declared.defaults, key)
        if declared is not None:
            return declared
        return next((w.saved(key) for w in self.workflows.values() if key in w.accepts), None)

    def _setting(self, key: str) -> tuple[Any, Any, Any]:
        """Default, least, most: all one when the value is fixed, all None when the model has no such setting."""
        fixed = getattr(self.declared.fixed, key)
        if fixed is not None:
            return fixed, fixed, fixed
        value = self.default(key)
        least, most = getattr(self.declared.limits, key) or (value, value)
        return (None, None, None) if value is None else (value, least, most)

    def problems(self) -> Iterator[str]:
        """What does not fit together."""
        for mode, workflow in self.workflows.items():
            if lacks := _NEEDED[mode] - workflow.accepts:
                yield f"{mode}: {workflow.path.name} has no node titled {', '.join(sorted(lacks))}"
            for folder, name in sorted(workflow.files - self._declared(mode)):
                yield f"{mode}: {workflow.path.name} names {folder}/{name}, which is not among the files"
        accepted = frozenset[str]().union(*(workflow.accepts for workflow in self.workflows.values()))
        for key in self.declared.defaults.model_fields_set - accepted:
            yield f"a default for {key}, and no graph has an input for it"
        for key in self.declared.fixed.model_fields_set & accepted:
            yield f"{key} is said to be fixed, and a graph has an input for it"
        for key in sorted({"steps", "guidance"} & accepted):
            if getattr(self.declared.limits, key) is None:
                yield f"{key} may be set, and has no limits"
        for capability in sorted(set(self.declared.capabilities) - set(self.capabilities)):
            yield f"the capability {capability.upper()}, and no graph for it"
        yield from self._outside()

    def _outside(self) -> Iterator[str]:
        row = self.row()
        for key in ("width", "height", "steps", "guidance"):
            value = row[f"default_{key}"]
            if value is not None and not row[f"min_{key}"] <= value <= row[f"max_{key}"]:
                yield f"the default for {key} is outside its limits"
        width, height = row["default_width"], row["default_height"]
        if width is None or height is None:
            yield "no default for width and height"
        elif width % row["size_multiple"] or height % row["size_multiple"] or width * height > row["max_pixels"]:
            yield "the default size is no multiple of size_multiple, or has too many pixels"


@dataclass(frozen=True)
class Catalogue:
    """All entries, by slug."""

    entries: Mapping[str, Entry]
    warnings: tuple[str, ...] = ()

    @property
    def folders(self) -> frozenset[str]:
        """The folder keys that any entry has files in: all that need be asked of an engine."""
        return frozenset(file.folder for entry in self.entries.values() for file in entry.declared.files)

    def available(self, files: Mapping[str, Set[str]]) -> dict[str, list[str]]:
        """By slug the modes that an engine with these files can run; a model with none is left out."""
        able = {slug: [m for m in entry.workflows if entry.available(files, m)] for slug, entry in self.entries.items()}
        return {slug: modes for slug, modes in able.items() if modes}


def load(path: Path = PACKAGED) -> Catalogue:
    """The checked catalogue in a TOML file. Raises CatalogueError with all that is wrong with it or its graphs."""
    try:
        with path.open("rb") as file:
            declared = Declared.model_validate(tomllib.load(file, parse_float=Decimal))
    except (OSError, ValueError) as error:
        raise CatalogueError([f"{path.name}: {line}" for line in _lines(error)]) from error
    problems: list[str] = []
    entries = {model.slug: _entry(model, declared, path.parent, problems) for model in declared.models}
    for slug, entry in entries.items():
        if len(entry.workflows) == len(entry.declared.workflows):  # else the broken graph says it all
            problems += [f"{path.name}: {slug}: {problem}" for problem in entry.problems()]
    if len(entries) < len(declared.models):
        problems.append(f"{path.name}: two models have one slug")
    if problems:
        raise CatalogueError(list(dict.fromkeys(problems)))  # a graph that two modes share is said once
    graphs = {workflow.path: workflow for entry in entries.values() for workflow in entry.workflows.values()}
    return Catalogue(entries, tuple(warning for graph in graphs.values() for warning in graph.warnings))


def _entry(model: DeclaredModel, declared: Declared, folder: Path, problems: list[str]) -> Entry:
    workflows: dict[str, Workflow] = {}
    for mode, name in model.workflows.items():
        try:
            workflows[mode] = load_workflow(folder / name, ALLOWED | set(declared.allow_nodes))
        except CatalogueError as error:
            problems += error.problems
    ratios = model.aspect_ratios
    if isinstance(ratios, str):
        if ratios not in declared.ratios:
            problems.append(f"{model.slug}: there is no list of ratios named {ratios}")
        ratios = declared.ratios.get(ratios, ())
    return Entry(model, tuple(ratios), workflows)


def _lines(error: Exception) -> list[str]:
    if isinstance(error, ValidationError):
        return [f"{'.'.join(map(str, line['loc']))}: {line['msg']}" for line in error.errors()]
    return [str(error)]
