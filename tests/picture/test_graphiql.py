"""GraphiQL in a real browser that reaches nothing but the server under test."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import strawberry
import uvicorn
from aiohttp import ClientSession
from playwright.async_api import Browser, ConsoleMessage, Page, Route, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute
from starlette.routing import WebSocketRoute
from strawberry.asgi import GraphQL

from picture import graphiql

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no chromium on this machine; CI installs it"
)


@strawberry.type
class Query:
    @strawberry.field
    def who(self, info: strawberry.Info) -> str:
        return f"asked by {info.context['request'].headers.get('authorization')}"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def who(self, info: strawberry.Info) -> AsyncIterator[str]:
        yield f"watched by {info.context['connection_params'].get('Authorization')}"


class Api(GraphQL[object, None]):
    """Tells who asks; the page is Picture's."""

    token: str | None = None

    async def render_graphql_ide(self, request: Request) -> Response:
        return graphiql.page(request, self.token)


@asynccontextmanager
async def serve(token: str | None = None) -> AsyncIterator[str]:
    api = Api(strawberry.Schema(Query, subscription=Subscription))
    api.token = token
    routes = [HttpRoute("/graphql", api), WebSocketRoute("/graphql", api), *graphiql.routes()]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/graphql"
        server.should_exit = True
        await running


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        args = ["--no-sandbox"] if os.getuid() == 0 else []
        yield await playwright.chromium.launch(executable_path=CHROMIUM, args=args)


@asynccontextmanager
async def visit(browser: Browser, address: str) -> AsyncIterator[Page]:
    """The page at `address`. Whatever it asked of another host, and whatever it complained of, fails the test."""
    complaints: list[str] = []

    async def guard(route: Route) -> None:
        if route.request.url.startswith(address.removesuffix("graphql")):
            return await route.continue_()
        complaints.append(f"asked for {route.request.url}")
        return await route.abort()

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    async with await browser.new_context() as context:
        await context.route("**/*", guard)
        page = await context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(address)
        await expect(page.get_by_role("tab", name="Create")).to_be_visible(timeout=30_000)
        yield page
    assert complaints == []


async def run(page: Page, query: str, name: str) -> None:
    await page.get_by_role("button", name="New tab").click()
    await page.locator(".graphiql-query-editor .monaco-editor").first.click()
    await page.keyboard.insert_text(query)
    await expect(page.get_by_role("tab", name=name)).to_be_visible()  # it has been read
    await page.get_by_role("button", name="Execute query").click()


@needs_browser
async def test_the_page_opens_with_ready_examples(browser: Browser) -> None:
    async with serve() as address, visit(browser, address) as page:
        assert await page.get_by_role("tab").all_inner_texts() == ["Create", "Watch", "Gallery"]


@needs_browser
async def test_the_token_given_to_the_page_goes_with_queries_and_subscriptions(browser: Browser) -> None:
    async with serve(token="t0k3n") as address, visit(browser, address) as page:
        await run(page, "query Ask { who }", "Ask")
        await expect(page.locator(".graphiql-response")).to_contain_text("asked by Bearer t0k3n")
        await page.get_by_label("Bearer token").fill("another")
        await run(page, "subscription Follow { who }", "Follow")
        await expect(page.locator(".graphiql-response")).to_contain_text("watched by Bearer another")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "picture.example"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Origin": "null"},
        {"Sec-Fetch-Mode": "cors"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_a_token_is_kept_from_who_is_not_at_this_machine(headers: dict[str, str]) -> None:
    async with serve(token="t0k3n") as address, ClientSession(headers={"Accept": "text/html"}) as http:
        assert "t0k3n" in await (await http.get(address)).text()
        assert "t0k3n" not in await (await http.get(address, headers=headers)).text()


async def test_what_the_page_loads_may_be_kept_for_ever_and_comes_packed() -> None:
    script = next(path.name for path in graphiql.BUILT.glob("graphiql-*.js"))
    async with serve() as address, ClientSession(auto_decompress=False) as http:
        response = await http.get(address.replace("graphql", f"graphiql/{script}"))
        assert response.headers["Content-Encoding"] == "gzip"
        assert "immutable" in response.headers["Cache-Control"]
        assert (await http.get(address.replace("graphql", "graphiql/index.html"))).status == 404
