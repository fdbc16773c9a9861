"""The engine's folders: what is uploaded, saved and looked at. They outlive the process; `temp` does not."""

import hashlib
import os
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

_CATALOGUE = Path(__file__).parents[1] / "catalogue.toml"


def catalogue_files(path: Path = _CATALOGUE) -> dict[str, list[str]]:
    """Folder key → the model files that the packaged catalogue names: all of them, as if downloaded."""
    found: dict[str, set[str]] = {}
    for model in tomllib.loads(path.read_text()).get("models", []):
        for file in model.get("files", []):
            found.setdefault(file["folder"], set()).add(file["name"])
    return {folder: sorted(names) for folder, names in found.items()}


class Folders:
    """`input`, `output` and `temp` below one folder, and the model files that are said to be there."""

    def __init__(self, root: Path, models: Mapping[str, Sequence[str]]) -> None:
        self.models = {key: sorted(names) for key, names in models.items()}
        self.kinds = {kind: root.resolve() / kind for kind in ("input", "output", "temp")}
        shutil.rmtree(self.kinds["temp"], ignore_errors=True)  # emptied at start, as by the real one
        for path in self.kinds.values():
            path.mkdir(parents=True, exist_ok=True)

    def names(self, key: str) -> Sequence[str]:
        """The names that an input may choose from: a model folder's key, or "images"."""
        if key == "images":
            return sorted(path.name for path in self.kinds["input"].iterdir() if path.is_file())
        return self.models.get(key, [])

    def input_file(self, name: str) -> Path | None:
        """The file that LoadImage means by `name`, `subfolder/name` or `name [output]`; None when it is not there."""
        kind = "input"
        if match := re.fullmatch(r"(.*) ?\[(input|output|temp)\]", name):
            name, kind = match[1].rstrip(), match[2]
        path = inside(self.kinds[kind], name)
        return path if path and path.is_file() else None

    def store(self, kind: str, subfolder: str, name: str, data: bytes, *, overwrite: bool) -> str | None:
        """Keep an upload. The name it got, None when the path leaves its folder; KeyError for an unknown kind."""
        folder = self.kinds[kind]
        path = inside(folder, f"{os.path.normpath(subfolder)}/{name}")
        if path is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        stem, ending = str(Path(name).with_suffix("")), Path(name).suffix
        count = 1
        while path.exists() and not overwrite:
            if hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest():
                return name
            name = f"{stem} ({count}){ending}"
            path = path.with_name(name)
            count += 1
        path.write_bytes(data)
        return name

    def place(self, kind: str, prefix: str, width: int, height: int) -> tuple[Path, str, str, int]:
        """Where images with this prefix go: folder, subfolder, name and the first free number."""
        prefix = expand(prefix, width, height)
        subfolder, name = os.path.split(os.path.normpath(prefix))
        folder = inside(self.kinds[kind], subfolder)
        if folder is None:
            raise OutsideError(os.path.normpath(self.kinds[kind] / subfolder), self.kinds[kind])
        folder.mkdir(parents=True, exist_ok=True)
        pattern = re.compile(re.escape(name) + r"_(\d+)_")
        numbers = [int(match[1]) for entry in os.scandir(folder) if (match := pattern.match(entry.name))]
        return folder, subfolder, name, max(numbers, default=0) + 1


class OutsideError(Exception):
    """A prefix that leaves the output folder."""

    def __init__(self, wanted: str, folder: Path) -> None:
        super().__init__(
            "**** ERROR: Saving image outside the output folder is not allowed."
            f"\n full_output_folder: {wanted}\n         output_dir: {folder}"
        )


def inside(folder: Path, name: str) -> Path | None:
    """`folder/name`, or None when that lies elsewhere."""
    path = Path(os.path.normpath(folder / name))
    return path if path.is_relative_to(folder) else None


def expand(prefix: str, width: int, height: int) -> str:
    """Fill in %year%, %width% and the like; %batch_num% is left for each image."""
    now = datetime.now().astimezone()
    values = {"year": f"{now.year}", "width": f"{width}", "height": f"{height}"}
    values |= {name: f"{getattr(now, name):02}" for name in ("month", "day", "hour", "minute", "second")}
    return re.sub(r"%(\w+)%", lambda match: values.get(match[1], match[0]), prefix)
