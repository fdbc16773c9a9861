"""Who asks from where: what a page of another site can make a browser send runs nothing."""

from typing import Any

import aiohttp
import pytest
from starlette.datastructures import Headers

from picture.origins import Hosts, check_simple
from picture.refusals import RefusedError
from picture.settings import Settings
from tests.client import Client
from tests.conftest import House

QUERY = {"query": "{ __typename }"}
ASKED = {"GraphQL-Preflight": "1"}
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


async def get(client: Client, params: dict[str, str], **headers: str) -> tuple[int, dict[str, Any]]:
    async with client.http.get(f"{client.address}/graphql", params=params, headers=headers) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.status, await answer.json()


async def test_a_get_reads_when_its_browser_would_have_asked_first(nobody: Client, alice: Client) -> None:
    for headers in (ASKED, {"Apollo-Require-Preflight": "true"}, {"Content-Type": "application/json"}, alice.headers):
        status, body = await get(nobody, QUERY, **headers)
        assert (status, body) == (200, {"data": {"__typename": "Query"}}), headers
    for headers in ({}, {"Accept": "application/json"}, {"Content-Type": "text/plain"}, {"GraphQL-Preflight": ""}):
        status, body = await get(nobody, QUERY, **headers)
        assert (status, body["errors"][0]["extensions"]["code"]) == (403, "BAD_USER_INPUT"), headers


async def test_a_get_never_writes(alice: Client) -> None:
    document = """mutation { createGeneration(input: {model: "flux-schnell", prompt: "a fox"}) {
      generation { id } } }"""
    address, params = f"{alice.address}/graphql", {"query": document}
    async with alice.http.get(address, params=params, headers=alice.headers) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert (await alice.query("{ generations { totalCount } }"))["generations"]["totalCount"] == 0


async def test_a_get_takes_variables_and_names_too(nobody: Client) -> None:
    document = "query One { __typename } query Two($s: String!) { model(slug: $s) { slug } }"
    params = {"query": document, "operationName": "Two", "variables": '{"s": "flux-schnell"}'}
    assert (await get(nobody, params, **ASKED))[1] == {"data": {"model": {"slug": "flux-schnell"}}}
    assert (await get(nobody, {**params, "variables": "{"}, **ASKED))[0] == 400


async def test_only_json_is_a_request(nobody: Client) -> None:
    for kind in ("text/plain", FORM, MULTIPART, "application/graphql", "application/json; charset=utf-16", ""):
        headers = {"Content-Type": kind}
        async with nobody.http.post(
            f"{nobody.address}/graphql", data=b'{"query":"{__typename}"}', headers=headers
        ) as a:
            assert a.status == 415, kind
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"):
        headers = {"Content-Type": kind}
        async with nobody.http.post(
            f"{nobody.address}/graphql", data=b'{"query":"{__typename}"}', headers=headers
        ) as a:
            assert a.status == 200, kind


async def test_what_a_browser_says_of_itself_is_believed(nobody: Client) -> None:
    for site, mode, status in (
        ("cross-site", "no-cors", 403),
        ("same-origin", "cors", 200),
        ("cross-site", "cors", 200),
    ):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert (await nobody.post(QUERY, **headers))[0] == status


async def test_another_name_that_points_here_is_refused(nobody: Client, empty_house: House) -> None:
    for host, status in (("localhost:1", 200), ("[::1]", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421)):
        assert (await nobody.post(QUERY, Host=host))[0] == status, host
    address = await empty_house.start_api(allowed_hosts=("api.example",))
    for host, status in (("api.example", 200), ("API.example:8000", 200), ("evil.example", 421)):
        assert (await Client(nobody.http, address).post(QUERY, Host=host))[0] == status, host
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await nobody.http.ws_connect(f"{nobody.address}/graphql", headers={"Host": "evil.example"})
    assert refused.value.status == 421


async def test_a_page_of_another_site_opens_no_socket_unless_it_is_listed(empty_house: House) -> None:
    address = await empty_house.start_api(allowed_origins=("https://app.example",))
    for origin, opens in (
        ("https://app.example", True),
        (address, True),
        ("https://evil.example", False),
        ("null", False),
    ):
        connecting = empty_house.http.ws_connect(
            f"{address}/graphql", protocols=["graphql-transport-ws"], headers={"Origin": origin}
        )
        if opens:
            await (await connecting).close()
            continue
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connecting
        assert refused.value.status == 403


def test_names_are_those_of_the_settings_and_all_where_the_api_is_open() -> None:
    named = Settings.given(host="0.0.0.0", public_url="https://api.example", allowed_hosts=("other.example",))
    for settings, host, welcome in (
        (Settings.given(), "localhost", True),
        (Settings.given(), "evil.example", False),
        (Settings.given(public_url="https://api.example"), "api.example", True),
        (Settings.given(host="0.0.0.0"), "whatever.example", True),
        (Settings.given(allowed_hosts=("*",)), "whatever.example", True),
        (named, "other.example:443", True),
        (named, "api.example", True),
        (named, "localhost", False),
        (named, "", False),
        (named, "[", False),
    ):
        try:
            Hosts.of(settings).check({"host": host})
            was_welcome = True
        except RefusedError:
            was_welcome = False
        assert was_welcome is welcome, host


def test_a_post_is_looked_at_by_its_kind_alone() -> None:
    check_simple("POST", Headers({}))
    with pytest.raises(RefusedError):
        check_simple("GET", Headers({}))
