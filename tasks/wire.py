"""Many messages to Redis as one write, over a connection of their own."""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError


class Wire:
    """A connection like those of `redis`, in use by one at a time. A client's `publish` takes three times the CPU."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._connection: AbstractConnection | None = None

    async def publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish these in their order. Raises what Redis says, or what says that it is away."""
        try:
            await self._publish(messages)
        except (
            RedisError,
            OSError,
            RuntimeError,
        ):  # a connection of before a restart is only found dead when it is used
            await self._publish(messages)

    async def _publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        connection = self._connection or self._pool.make_connection()  # type: ignore[no-untyped-call]
        self._connection = None
        try:
            await connection.connect()
            commands = connection.pack_commands([("PUBLISH", *message) for message in messages])
            await connection.send_packed_command(commands, check_health=False)
            for _ in messages:
                await connection.read_response()
        except BaseException:
            await asyncio.shield(connection.disconnect(nowait=True))  # what it answers next belongs to nobody
            raise
        self._connection = connection
