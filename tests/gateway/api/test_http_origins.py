"""What another site's page could send, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.app import build_app
from gateway.server import serving
from tests.gateway.api.test_bad_input import BUNDLE
from tests.gateway.live import Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRIEND, STRANGER = "https://shop.example", "https://evil.example"
QUERY = '{ page(slug: "home") { slug } }'
ANSWER = {"data": {"page": {"slug": "home"}}}
CROSS = {"sec-fetch-site": "cross-site"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, "origins", alone=True, cors_origins=[FRIEND]) as running:
        await running.load(BUNDLE)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(found: Live) -> AsyncIterator[httpx.AsyncClient]:
    """The same gateway, open: on loopback, without tokens."""
    async with (
        serving(build_app(found.gateway, open_access=True), "127.0.0.1", 0) as address,
        httpx.AsyncClient(base_url=address) as http,
    ):
        yield http


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        (CROSS, True),
        ({**CROSS, "origin": STRANGER}, True),
        ({**CROSS, "origin": "null"}, True),
        ({**CROSS, "origin": FRIEND}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({}, False),
    ],
)
async def test_another_sites_page_may_not_ask_unless_it_is_listed(
    found: Live, demo: httpx.AsyncClient, method: str, headers: Mapping[str, str], refused: bool
) -> None:
    client = await found.client()
    asked: dict[str, Any] = {"json": {"query": QUERY}} if method == "POST" else {"params": {"query": QUERY}}
    for http, given in ((found.http, {**client.headers, **headers}), (demo, headers)):
        answer = await http.request(method, "/graphql", headers=given, **asked)
        if refused:
            assert said(answer) == (403, "CROSS_SITE")
        else:
            assert answer.json() == ANSWER


@pytest.mark.parametrize("accept", ["text/event-stream", "application/graphql-response+json", "text/html"])
async def test_whatever_it_accepts(found: Live, accept: str) -> None:
    answer = await found.http.get("/graphql", params={"query": QUERY}, headers={**CROSS, "accept": accept})
    assert said(answer) == (403, "CROSS_SITE")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "text/plain;charset=UTF-8",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "x/y-application/json",
    ],
)
async def test_what_a_form_can_send_is_never_executed(
    demo: httpx.AsyncClient, content_type: str | None
) -> None:
    """Old browsers do not mark what they send; these are all the bodies that they send without asking."""
    body = b'{"query": "mutation { forget(visitor: \\"v\\") { events } }"}'
    headers = {"content-type": content_type} if content_type else {}
    answer = await demo.post("/graphql", content=body, headers={**headers, "origin": STRANGER})
    assert said(answer) == (415, "BAD_INPUT")


async def test_a_browser_that_asks_first_hears_only_of_the_listed_origin(found: Live) -> None:
    async def asked(origin: str) -> httpx.Response:
        headers = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,authorization",
        }
        return await found.http.options("/graphql", headers=headers)

    assert (await asked(FRIEND)).headers["access-control-allow-origin"] == FRIEND
    assert "access-control-allow-origin" not in (await asked(STRANGER)).headers


@pytest.mark.parametrize("path", ["/graphql", "/", "/health", "/metrics", "/preview/main/home"])
async def test_without_tokens_a_name_that_points_here_is_not_served(
    demo: httpx.AsyncClient, path: str
) -> None:
    answer = await demo.get(path, params={"query": QUERY}, headers={"host": "rebound.evil.example"})
    assert said(answer) == (403, "CROSS_SITE")


async def test_nor_is_its_socket(demo: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.base_url.port)
    writer.write(
        b"GET /graphql HTTP/1.1\r\nhost: rebound.evil.example\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 403")
    writer.close()
    await writer.wait_closed()


async def test_with_tokens_any_name_is_served(found: Live) -> None:
    client = await found.client()
    headers = {**client.headers, "host": "shop.example"}
    answer = await found.http.post("/graphql", json={"query": QUERY}, headers=headers)
    assert answer.json() == ANSWER
