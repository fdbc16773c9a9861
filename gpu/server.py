"""ComfyUI's HTTP routes that we use: what may be repeated is, three times, and what goes wrong is an EngineError."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from gpu.engine import Graph, OutputImage
from gpu.errors import BrokenOffError, EngineError, EngineUnavailableError
from gpu.failures import of_refusal
from gpu.wire import Sighting, parse_history, parse_queue

_CONNECT_SECONDS = 5
_CHUNK_BYTES = 1 << 18
_TROUBLE = (aiohttp.ClientError, TimeoutError, OSError)


def open_http(timeout_seconds: float) -> aiohttp.ClientSession:
    """A session for one ComfyUI: never cookies nor an Origin header, which it would refuse."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=_CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class Server:
    """The routes of one ComfyUI."""

    def __init__(self, http: aiohttp.ClientSession, url: str, timeout_seconds: float) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    async def post_prompt(self, prompt_id: str, graph: Graph, *, client_id: str, previews: bool) -> None:
        """Queue `graph`. Raises BrokenOffError when it may or may not have arrived: look, before you post again."""
        # no `number`: two equal ones with one id kill ComfyUI's worker thread
        body = {
            "prompt": graph,
            "prompt_id": prompt_id,
            "client_id": client_id,
            "extra_data": {"preview_method": "latent2rgb" if previews else "none"},
        }
        try:
            async with self._http.post(f"{self._url}/prompt", **_json(body)) as response:
                status, raw = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise EngineUnavailableError(detail=repr(error)) from error  # nothing was sent
        except _TROUBLE as error:
            raise BrokenOffError(detail=repr(error)) from error
        if status == 200:
            await self._accepted(prompt_id, _parsed(raw, BrokenOffError))
        else:
            _refused(status, raw)

    async def _accepted(self, prompt_id: str, body: Any) -> None:
        """A graph of which a part was refused runs without that part: it is withdrawn."""
        if not isinstance(body, dict):
            raise EngineUnavailableError(detail="/prompt answered something else")
        if body.get("node_errors"):
            await self.cancel(prompt_id)
            raise of_refusal(body)

    async def look(self, prompt_id: str) -> Sighting:
        """Where the prompt is. The queue first: in this order one on its way is never missed. Not repeated."""
        try:
            sighting = parse_queue(await self.get("/queue", tries=1), prompt_id)
            if sighting.running:
                return sighting  # an entry in the history would be of an earlier copy
            history = await self.get(f"/history/{prompt_id}", tries=1)
            return replace(sighting, outcome=parse_history(history, prompt_id))
        except ValueError as error:
            raise EngineUnavailableError(detail=str(error)) from error

    async def cancel(self, prompt_id: str) -> None:
        """Take the prompt out of the queue, or interrupt it if it is the one that runs; else nothing."""
        status = await self.post(f"/api/jobs/{prompt_id}/cancel", {}, may_lack=True)
        if status == 200:
            return
        await self.withdraw(prompt_id)  # an older ComfyUI: two steps, and the look spares somebody else's run
        if (await self.look(prompt_id)).running:
            await self.post("/interrupt", {"prompt_id": prompt_id})

    async def withdraw(self, prompt_id: str) -> None:
        """Take a waiting prompt out of the queue; a running one stays."""
        await self.post("/queue", {"delete": [prompt_id]})

    async def get(self, path: str, *, tries: int = 3) -> Any:
        """The JSON of `path`; None where there is no such thing."""
        async for attempt in _times(tries):
            with attempt:
                async with self._call("GET", path) as response:
                    if response.status == 404:
                        return None
                    return _parsed(await response.read(), EngineUnavailableError)
        return None

    async def post(self, path: str, body: Mapping[str, Any], *, may_lack: bool = False) -> int:
        """The status of a command that may be repeated. Raises for another than 200, save a missing route if it may."""
        async for attempt in _times():
            with attempt:
                async with self._call("POST", path, **_json(body)) as response:
                    if response.status != 200 and not (may_lack and response.status in (404, 405)):
                        raise EngineUnavailableError(detail=f"{path} answered {response.status}")
                    return response.status
        return 0

    async def upload(self, path: Path, name: str, subfolder: str) -> str:
        """Put the file among the inputs. The answered name, as subfolder/name: it may be another than asked for."""
        async for attempt in _times():
            with attempt:
                with await asyncio.to_thread(path.open, "rb") as file:
                    form = aiohttp.FormData({"type": "input", "subfolder": subfolder})
                    form.add_field("image", file, filename=name)
                    async with self._call("POST", "/upload/image", data=form) as response:
                        if response.status != 200:
                            raise EngineUnavailableError(detail=f"the upload answered {response.status}")
                        body = _parsed(await response.read(), EngineUnavailableError)
                return f"{body['subfolder']}/{body['name']}".lstrip("/")
        return ""

    async def download(self, image: OutputImage, into: Path) -> None:
        """The file as it is. Raises EngineError when the engine has it no more; a part of it is never left behind."""
        query = {"filename": image.filename, "subfolder": image.subfolder, "type": image.type}
        try:
            async for attempt in _times():
                with attempt:
                    async with self._call("GET", "/view", params=query, timeout=self._patient()) as response:
                        await _save(response, into)
        except BaseException:
            await asyncio.to_thread(into.unlink, missing_ok=True)
            raise

    def _patient(self) -> aiohttp.ClientTimeout:
        """For a big file: as long as it comes."""
        return aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._timeout_seconds)

    @asynccontextmanager
    async def _call(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._http.request(method, f"{self._url}{path}", **more) as response:
                if response.status >= 500:
                    raise EngineUnavailableError(detail=f"{path} answered {response.status}")
                yield response
        except _TROUBLE as error:
            raise EngineUnavailableError(detail=f"{path}: {error!r}") from error


async def _save(response: aiohttp.ClientResponse, into: Path) -> None:
    if response.status != 200:
        sentence = "The engine has the image no more."
        raise EngineError(sentence, code="no_output", retryable=True, detail=f"/view answered {response.status}")
    size = 0
    with await asyncio.to_thread(into.open, "wb") as file:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            size += await asyncio.to_thread(file.write, chunk)
    if response.content_length is not None and size != response.content_length:
        raise EngineUnavailableError(detail=f"/view sent {size} of {response.content_length} bytes")


def _times(tries: int = 3) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(EngineUnavailableError),
        stop=stop_after_attempt(tries),
        wait=wait_random_exponential(multiplier=0.1, max=1),
        reraise=True,
    )


def _json(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": orjson.dumps(body), "headers": {"Content-Type": "application/json"}}


def _parsed(raw: bytes, error_type: type[EngineError]) -> Any:
    try:
        return orjson.loads(raw)
    except ValueError as error:
        raise error_type(detail="the engine's answer is no JSON") from error


def _refused(status: int, raw: bytes) -> NoReturn:
    if status == 400:
        raise of_refusal(_parsed(raw, EngineUnavailableError))
    if status >= 500:
        raise BrokenOffError(detail=f"/prompt answered {status}")  # a 500 may have queued it all the same
    raise EngineUnavailableError(detail=f"/prompt answered {status}")
