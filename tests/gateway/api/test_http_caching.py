"""Answers that are asked for again: tags, 304, and what caches are told."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERY = '{ page(slug: "home", visitor: "v") { slots { name blocks { key variant data } } } }'
OWN = {
    "cache-control": "private, no-cache",
    "vary": "accept, accept-encoding, authorization, blockloom-space",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, "cached", alone=True) as running:
        await running.load_shop()
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(found: Live) -> Client:
    return await found.client()


async def got(client: Client, query: str = QUERY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.http.get("/graphql", params={"query": query}, headers={**client.headers, **named})


def told(answer: httpx.Response) -> dict[str, Any]:
    return {name: answer.headers.get(name) for name in OWN}


async def test_the_same_answer_is_not_sent_twice(client: Client) -> None:
    first = await got(client)
    tag = first.headers["etag"]
    again = await got(client, if_none_match=tag)
    assert (first.status_code, told(first)) == (200, OWN)
    assert (again.status_code, again.content, again.headers["etag"], told(again)) == (304, b"", tag, OWN)
    assert {"content-length", "content-type", "content-encoding"}.isdisjoint(again.headers)


async def test_a_tag_is_of_the_answer_however_it_is_packed(client: Client) -> None:
    tags = {(await got(client, accept_encoding=coding)).headers["etag"] for coding in ("identity", "gzip")}
    assert len(tags) == 1
    assert tags.pop().startswith('W/"')


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ("*", 304),
        ("TAG", 304),
        ('"x", TAG, W/"y"', 304),
        ("STRONG", 304),
        ('"x"', 200),
        ("", 200),
        ("TAGS", 200),
        ('W/"', 200),
        (",,,", 200),
        ("\xff", 200),
        ('"x",' * 5_000, 200),
    ],
)
async def test_the_tags_that_a_client_has_are_looked_through(client: Client, named: str, status: int) -> None:
    tag = (await got(client)).headers["etag"]
    given = named.replace("STRONG", tag[2:]).replace("TAG", tag)
    headers = httpx.Headers({**client.headers, "if-none-match": given}, encoding="latin-1")
    answer = await client.http.get("/graphql", params={"query": QUERY}, headers=headers)
    assert (answer.status_code, answer.headers["etag"]) == (status, tag)


async def test_what_a_visitor_does_changes_the_tag(client: Client) -> None:
    query = '{ page(slug: "home", visitor: "climber") { slots { blocks { key } } } }'
    before = (await got(client, query)).headers["etag"]
    events = [{"type": "like", "visitor": "climber", "block": "story-rope"} for _ in range(4)]
    await client.ask("mutation($e: [EventInput!]!) { track(events: $e) { accepted } }", e=events)
    after = await got(client, query, if_none_match=before)
    assert after.status_code == 200
    assert after.headers["etag"] != before


@pytest.mark.parametrize(
    "query",
    [
        "{ nonsense }",
        "{",
        '{ page(slug: "home", atLeast: "nonsense") { slug } }',
        "mutation { forget(visitor: 1) { events } }",
    ],
)
async def test_a_failure_is_not_kept(client: Client, query: str) -> None:
    answer = await got(client, query, if_none_match="*")
    assert answer.status_code in {200, 405}
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
    assert answer.json()["errors"]


async def test_an_answer_to_a_post_is_never_304(client: Client) -> None:
    headers = {**client.headers, "if-none-match": "*"}
    answer = await client.http.post("/graphql", json={"query": QUERY}, headers=headers)
    assert (answer.status_code, "etag" in answer.headers) == (200, False)
