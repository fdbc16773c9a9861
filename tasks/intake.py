"""Takes uploads that wait to be checked, a few at a time: when it is woken, when one has ended, and now and then."""

import asyncio

import structlog

from db import receiving
from db.database import is_away
from tasks.process_upload import UploadResources, process
from tasks.scratch import clear

log = structlog.get_logger(__name__)


class Intake:
    """Any number of them may run, anywhere: each upload is one's at a time."""

    def __init__(self, resources: UploadResources) -> None:
        self._resources = resources
        self._busy: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._is_blind = False

    def wake(self) -> None:
        """Something waits, or may."""
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled; what is under way is given back then."""
        await asyncio.to_thread(clear, self._resources.folder)
        try:
            while True:
                self._awake.clear()
                await self._take_all()
                try:
                    async with asyncio.timeout(self._resources.rules.poll_seconds):
                        await self._awake.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._busy:
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)

    async def _take_all(self) -> None:
        rules = self._resources.rules
        while len(self._busy) < rules.max_checking:
            try:
                async with self._resources.db.as_service() as session:
                    check = await receiving.take(session, rules.lease_seconds)
            except Exception as error:
                if not is_away(error):
                    raise
                if not self._is_blind:
                    log.warning("database_away", error=type(error).__name__)
                self._is_blind = True
                return
            self._is_blind = False
            if check is None:
                return
            task = asyncio.create_task(process(self._resources, check))
            self._busy.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._awake.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("upload_broke", exc_info=error)
