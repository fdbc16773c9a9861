"""In which order a graph's nodes run, and under which name their outputs are kept."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from gpu.simulator import nodes
from gpu.simulator.files import Folders

Graph = dict[str, Any]


def is_link(value: object) -> bool:
    """Whether an input is wired to another node: `["4", 0]`."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


def parents(graph: Graph, node_id: str) -> list[str]:
    """The nodes that this one is wired to, in the order of its inputs."""
    return [value[0] for value in graph[node_id]["inputs"].values() if is_link(value)]


class Plan:
    """The nodes still to be run; which comes next is chosen as ComfyUI does, not by the graph's order."""

    def __init__(self, graph: Graph, outputs: Iterable[str], is_cached: Callable[[str], bool]) -> None:
        self._graph = graph
        self._waits: dict[str, set[str]] = {}  # node → those it waits for, in the order in which they were found
        self._leads: dict[str, list[str]] = {}  # node → those that wait for it
        for output in outputs:
            self._add(output, is_cached)

    def _add(self, output: str, is_cached: Callable[[str], bool]) -> None:
        stack = [output]
        while stack:
            node_id = stack.pop()
            if node_id in self._waits:
                continue
            self._waits[node_id] = set()
            self._leads.setdefault(node_id, [])
            for parent in parents(self._graph, node_id):
                if not is_cached(parent):
                    stack.append(parent)
                    self._waits[node_id].add(parent)
                    self._leads.setdefault(parent, []).append(node_id)

    def __bool__(self) -> bool:
        return bool(self._waits)

    def waiting(self) -> list[str]:
        """The nodes that are still to be run."""
        return list(self._waits)

    def next(self) -> str:
        """The node to run now: an output if one is ready, else what leads to one soonest."""
        ready = [node_id for node_id, waits in self._waits.items() if not waits]
        for test in (self._is_output, self._feeds_output, self._feeds_feeder):
            for node_id in ready:
                if test(node_id):
                    return node_id
        return ready[0]

    def done(self, node_id: str) -> None:
        """This one has run."""
        del self._waits[node_id]
        for follower in self._leads.pop(node_id):
            if follower in self._waits:
                self._waits[follower].discard(node_id)

    def _is_output(self, node_id: str) -> bool:
        return nodes.is_output(self._graph[node_id]["class_type"])

    def _feeds_output(self, node_id: str) -> bool:
        return any(self._is_output(follower) for follower in self._leads[node_id])

    def _feeds_feeder(self, node_id: str) -> bool:
        return any(self._feeds_output(follower) for follower in self._leads[node_id] if follower in self._waits)


def signatures(graph: Graph, folders: Folders) -> dict[str, str]:
    """Each node's name in the cache: its class, its inputs, and those of its ancestors; ids do not matter."""
    known: dict[str, str] = {}

    def signature(node_id: str) -> str:
        if node_id not in known:
            node = graph[node_id]
            inputs = {
                name: ["link", signature(value[0]), value[1]] if is_link(value) else ["value", value]
                for name, value in node.get("inputs", {}).items()
            }
            text = json.dumps([node["class_type"], inputs, _changed(node, folders)], sort_keys=True)
            known[node_id] = hashlib.sha256(text.encode()).hexdigest()
        return known[node_id]

    for node_id in graph:
        signature(node_id)
    return known


def _changed(node: dict[str, Any], folders: Folders) -> str:
    """What beside the inputs decides: a loaded file's bytes; the moment, for a node that must always run."""
    if node["class_type"] == "SaveImageWebsocket":
        return uuid.uuid4().hex
    if node["class_type"] == "LoadImage":
        path = folders.input_file(str(node["inputs"]["image"]))
        return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
    return ""
