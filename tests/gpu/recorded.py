"""Recordings of a real ComfyUI 0.33.0, trimmed: one JSON object a line, in the order in which things were seen."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent / "recordings"

Line = dict[str, Any]


def load(letter: str) -> list[Line]:
    """A recording's lines, graphs put back in their places."""
    path = next(_HERE.glob(f"{letter}_*.jsonl"))
    first: Line
    lines: list[Line]
    first, *lines = [json.loads(text) for text in path.read_text().splitlines()]

    def fill(value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"G\d+", value):
            return json.loads(json.dumps(first[value]))
        if isinstance(value, list):
            return [fill(part) for part in value]
        return {key: fill(part) for key, part in value.items()} if isinstance(value, dict) else value

    return [line if line["kind"] in ("about", "note") else fill(line) for line in lines]


def first_graph(letter: str) -> Any:
    """The first that a recording posts."""
    return next(line for line in load(letter) if line["kind"] == "http")["request"]["json"]["prompt"]


def is_ours(line: Line) -> bool:
    """Whether it is something that the client did, or was done to the server."""
    kind = line["kind"]
    return kind in ("http", "client-connect", "note") or (kind == "closed" and line["code"] != 1009)


@dataclass
class Course:
    """One run as a recording shows it: where it was posted, began and ended; its events by line."""

    prompt_id: str
    nth: int
    posted: int
    ended: int = 1_000_000
    events: list[tuple[int, Line]] = field(default_factory=list)

    def point(self, at: int, *, is_connecting: bool) -> dict[str, Any]:
        """Where it stood when line `at` was written, as a script says it."""
        before = [event for line, event in self.events if line < at]
        last: Line = before[-1] if before else {"type": "execution_start"}
        if last["type"] == "execution_start":
            return {"at": "start"}
        for event in (event for line, event in self.events if line > at and is_connecting):
            # Steps that no socket heard: the next one that is heard tells how many.
            if event["type"] == "progress_state" and (step := re.search(r":(\d+)/\d+r$", event["data"]["nodes"])):
                return {"at_step": int(step[1]) - 1}
        if last["type"] == "progress":
            return {"at_step": last["data"]["value"]}
        if last["type"] == "progress_state" and (step := re.search(r":(\d+)/\d+r$", last["data"]["nodes"])):
            return {"at_step": int(step[1])}
        running = [(line, event["data"]["node"]) for line, event in self.events if event["type"] == "executing"]
        if last["type"] == "executing":
            return {"node": last["data"]["node"]}
        following = [node for line, node in running if line > at and node is not None]
        return {"node": following[0]} if following else {"at": "success"}


def is_found_ended(line: Line, prompt_id: str) -> bool:
    """Whether the history is asked for this prompt, and knows it."""
    is_asked = line["kind"] == "http" and line["request"]["path"] == f"/history/{prompt_id}"
    return is_asked and bool(line["response"].get("json"))


def courses(lines: list[Line], nth: int) -> list[Course]:
    """The runs of a recording in the order in which they ran; `nth` prompts were accepted before."""
    posts: list[tuple[int, str, int]] = []
    for place, line in enumerate(lines):
        if line["kind"] == "http" and (line["request"]["method"], line["request"]["path"]) == ("POST", "/prompt"):
            if line["response"].get("status") == 200:
                nth += 1
                posts.append((place, line["response"]["json"]["prompt_id"], nth))
            elif line["response"].get("status") == 500 and "number" in line["request"].get("json", {}):
                nth += isinstance(line["request"]["json"]["number"], int)
            elif line["response"].get("status") == 500:
                nth += "extra_data" in line["request"].get("json", {})
    found: list[Course] = []
    for place, line in enumerate(lines):
        event = line.get("json", {}) if line["kind"] == "text" else {}
        prompt_id = event.get("data", {}).get("prompt_id")
        for course in found:
            if line.get("note") == "kill -9" or is_found_ended(line, course.prompt_id):
                course.ended = min(course.ended, place + 1)
        if prompt_id is None:
            continue
        if event["type"] == "execution_start" or not any(course.prompt_id == prompt_id for course in found):
            past = sum(course.prompt_id == prompt_id for course in found)
            of_it = [post for post in posts if post[1] == prompt_id]
            posted = of_it[min(past, len(of_it) - 1)]
            found.append(Course(prompt_id, posted[2], posted[0]))
        course = next(course for course in reversed(found) if course.prompt_id == prompt_id)
        course.events.append((place, event))
        if event["type"] == "executing" and event["data"]["node"] is None:
            course.ended = place
    return found
