"""GraphiQL in a real browser that reaches nothing but the API under test."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Route, async_playwright, expect

from picture import graphiql
from tests.conftest import House, token

CHROMIUM = shutil.which("chromium")
ALICE = "6f2c1a52-8f0b-5b0e-9d5c-0c6f3a1f8a11"
needs_browser = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no chromium on this machine; CI installs it"
)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        args = ["--no-sandbox"] if os.getuid() == 0 else []
        yield await playwright.chromium.launch(executable_path=CHROMIUM, args=args)


@pytest.fixture
async def address(empty_house: House) -> str:
    """GraphiQL as `picture up` shows it: with a token."""
    return await empty_house.start_api(graphiql_token=token(ALICE))


@asynccontextmanager
async def visit(browser: Browser, address: str) -> AsyncIterator[BrowserContext]:
    """A browser of its own. Whatever it asks of another host, and whatever it complains of, fails the test."""
    complaints: list[str] = []

    async def guard(route: Route) -> None:
        if route.request.url.startswith(f"{address}/"):
            return await route.continue_()
        complaints.append(f"asked for {route.request.url}")
        return await route.abort()

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    async with await browser.new_context() as context:
        await context.route("**/*", guard)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield context
    assert complaints == []


async def show(context: BrowserContext, address: str, tab: str = "Create") -> Page:
    """The page, with that tab in front."""
    page = await context.new_page()
    await page.goto(f"{address}/graphql")
    await page.get_by_role("tab", name=tab).click(timeout=60_000)
    return page


async def run(page: Page) -> None:
    await page.get_by_role("button", name="Execute query").click()


async def answers(page: Page, text: str) -> None:
    await expect(page.locator(".graphiql-response")).to_contain_text(text, timeout=60_000)


@needs_browser
async def test_the_page_opens_with_ready_examples_and_a_token(browser: Browser, address: str) -> None:
    async with visit(browser, address) as context:
        page = await show(context, address)
        assert await page.get_by_role("tab").all_inner_texts() == [
            "Create", "Watch", "Gallery", "Share", "Batch", "Upload",
        ]  # fmt: skip
        assert (await page.get_by_label("Bearer token").input_value()).count(".") == 2


@needs_browser
async def test_what_one_window_creates_another_watches(browser: Browser, address: str, empty_house: House) -> None:
    async with visit(browser, address) as context:
        watching, creating = await show(context, address, "Watch"), await show(context, address, "Create")
        await run(watching)
        await run(creating)
        await answers(creating, '"status": "QUEUED"')
        await answers(watching, '"__typename": "GenerationQueued"')
        await empty_house.start_worker()
        await answers(watching, '"__typename": "GenerationCompleted"')
        gallery = await show(context, address, "Gallery")
        await run(gallery)
        await answers(gallery, '"totalCount": 1')


@needs_browser
async def test_an_emptied_token_box_asks_as_nobody(browser: Browser, address: str) -> None:
    async with visit(browser, address) as context:
        page = await show(context, address, "Create")
        await page.get_by_label("Bearer token").fill("")
        await run(page)
        await answers(page, "UNAUTHENTICATED")


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
async def test_a_token_is_kept_from_who_is_not_at_this_machine(
    headers: dict[str, str], address: str, http: aiohttp.ClientSession
) -> None:
    browser = {"Accept": "text/html"}
    assert "eyJ" in await (await http.get(f"{address}/graphql", headers=browser)).text()
    assert "eyJ" not in await (await http.get(f"{address}/graphql", headers=browser | headers)).text()


async def test_what_the_page_loads_may_be_kept_for_ever_and_comes_packed(
    address: str, http: aiohttp.ClientSession
) -> None:
    script = next(path.name for path in graphiql.BUILT.glob("graphiql-*.js"))
    async with http.get(f"{address}/graphiql/{script}") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert "immutable" in response.headers["Cache-Control"]
    assert (await http.get(f"{address}/graphiql/index.html")).status == 404


async def test_a_setting_turns_it_off(empty_house: House, http: aiohttp.ClientSession) -> None:
    address = await empty_house.start_api(graphiql=False, graphiql_token=token(ALICE))
    answer = await http.get(f"{address}/graphql", headers={"Accept": "text/html"})
    assert answer.content_type != "text/html"
    assert "eyJ" not in await answer.text()
