"""picture storage"""

import asyncio

import click

from picture.commands.shared import load
from picture.settings import Settings
from picture.stores import storage_config
from picture.trouble import Trouble
from storage.errors import StorageError
from storage.objects import open_storage


@click.group()
def command() -> None:
    """Look into the storage."""


@command.command("ls")
def list_keys() -> None:
    """Print the key of every stored object."""
    asyncio.run(_list(load()))


async def _list(settings: Settings) -> None:
    try:
        async with open_storage(storage_config(settings)) as storage:
            async for key in storage.list():
                click.echo(key)
    except StorageError as error:
        raise Trouble(f"The storage cannot be listed: {error} `picture doctor` tells more.") from error
