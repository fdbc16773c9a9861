"""picture worker"""

import sys

import click

from picture import worker
from picture.commands.shared import load


@click.command()
def command() -> None:
    """Drive the ComfyUI server at COMFYUI_URL until told to stop; then finish, or give back, what runs."""
    sys.exit(worker.run(load("worker")))
