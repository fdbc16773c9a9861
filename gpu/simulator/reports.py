"""What a run tells: events in their order, and the state of all nodes so far."""

import time
from typing import Any

from gpu.simulator.sockets import Sockets


class Report:
    """Tells one prompt's client; without a client, progress goes to everybody and the rest to nobody."""

    def __init__(self, sockets: Sockets, prompt_id: str, client: str | None) -> None:
        self._sockets = sockets
        self._prompt_id = prompt_id
        self._client = client
        self._nodes: dict[str, dict[str, Any]] = {}
        self.messages: list[list[Any]] = []  # what the history repeats

    def milestone(self, event: str, data: dict[str, Any], *, to_all: bool = False) -> None:
        """An event with a time, which the history keeps."""
        said = {**data, "prompt_id": self._prompt_id, "timestamp": int(time.time() * 1000)}
        self.messages.append([event, said])
        if self._client is not None or to_all:
            self._sockets.send(event, said, self._client)

    def executing(self, node_id: str) -> None:
        """A node begins."""
        self._state(node_id, 0.0, 1.0, "running")
        self._tell("executing", {"node": node_id, "display_node": node_id})

    def executed(self, node_id: str, shown: dict[str, Any]) -> None:
        """A node has something to show."""
        self._tell("executed", {"node": node_id, "display_node": node_id, "output": shown})

    def finished(self, node_id: str) -> None:
        """A node has ended, having run or not."""
        known = self._nodes.get(node_id)
        top = known["max"] if known else 1
        self._state(node_id, top, top, "finished")

    def progress(self, node_id: str, value: int, top: int, image: bytes | None, image_type: str) -> None:
        """A step inside a node, with a picture of it if there is one."""
        has_metadata = self._sockets.wants_metadata(self._client)
        self._state(node_id, value, top, "running")
        if image is not None and self._client is not None and has_metadata:
            names = {"node_id": node_id, "prompt_id": self._prompt_id, "display_node_id": node_id}
            about = {**names, "parent_node_id": None, "real_node_id": node_id, "image_type": image_type}
            self._sockets.preview_of(image, about, self._client)
        said = {"value": value, "max": top, "prompt_id": self._prompt_id, "node": node_id}
        self._sockets.send("progress", said, self._client)
        if image is not None and not has_metadata:
            self._sockets.preview(image, image_type, self._client)

    def ended(self) -> None:
        """The very last: nothing of this prompt runs any more."""
        self._tell("executing", {"node": None})

    def _state(self, node_id: str, value: float, top: float, state: str) -> None:
        names = {"node_id": node_id, "prompt_id": self._prompt_id, "display_node_id": node_id}
        links = {"parent_node_id": None, "real_node_id": node_id}
        self._nodes[node_id] = {"value": value, "max": top, "state": state, **names, **links}
        self._sockets.send("progress_state", {"prompt_id": self._prompt_id, "nodes": self._nodes}, self._client)

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        if self._client is not None:
            self._sockets.send(event, {**data, "prompt_id": self._prompt_id}, self._client)
