"""What several commands do alike."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from rich.console import Console

from picture import logs
from picture.home import complete
from picture.settings import Settings

log = structlog.get_logger()

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def load(role: str | None = None, *, log_level: str | None = None, **given: object) -> Settings:
    """The settings, with the options that were given, and what this home knows. Logs are set up by them."""
    settings = complete(Settings.load(**{name: value for name, value in given.items() if value is not None}))
    logs.configure(settings.log_format, log_level or settings.log_level, role=role)
    return settings


@asynccontextmanager
async def stopped_by_signals(again: Callable[[], None]) -> AsyncIterator[None]:
    """The first signal to stop cancels what runs inside; the next ones call `again`. Nothing is raised then."""
    loop, inside = asyncio.get_running_loop(), asyncio.current_task()
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        if len(received) > 1:
            again()
        elif inside:
            log.info("stopping", reason=number.name)
            inside.cancel()

    for number in STOPPING:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    except asyncio.CancelledError:
        if not received:
            raise
        if inside:
            inside.uncancel()
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)


def messages() -> Console:
    """Where progress and advice go; what a command prints for others to read goes to standard output."""
    return Console(stderr=True, highlight=False, soft_wrap=True)
