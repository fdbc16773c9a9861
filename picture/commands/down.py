"""picture down"""

import os
import signal
import time

import click

from picture.commands.shared import load, messages
from picture.home import Home
from picture.trouble import Trouble

POLL_SECONDS = 0.05


@click.command()
def command() -> None:
    """End what `picture up` runs in this home, in its order, and wait until it has."""
    settings, console = load(), messages()
    home = Home(settings.home)
    pid = home.holder()
    if pid is None:
        console.print(f"Nothing runs in {home.path}.")
        return
    # Four groups of parts, one after the other.
    until = time.monotonic() + 4 * settings.stop_timeout_seconds + 5
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError as error:
        raise Trouble(f"Process {pid} belongs to somebody else: end it as whoever started it.") from error
    except ProcessLookupError:
        return
    with console.status("ending"):
        while home.holder() == pid:
            if time.monotonic() > until:
                raise Trouble(f"Process {pid} has not ended. `kill -9 {pid}` ends it and all that it runs.")
            time.sleep(POLL_SECONDS)
    console.print("Picture has ended; its data is in", str(home.path))
