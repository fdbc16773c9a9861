"""Requests of one address begin a few at a time, and end so when their client hangs up.

All that have come are begun in one turn of the loop, one after the other: who sends 300 at once over 300 connections
would keep everybody else waiting for 60 ms, and once more by closing them. Here the others' turns come in between.
"""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_ONCE = 8


class Turns:
    """Passes on as many requests of an address as may begin in this turn; the others wait for the next ones."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._begun: dict[str, int] = {}  # by address, in this turn
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on when its turn has come."""
        client = scope.get("client")
        if not client:
            await self._app(scope, receive, send)
            return
        address = client[0]

        async def receive_in_turn() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                await self._turn(address)
            return message

        await self._turn(address)
        await self._app(scope, receive_in_turn, send)

    async def _turn(self, address: str) -> None:
        loop, begun = asyncio.get_running_loop(), self._begun.get(address, 0)
        if not begun:
            loop.call_soon(self._next, address)
        if begun < AT_ONCE:
            self._begun[address] = begun + 1
            return
        turn = loop.create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        await turn

    def _next(self, address: str) -> None:
        waiting, begun = self._waiting.get(address), 0
        while waiting and begun < AT_ONCE:
            turn = waiting.popleft()
            if not turn.done():  # whoever waited may have been cancelled
                turn.set_result(None)
                begun += 1
        if not waiting:
            self._waiting.pop(address, None)
        if begun:
            self._begun[address] = begun
            asyncio.get_running_loop().call_soon(self._next, address)
        else:
            del self._begun[address]
