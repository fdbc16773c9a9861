"""What a request of the hostile set is: one line of a table, sent over HTTP or as bytes."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.hostile.scene import Scene

JSON = {"Content-Type": "application/json"}
RAW_SECONDS = 0.5  # a server that waits for more is not answering; neither does it fail


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where the server hung up, or waits for more."""

    status: int
    text: str


@dataclass(frozen=True)
class Hostile:
    """One request over HTTP; in its body `{theirs}` stands for the id of another's generation."""

    name: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=lambda: JSON)
    method: str = "POST"
    path: str = "/graphql"
    token: str | None = None

    async def send(self, scene: Scene) -> Answer:
        """Send it as Mallory, or as who its own token names; an empty one names nobody."""
        token = scene.mallory.token if self.token is None else self.token
        signed = {"Authorization": f"Bearer {token}"} if token and "Authorization" not in self.headers else {}
        body = self.body and self.body.replace(b"{theirs}", scene.theirs.encode())
        address = f"{scene.mallory.address}{self.path}"
        asking = scene.mallory.http.request(self.method, address, data=body, headers={**signed, **self.headers})
        async with asking as answer:
            return Answer(answer.status, (await answer.read()).decode(errors="replace"))


@dataclass(frozen=True)
class Raw:
    """Bytes on a connection, where no client would send them."""

    name: str
    sent: bytes

    async def send(self, scene: Scene) -> Answer:
        """Send them, and hear what comes until nothing more does."""
        reader, writer = await scene.connect()
        heard = b""
        try:
            writer.write(self.sent.replace(b"{host}", scene.host.encode()))
            async with asyncio.timeout(RAW_SECONDS):
                while chunk := await reader.read(65_536):
                    heard += chunk
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
        status = heard[9:12].decode(errors="replace") if heard.startswith(b"HTTP/1.") else "0"
        return Answer(int(status) if status.isdecimal() else 0, heard.decode(errors="replace"))


def document(name: str, text: str, **variables: Any) -> Hostile:
    """A document in a body as it should be."""
    return Hostile(name, orjson.dumps({"query": text, "variables": variables}))


def body(name: str, value: bytes | str, **headers: str) -> Hostile:
    """A body as it should not be."""
    return Hostile(name, value if isinstance(value, bytes) else value.encode(), {**JSON, **headers})


def headers(name: str, method: str = "POST", path: str = "/graphql", **given: str) -> Hostile:
    """A harmless query under strange headers; `_` in a name stands for `-`."""
    named = {key.replace("_", "-"): value for key, value in given.items()}
    sent = None if method in ("GET", "HEAD") else b'{"query": "{ __typename }"}'
    return Hostile(name, sent, {**JSON, **named}, method, path)


def raw(name: str, head: str, rest: bytes = b"") -> Raw:
    """A request line and headers, one a line, and what follows them."""
    return Raw(name, head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + rest)
