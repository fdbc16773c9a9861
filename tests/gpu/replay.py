"""Plays recordings to a simulated engine, holding its runs where the recorded ones stood."""

import asyncio
import json
import re
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from gpu.simulator import Engine
from tests.gpu.likeness import form, parse_binary, plain, same, told
from tests.gpu.recorded import Course, Line, courses, first_graph, is_found_ended, is_ours, load

_WAIT_SECONDS = 10.0
_ON_ITS_WAY_SECONDS = 0.05
# Where only one thing happens at a time, even the order of `status` among the other events is fixed.
_STRICT = {"a", "b", "a2", "a4", "c", "e", "m"}


class Client:
    """One socket: all that came, and all that should have."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[Any] = []
        self.wanted: list[Any] = []
        self._news = asyncio.Event()
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.ERROR:
                break
            said = parse_binary(message.data) if message.type is aiohttp.WSMsgType.BINARY else json.loads(message.data)
            self.heard.append(plain(said))
            self._news.set()
        self._news.set()

    async def has_heard(self) -> bool:
        """Whether as many events as wanted have come, or are on their way."""
        try:
            async with asyncio.timeout(_ON_ITS_WAY_SECONDS):
                await self.until_heard()
        except TimeoutError:
            return False
        return True

    async def until_heard(self) -> None:
        """As many events as wanted have come, `status` apart."""
        async with asyncio.timeout(_WAIT_SECONDS):
            while len(told(self.heard)) < len(told(self.wanted)):
                self._news.clear()
                await self._news.wait()


class Replay:
    """Plays recordings to one engine."""

    def __init__(self, engine: Engine, http: aiohttp.ClientSession) -> None:
        self.engine, self.http = engine, http
        self.clients: dict[str, Client] = {}
        self.done: list[tuple[str, Client]] = []
        self.ids: dict[str, str] = {}  # the recording's → this engine's
        self.nth = 0
        self.letter = ""
        self.lines: list[Line] = []
        self.courses: list[Course] = []
        self.held = ""  # the pause that the engine stands at
        self.passed: set[str] = set()
        self.is_doomed = False

    async def play(self, letter: str, *, is_first: bool) -> None:
        """Play one recording, and compare all that was heard."""
        lines = self.lines = load(letter)
        self.letter, self.done = letter, []
        self.courses = courses(lines, self.nth)
        self._prepare(lines, is_first=is_first)
        for place, line in enumerate(lines):
            try:
                await self._line(place, line)
            except (AssertionError, KeyError, TimeoutError) as error:
                heard = {name: client.heard[-6:] for name, client in self.clients.items()}
                raise AssertionError(f"{letter}, line {place + 2}: {line}\nheard last: {heard}\n{error!r}") from error
        for name, client in [*self.clients.items(), *self.done]:
            self._compare(name, client)
        self.clients.clear()

    async def warm_up(self) -> None:
        """Make what the recording of an empty memory finds made."""
        graph = first_graph("m")
        save = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "warm"}}
        await self.http.post("/prompt", json={"prompt": {"1": graph["1"], "2": save}})
        await self.engine.until("finished", timeout_seconds=_WAIT_SECONDS)
        self.nth = 1

    def _prepare(self, lines: list[Line], *, is_first: bool) -> None:
        """Files and numbers that an earlier day had left behind; the places to stop at."""
        state = self.engine.state
        seen: set[tuple[str, str]] = set()
        for line in lines:
            event = line.get("json", {}) if line["kind"] == "text" else {}
            for image in event.get("data", {}).get("output", {}).get("images", [])[:1]:
                name, number = re.fullmatch(r"(.+)_(\d{5})_\.png", image["filename"]).groups()  # type: ignore[union-attr]
                folder = state.folders.kinds[image["type"]] / image["subfolder"]
                is_new = (image["subfolder"], name) not in seen
                seen.add((image["subfolder"], name))
                if is_new and int(number) > 1 and not list(folder.glob(f"{name}_*")):
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / f"{name}_{int(number) - 1:05}_.png").touch()
        first = next(
            (line for line in lines if line.get("response", {}).get("json", {}) and "number" in str(line)), None
        )
        if is_first and first is not None:
            state.prompts.number = first["response"]["json"].get("number", 0)
        for place, line in enumerate(lines):
            if is_ours(line) and (course := self._running(place)) and not is_found_ended(line, course.prompt_id):
                point = self._point(course, place)
                if all(rule.name != str(point) for rule in self.engine.script.rules):
                    self.engine.add(do="pause", name=str(point), **point)

    def _running(self, place: int) -> Course | None:
        return next((course for course in self.courses if course.posted < place < course.ended), None)

    def _point(self, course: Course, place: int) -> dict[str, Any]:
        point = course.point(place, is_connecting=self.lines[place]["kind"] == "client-connect")
        match: dict[str, Any] = {"nth": course.nth}
        if node := point.pop("node", None):
            graph = self.lines[course.posted]["request"]["json"]["prompt"]
            point["at"], match["class"] = "node", graph[node]["class_type"]
        return {**point, "match": match}

    async def _line(self, place: int, line: Line) -> None:
        kind = line["kind"]
        if kind in ("text", "binary"):
            await self._hear(line)
            return
        if is_ours(line):
            await self._hold(place, line)
        if kind == "http":
            await self._request(line)
        elif kind == "client-connect":
            await self._connect(line)
        elif kind == "client-send":
            await self.clients[line["ws"]].socket.send_json(line["json"])
        elif kind == "closed":
            await self._close(line)
        elif kind == "note":
            await self._happen(line["note"])

    async def _hold(self, place: int, line: Line) -> None:
        course = self._running(place)
        if course is None:
            return
        if is_found_ended(line, course.prompt_id):  # its end was told to nobody
            self.engine.release()
            self.held = ""
            await self.engine.until("finished", prompt_id=self._ours(course.prompt_id), timeout_seconds=_WAIT_SECONDS)
            return
        name = str(self._point(course, place))
        if name not in self.passed:
            self.engine.release(self.held)
            await self.engine.until("paused", name=name, timeout_seconds=_WAIT_SECONDS)
            self.held = name
            self.passed.add(name)

    async def _hear(self, line: Line) -> None:
        client = self.clients.get(line["ws"]) or dict(self.done)[line["ws"]]
        if line["kind"] == "binary":
            wanted = {key: line[key] for key in ("event", "metadata", "format", "size")}
        else:
            wanted = line["json"]
        client.wanted.append(plain(self._ours(wanted)))
        if self.held and not await client.has_heard():
            self.engine.release(self.held)
            self.held = ""
        await client.until_heard()

    def _ours(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.ids.get(value, value)
        if isinstance(value, list):
            return [self._ours(part) for part in value]
        return {self._ours(k): self._ours(v) for k, v in value.items()} if isinstance(value, dict) else value

    async def _request(self, line: Line) -> None:
        asked, wanted = line["request"], line["response"]
        if wanted.get("client_error"):
            with pytest.raises(aiohttp.ClientConnectionError):
                await self.http.get(asked["path"])
            return
        async with self.http.request(asked["method"], self._ours_in(asked["path"]), **self._body(asked)) as response:
            assert response.status == wanted["status"], await response.text()
            if "type" in wanted:
                assert response.content_type == wanted["type"]
            if "json" in wanted:
                self._learn(wanted["json"], said := await response.json())
                same(line, self._ours(line["response"]["json"]), said)
            elif wanted.get("text") and wanted["status"] != 404:
                assert await response.text() == wanted["text"]

    def _ours_in(self, path: str) -> str:
        for theirs, ours in self.ids.items():
            path = path.replace(theirs, ours)
        made = sorted(self.engine.state.folders.kinds["temp"].glob("ComfyUI_temp_*"))
        return path.replace("ComfyUI_temp_xxxxx_00001_.png", made[0].name) if made else path

    def _body(self, asked: Line) -> dict[str, Any]:
        headers = asked.get("headers", {})
        if "upload" in asked:
            return {"data": form(**asked["upload"]), "headers": headers}
        if "text" in asked:
            return {"data": asked["text"], "headers": headers}
        if asked.get("wrong_type"):
            graph = first_graph("b")
            return {"data": json.dumps({"prompt": graph}), "headers": {"Content-Type": "text/plain"}}
        return {"json": self._ours(asked["json"]), "headers": headers} if "json" in asked else {"headers": headers}

    def _learn(self, theirs: Any, ours: Any) -> None:
        if isinstance(theirs, dict) and set(theirs) == {"prompt_id", "number", "node_errors"}:
            self.ids[theirs["prompt_id"]] = ours["prompt_id"]

    async def _connect(self, line: Line) -> None:
        if line.get("client_error"):
            with pytest.raises(aiohttp.ClientConnectionError):
                await self.http.ws_connect(line["url"])
            return
        if line["ws"] in self.clients:
            self.done.append((line["ws"], self.clients[line["ws"]]))
        socket = await self.http.ws_connect(line["url"], max_msg_size=line.get("limit", 0))
        self.clients[line["ws"]] = Client(socket)

    async def _close(self, line: Line) -> None:
        name = line["ws"]
        client = self.clients.pop(name)
        self.done.append((name, client))
        if self.is_doomed:
            await self.engine.crash()
        if line["code"] in (1006, 1009):  # not by us
            async with asyncio.timeout(_WAIT_SECONDS):
                await client.reader
            assert client.socket.close_code == line["code"]
        await client.socket.close()
        with suppress(aiohttp.ClientConnectionError):
            await self.http.get("/prompt")  # until the server has noticed, too

    async def _happen(self, note: str) -> None:
        if note == "restart":
            posted = self.engine.state.posted
            await self.engine.start()
            self.engine.state.posted = posted
            return
        if note == "kill -9":
            await self.engine.crash()
            self.held = ""
            return
        if note.startswith("SIGTERM"):
            self.is_doomed = True
            return
        connection = self.clients["old"].socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    def _compare(self, name: str, client: Client) -> None:
        assert told(client.heard) == told(client.wanted), f"{self.letter}, socket {name}"
        if self.letter in _STRICT:
            assert client.heard == client.wanted, f"{self.letter}, socket {name}"
        statuses = [
            [m["data"]["status"] for m in said if m.get("type") == "status"] for said in (client.heard, client.wanted)
        ]
        assert statuses[0] == statuses[1], f"{self.letter}, socket {name}"
