"""The hostile set by its kinds: each is a module with a list `REQUESTS`, whose entries have a name and can be sent."""

from typing import Any

from tests.hostile import addresses, bodies, connections, documents, headers, heavy, sockets, tokens, values

KINDS: dict[str, Any] = {
    "documents": documents,
    "bodies": bodies,
    "headers": headers,
    "tokens": tokens,
    "addresses": addresses,
    "connections": connections,
    "sockets": sockets,
    "heavy": heavy,
    "values": values,  # the last: they leave her with hundreds of generations that wait
}
