"""Who asks for much at once waits for others, not they for him."""

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from picture.turns import AT_ONCE, Turns

MANY = 5 * AT_ONCE + 1


class Noted:
    """An application that notes who comes, and then waits for a word."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.word = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.came.append(scope["client"][0] if scope.get("client") else "nobody")
        await self.word.wait()


def ask(turns: Turns, address: str | None) -> asyncio.Task[None]:
    scope: dict[str, Any] = {"type": "http", "client": (address, 1) if address else None}
    return asyncio.create_task(turns(scope, None, None))  # type: ignore[arg-type]  # nothing reads or writes


async def test_others_come_in_between() -> None:
    app = Noted()
    turns = Turns(app)
    asked = [ask(turns, "10.0.0.1") for _ in range(MANY)] + [ask(turns, "10.0.0.2"), ask(turns, None)]
    await asyncio.sleep(0)
    assert app.came == ["10.0.0.1"] * AT_ONCE + ["10.0.0.2", "nobody"]
    while len(app.came) < len(asked):
        before = len(app.came)
        await asyncio.sleep(0)
        assert len(app.came) <= before + AT_ONCE
    app.word.set()
    await asyncio.gather(*asked)
    assert app.came.count("10.0.0.1") == MANY


async def test_who_gives_up_takes_nobodys_turn() -> None:
    app = Noted()
    turns = Turns(app)
    asked = [ask(turns, "10.0.0.1") for _ in range(MANY)]
    await asyncio.sleep(0)
    gone = asked[AT_ONCE:-1]
    for each in gone:
        each.cancel()
    await asyncio.wait(gone)
    app.word.set()
    await asyncio.wait({asked[-1]}, timeout=5)
    assert (asked[-1].done(), len(app.came)) == (True, AT_ONCE + 1)
    last = ask(turns, "10.0.0.1")  # as for somebody new
    await asyncio.wait_for(last, 5)


async def test_who_hangs_up_on_many_is_heard_in_turns_too() -> None:
    heard: list[str] = []
    gone = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append((await receive())["type"])

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    turns = Turns(app)
    scope: dict[str, Any] = {"type": "http", "client": ("10.0.0.1", 1)}
    asked = [asyncio.create_task(turns(scope, receive, None)) for _ in range(MANY)]  # type: ignore[arg-type]
    for _ in range(MANY):
        await asyncio.sleep(0)
    gone.set()
    while len(heard) < MANY:
        before = len(heard)
        await asyncio.sleep(0)
        assert len(heard) <= before + AT_ONCE
    await asyncio.gather(*asked)
