"""Asks a server as many clients would, over connections that stay open, and reads no more of an answer than it must."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlsplit

from bench import processes
from bench.people import BenchError
from bench.stage import Server
from bench.workloads import Request

CONNECTIONS = 16
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Flood:
    """What came of as many requests as a server answers; CPU in ms a request, by role."""

    count: int
    seconds: float
    latencies: Sequence[float]  # seconds
    cpu_ms: dict[str, float]

    @property
    def total(self) -> float:
        """CPU of a request in ms, wherever the work is done."""
        return sum(self.cpu_ms.values())

    @property
    def per_second(self) -> float:
        """Requests answered."""
        return self.count / self.seconds


class Connection:
    """One client's connection, with one request on its way at a time."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer

    async def ask(self, request: Request) -> bytes:
        """The body of the answer. Raises BenchError when it is not what is expected."""
        head = f"POST /graphql HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {request.token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(request.body)}\r\n\r\n"
        self._writer.write(head.encode() + request.body)
        answered = await self._reader.readuntil(HEAD_END)
        lower = answered.lower()
        begins = lower.index(LENGTH) + len(LENGTH)
        body = await self._reader.readexactly(int(lower[begins : lower.index(b"\r", begins)]))
        if request.expected not in body or not answered.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"A server does not answer as it should: {answered[:100]!r} {body[:400]!r}")
        return body


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Connection]:
    """A connection to the server."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 22)
    try:
        yield Connection(parts.netloc, reader, writer)
    finally:
        writer.close()


async def flood(server: Server, requests: Sequence[Request], seconds: float) -> Flood:
    """Ask over 16 connections, each as soon as it has its answer."""
    turns = cycle(requests)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(server)) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(_ask_until(client, turns, time.perf_counter() + seconds / 10) for client in clients))
        before, began = processes.usage(server.pids), time.perf_counter()
        took = await asyncio.gather(*(_ask_until(client, turns, began + seconds) for client in clients))
        ended, after = time.perf_counter(), processes.usage(server.pids)
    latencies = [latency for each in took for latency in each]
    cpu = {role: 1000 * used / len(latencies) for role, used in after.since(before).items()}
    return Flood(len(latencies), ended - began, latencies, cpu)


async def steadily(server: Server, requests: Sequence[Request], per_second: float, count: int) -> list[float]:
    """Seconds that each of so many answers took, asked for at a rate, whether the last one has come or not."""
    turns, free, began = cycle(requests), asyncio.LifoQueue[Connection](), time.perf_counter()
    async with AsyncExitStack() as stack:

        async def ask() -> float:
            asked = time.perf_counter()
            request, client = next(turns), None if free.empty() else free.get_nowait()
            try:
                if client:
                    await client.ask(request)
            except (asyncio.IncompleteReadError, ConnectionError):
                client = None  # it had nothing to do for so long that the server has ended it
            if client is None:
                client = await stack.enter_async_context(connected(server))
                await client.ask(request)
            free.put_nowait(client)
            return time.perf_counter() - asked

        asking = []
        for number in range(count):
            await asyncio.sleep(began + number / per_second - time.perf_counter())
            asking.append(asyncio.create_task(ask()))
        return await asyncio.gather(*asking)


async def _ask_until(client: Connection, turns: Iterator[Request], until: float) -> list[float]:
    took = []
    while (asked := time.perf_counter()) < until:
        await client.ask(next(turns))
        took.append(time.perf_counter() - asked)
    return took
