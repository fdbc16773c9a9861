"""A client of the public API, as anybody might write one: ask for a picture, watch it come, fetch it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from gql import Client, GraphQLRequest, gql
from gql.client import AsyncClientSession
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportError, TransportQueryError

from picture.trouble import Trouble

MODELS = gql("{ models { slug isAvailable capabilities } }")
CREATE = gql("""
mutation Create($input: CreateGenerationInput!) {
  createGeneration(input: $input) { generation { id seed model { name } } errors { message } }
}""")
WATCH = gql("""
subscription Watch($id: ID!) {
  generationEvents(id: $id, previews: true) {
    __typename
    generation { status }
    ... on GenerationQueueMoved { queuePosition etaSeconds }
    ... on GenerationProgressed { stage progress step steps }
    ... on GenerationFailed { failure { message } willRetry }
    ... on GenerationCompleted { images { url width height fileSize format } }
  }
}""")
AVAILABLE_SECONDS = 30.0
POLL_SECONDS = 0.1
CHUNK_BYTES = 1 << 16

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Painter:
    """Somebody who is signed in at the API."""

    http: AsyncClientSession
    socket: AsyncClientSession

    async def model(self) -> str:
        """The first model that makes pictures from words and has a worker that is up; waits a while for one."""
        async with asyncio.timeout(AVAILABLE_SECONDS):
            while True:
                for model in (await _told(self.http, MODELS))["models"]:
                    if model["isAvailable"] and "TEXT_TO_IMAGE" in model["capabilities"]:
                        return str(model["slug"])
                await asyncio.sleep(POLL_SECONDS)

    async def create(self, model: str, prompt: str) -> Event:
        """The new generation. Raises Trouble when it is refused."""
        payload = (await _told(self.http, CREATE, {"input": {"model": model, "prompt": prompt}}))["createGeneration"]
        if payload["errors"]:
            raise Trouble(" ".join(error["message"] for error in payload["errors"]))
        generation: Event = payload["generation"]
        return generation

    async def watch(self, id: str) -> AsyncIterator[Event]:
        """What happens to a generation, to its end."""
        request = GraphQLRequest(WATCH, variable_values={"id": id})
        try:
            async for answer in self.socket.subscribe(request):
                yield answer["generationEvents"]
        except TransportError as error:
            raise Trouble(f"The API ended the subscription: {error}") from error


@asynccontextmanager
async def signed_in(address: str, token: str) -> AsyncIterator[Painter]:
    """A painter at the API at `address`. Raises Trouble when it cannot be reached."""
    socket_address = f"ws{address.removeprefix('http')}/graphql"
    http = AIOHTTPTransport(f"{address}/graphql", headers={"Authorization": f"Bearer {token}"})
    socket = AIOHTTPWebsocketsTransport(
        socket_address,
        subprotocols=["graphql-transport-ws"],
        init_payload={"Authorization": f"Bearer {token}"},
    )
    async with AsyncExitStack() as stack:
        try:
            yield Painter(
                await stack.enter_async_context(Client(transport=http)),
                await stack.enter_async_context(Client(transport=socket)),
            )
        except (TransportError, aiohttp.ClientError, OSError) as error:
            raise Trouble(f"The API at {address} did not answer: {error}") from error


async def fetch(url: str, into: Path) -> None:
    """Save the picture at `url`, whole or not at all."""
    draft = into.with_name(f".{into.name}.part")
    try:
        async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(url) as response:
            with draft.open("wb") as file:
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    file.write(chunk)
        draft.replace(into)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Trouble(f"The picture could not be fetched: {error}") from error
    except OSError as error:
        raise Trouble(f"{into} cannot be written: {error.strerror}. Run the demo in a folder of yours.") from error
    finally:
        draft.unlink(missing_ok=True)


async def _told(session: AsyncClientSession, request: GraphQLRequest, values: Event | None = None) -> Event:
    try:
        answer: Event = await session.execute(GraphQLRequest(request.document, variable_values=values))
    except TransportQueryError as error:
        said = "; ".join(each["message"] for each in error.errors or [])
        raise Trouble(f"The API refused: {said}") from error
    return answer
