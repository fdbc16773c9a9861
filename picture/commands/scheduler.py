"""picture scheduler"""

import sys

import click

from picture import worker
from picture.commands.shared import load


@click.command()
def command() -> None:
    """Repair and clean up, on a schedule. Any number of them may run, anywhere."""
    sys.exit(worker.run_scheduler(load("scheduler")))
