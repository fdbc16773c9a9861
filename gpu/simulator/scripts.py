"""Failure scripts: what goes wrong, when and how often. Data (TOML), so that tests and `picture engine` share it.

[[rule]]
do = "node_error"               # one of ACTIONS
match = { prompt = "fox" }      # all of: nth, prompt (part of its text), class (of a node), path, method
at = "step"                     # one of POINTS; each action has its own usual one
at_step = 3                     # the sampler step after which "step" is meant; else the first
name = "third"                  # under which a pause is released, and an event is told
times = 1                       # how often, 0 for always
seconds = 2.0                   # how long, for slow_load, stall, hang (0: for ever)
message = "…"                   # what node_error and validation_error say

[files]                         # model files that are not there after all
missing = ["sd_xl_base_1.0.safetensors"]
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Action → the point at which it happens unless `at` says otherwise.
ACTIONS = {
    "validation_error": "post",
    "node_error": "step",
    "out_of_memory": "step",
    "no_output": "save",
    "cached_output": "start",
    "hang": "step",
    "slow_load": "load",
    "drop_socket": "step",
    "silent_socket": "step",
    "lose_history": "end",
    "crash": "step",
    "dead_worker": "take",
    "http_500": "request",
    "half_response": "request",
    "lose_answer": "answer",
    "stall": "request",
    "pause": "step",
}
ALIASES = {"oom": "out_of_memory", "cached": "cached_output", "http_stall": "stall"}
# In the order in which a run passes them; the last two are of HTTP requests.
POINTS = ("post", "take", "start", "load", "node", "step", "decode", "save", "saved", "success", "end", "ended")
HTTP_POINTS = ("request", "answer")
_MATCHES = {"nth", "prompt", "class", "path", "method"}


class ScriptError(ValueError):
    """A failure script that does not mean anything."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the engine is: a rule fits it or does not."""

    point: str
    nth: int = 0
    text: str = ""
    node_class: str = ""
    step: int = 0
    path: str = ""
    method: str = ""


@dataclass(slots=True)
class Rule:
    """One thing that goes wrong."""

    do: str
    at: str
    match: Mapping[str, Any] = field(default_factory=dict)
    at_step: int | None = None
    times: int = 1
    seconds: float = 0.0
    message: str | None = None
    type: str | None = None
    name: str = ""
    is_spent: bool = False
    used: int = 0
    met: int = 0

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Rule":
        """A rule from its TOML table. Raises ScriptError naming what is wrong."""
        values = dict(data)
        do = ALIASES.get(str(values.get("do")), str(values.pop("do", "")))
        values.pop("do", None)
        if do not in ACTIONS:
            raise ScriptError(f"do = {do!r}: one of {', '.join(ACTIONS)}")
        match = values.pop("match", {})
        if unknown := set(match) - _MATCHES:
            raise ScriptError(f"match: {min(unknown)!r} is none of {', '.join(sorted(_MATCHES))}")
        at = values.pop("at", "request" if do == "pause" and "path" in match else ACTIONS[do])
        if at not in (*POINTS, *HTTP_POINTS):
            raise ScriptError(f"at = {at!r}: one of {', '.join((*POINTS, *HTTP_POINTS))}")
        if "class" in match and not {"at", "at_step"} & set(data) and at == "step":
            at = "node"
        if unknown := set(values) - {"at_step", "times", "seconds", "message", "type", "name"}:
            raise ScriptError(f"{min(unknown)!r} is no key of a rule")
        return cls(do=do, at=at, match=match, **values)

    def fits(self, moment: Moment) -> bool:
        """Whether this is the moment."""
        if self.is_spent or moment.point != self.at:
            return False
        if self.at == "step" and moment.step != (self.at_step or 1):
            return False
        wanted = self.match
        is_meant = (
            str(wanted.get("prompt", "")) in moment.text
            and wanted.get("class", moment.node_class) == moment.node_class
            and moment.path.startswith(str(wanted.get("path", "")))
            and wanted.get("method", moment.method) == moment.method
        )
        self.met += is_meant
        nth = self.met if self.at in HTTP_POINTS else moment.nth  # of the requests meant; of the prompts posted
        return is_meant and bool(wanted.get("nth", nth) == nth)

    def use(self) -> None:
        """Count one use; the last one spends it."""
        self.used += 1
        self.is_spent = self.times > 0 and self.used >= self.times


@dataclass(slots=True)
class Script:
    """All rules of an engine."""

    rules: list[Rule] = field(default_factory=list)
    missing: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Script":
        """A script from its TOML document. Raises ScriptError."""
        if unknown := set(data) - {"rule", "files"}:
            raise ScriptError(f"{min(unknown)!r}: only [[rule]] and [files] are known")
        rules = [Rule.parse(rule) for rule in data.get("rule", [])]
        return cls(rules, frozenset(data.get("files", {}).get("missing", ())))

    @classmethod
    def load(cls, path: Path | None) -> "Script":
        """A script from its file; the name of a packaged one will do. Raises ScriptError."""
        if path is None:
            return cls()
        packaged = Path(__file__).parent / "scripts" / f"{path.name.removesuffix('.toml')}.toml"
        try:
            return cls.parse(tomllib.loads((path if path.is_file() else packaged).read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise ScriptError(f"{path}: {error}") from error

    def remember(self, path: Path) -> None:
        """Write down which rules have been used: the next process of the same parent is not to crash again."""
        path.write_text(json.dumps({"parent": os.getppid(), "used": [rule.used for rule in self.rules]}))

    def recall(self, path: Path) -> None:
        """Read what a process before this one wrote down."""
        with suppress(OSError, ValueError, KeyError):
            past = json.loads(path.read_text())
            if past["parent"] != os.getppid():
                return
            for rule, used in zip(self.rules, past["used"], strict=True):
                rule.used = used
                rule.is_spent = rule.times > 0 and used >= rule.times

    def add(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """More rules, behind the others."""
        self.rules += [Rule.parse(rule) for rule in rules]

    def take(self, moment: Moment) -> list[Rule]:
        """The rules whose moment this is, each counted as used."""
        due = [rule for rule in self.rules if rule.fits(moment)]
        for rule in due:
            rule.use()
        return due
