"""All that one engine is, between its start and its death."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from gpu.simulator.caches import Cache
from gpu.simulator.files import Folders
from gpu.simulator.journal import Journal
from gpu.simulator.nodes import Catalogue
from gpu.simulator.prompts import Prompts
from gpu.simulator.scripts import Moment, Rule, Script
from gpu.simulator.sockets import Sockets


@dataclass(slots=True)
class State:
    """One process's memory: a restart begins with a new one, on the same folders and with the same script."""

    folders: Folders
    catalogue: Catalogue
    script: Script
    journal: Journal
    seconds: float
    preview_method: str
    die: Callable[[], Awaitable[None]]
    sockets: Sockets = field(default_factory=Sockets)
    cache: Cache = field(default_factory=Cache)
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)
    client: str | None = None  # of the prompt that runs, or ran last
    node: str | None = None  # that runs now
    handlers: set[asyncio.Task[Any]] = field(default_factory=set)  # requests that are being answered
    posted: int = 0
    nth: dict[str, int] = field(default_factory=dict)
    must_forget: bool = False
    prompts: Prompts = field(init=False)

    def __post_init__(self) -> None:
        self.prompts = Prompts(changed=lambda: self.sockets.send("status", {"status": self.status()}))

    def status(self) -> dict[str, dict[str, int]]:
        """What a `status` event says."""
        return {"exec_info": {"queue_remaining": self.prompts.remaining()}}

    def free(self) -> None:
        """Drop the cache: now, or when the running prompt has ended."""
        self.must_forget = True
        if not self.prompts.running:
            self.forget()

    def forget(self) -> None:
        """Do what /free asked for."""
        if self.must_forget:
            self.cache.clear()
            self.must_forget = False

    async def stall(self, seconds: float) -> None:
        """Answer nothing and send nothing for so long, as when the real server's one lock is held."""
        self.sockets.gate.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.sockets.gate.set()

    async def reach(self, moment: Moment, prompt_id: str | None = None, client: str | None = None) -> list[Rule]:
        """The script's rules for this moment. What needs no knowledge of a run is done here."""
        rules = self.script.take(moment)
        for rule in rules:
            about = {"prompt_id": prompt_id, "point": moment.point, "step": moment.step, "path": moment.path}
            self.journal.write("fired", do=rule.do, name=rule.name, **about)
            if rule.do == "pause":
                await self.journal.pause(rule.name, **about)
            else:
                await self._do(rule, client)
        return rules

    async def _do(self, rule: Rule, client: str | None) -> None:
        match rule.do:
            case "crash":
                await self.die()
            case "drop_socket":
                self.sockets.drop(client)
            case "silent_socket":
                self.sockets.silence(client)
            case "slow_load":
                await asyncio.sleep(rule.seconds)
            case "stall":
                await self.stall(rule.seconds)
            case "hang":
                await (asyncio.sleep(rule.seconds) if rule.seconds else asyncio.Event().wait())
