"""Requests as they come over the wire, and what they are answered with."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.gateway.api.test_bad_input import BUNDLE
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW, OLD, STREAM = "application/graphql-response+json", "application/json", "text/event-stream"
QUERY = '{ page(slug: "home") { slug } }'
ANSWER = {"data": {"page": {"slug": "home"}}}
MUTATION = 'mutation { track(events: [{type: "view", visitor: "v"}]) { accepted } }'
MOST = 20_000  # bytes of a body


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, "http", alone=True, max_body=MOST) as running:
        await running.load(BUNDLE)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(found: Live) -> Client:
    return await found.client()


async def posted(
    client: Client, content: Any, headers: Mapping[str, str] | None = None, **more: Any
) -> httpx.Response:
    given = {**client.headers, "content-type": OLD, **(headers or {})}
    return await client.http.post("/graphql", content=content, headers=given, **more)


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "a number": b"5",
    "a text": b'"s"',
    "an empty list": b"[]",
    "a batch": b'[{"query": "{ __typename }"}]',
    "no query": b"{}",
    "an empty query": b'{"query": " "}',
    "a query that is a number": b'{"query": 5}',
    "variables that are a list": b'{"query": "{ __typename }", "variables": [1]}',
    "an operation that is a number": b'{"query": "{ __typename }", "operationName": 5}',
    "extensions that are a text": b'{"query": "{ __typename }", "extensions": "x"}',
    "half an object": b'{"query": "{ __typename }"',
    "broken UTF-8": b'{"query": "{ __typename } #\xff"}',
    "a lone surrogate": b'{"query": "{ __typename }", "variables": {"v": "\\ud800"}}',
    "not a number": b'{"query": "{ __typename }", "variables": {"v": NaN}}',
    "an infinity": b'{"query": "{ __typename }", "variables": {"v": -Infinity}}',
    "a number beyond doubles": b'{"query": "{ __typename }", "variables": {"v": 1e999}}',
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("accept", [NEW, OLD, STREAM])
async def test_a_body_that_is_no_request_is_refused(client: Client, name: str, accept: str) -> None:
    assert said(await posted(client, BODIES[name], {"accept": accept})) == (400, "BAD_INPUT")


@pytest.mark.parametrize(
    ("accept", "media", "status"),
    [
        (NEW, NEW, 400),
        (OLD, OLD, 200),
        ("*/*", OLD, 200),
        ("text/html, application/*;q=0.8", OLD, 200),
        (f"{NEW}, {OLD};q=0.5", NEW, 400),
    ],
)
async def test_the_media_type_says_what_the_status_means(
    client: Client, accept: str, media: str, status: int
) -> None:
    headers = {**client.headers, "accept": accept}
    good = await client.http.post("/graphql", json={"query": QUERY}, headers=headers)
    refused = await client.http.post("/graphql", json={"query": "{ nonsense }"}, headers=headers)
    failed = await client.http.post("/graphql", json={"query": "{ recommendations(first: -1) { edges { cursor } } }"},
                                    headers=headers)  # fmt: skip
    assert (good.status_code, good.headers["content-type"], good.json()) == (
        200, f"{media}; charset=utf-8", ANSWER)  # fmt: skip
    assert (*said(refused), "data" in refused.json()) == (status, "GRAPHQL_VALIDATION_FAILED", False)
    assert (*said(failed), failed.json()["data"]) == (200, "BAD_INPUT", None)


async def test_what_nobody_can_send_is_not_promised(client: Client) -> None:
    assert said(await posted(client, b"{}", {"accept": "text/html"})) == (406, "BAD_INPUT")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/graphql", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/json; charset=latin-1"],
)  # fmt: skip
async def test_only_json_in_utf8_is_taken(client: Client, content_type: str) -> None:
    answer = await posted(client, b'{"query": "{ __typename }"}', {"content-type": content_type})
    assert said(answer) == (415, "BAD_INPUT")


async def test_get_is_for_queries(client: Client) -> None:
    def asked(**params: str) -> Any:
        return client.http.get("/graphql", params=params, headers=dict(client.headers))

    assert (await asked(query=QUERY)).json() == ANSWER
    query = "query($s: String!) { page(slug: $s) { slug } }"
    assert (await asked(query=query, variables='{"s": "home"}')).json() == ANSWER
    changing = await asked(query=MUTATION)
    assert (*said(changing), changing.headers["allow"]) == (405, "BAD_INPUT", "POST")
    assert said(await asked(query=QUERY, variables="[1]")) == (400, "BAD_INPUT")
    assert said(await asked()) == (400, "BAD_INPUT")
    assert said(await client.http.get("/graphql?query=%ff", headers=dict(client.headers))) == (
        400,
        "BAD_INPUT",
    )
    assert said(await asked(**{f"p{n}": "" for n in range(30)})) == (400, "BAD_INPUT")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_allowed(client: Client, method: str) -> None:
    answer = await client.http.request(method, "/graphql", headers=dict(client.headers))
    assert (*said(answer), answer.headers["allow"]) == (405, "BAD_INPUT", "GET, POST")


async def test_a_body_over_the_limit_is_refused_declared_or_not(client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MOST // 1_000 + 1):
            yield b" " * 1_000

    assert said(await posted(client, b" " * (MOST + 1))) == (413, "TOO_LARGE")
    assert said(await posted(client, chunks())) == (413, "TOO_LARGE")
    assert said(await posted(client, chunks(), {"accept": STREAM})) == (413, "TOO_LARGE")
    full = b'{"query": "{ page(slug: \\"home\\") { slug } }"}'
    assert (await posted(client, full + b" " * (MOST - len(full)))).json() == ANSWER


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic eDp5", "Bearer " + "x" * 7_000, "\xff"])
async def test_without_a_token_nothing_is_said(found: Live, authorization: str) -> None:
    headers = httpx.Headers({"authorization": authorization} if authorization else {}, encoding="latin-1")
    answer = await found.http.post("/graphql", json={"query": QUERY}, headers=headers)
    assert said(answer) == (401, "UNAUTHENTICATED")


async def test_a_stream_has_the_same_bounds(client: Client) -> None:
    async def streamed(query: str) -> str:
        answer = await client.http.post(
            "/graphql", json={"query": query}, headers={**client.headers, "accept": STREAM}
        )
        return answer.text

    twice = 'subscription { page(slug: "home", visitor: "v") { %s } }'
    assert "TOO_LARGE" in await streamed(twice % ("slug " * 3_500))
    assert "GRAPHQL_PARSE_FAILED" in await streamed("{a" * 5_000)
    assert "GRAPHQL_VALIDATION_FAILED" in await streamed(twice % "nonsense")


async def test_other_paths_are_not_found_and_the_process_is_well(client: Client) -> None:
    assert (await client.http.get("/nothing")).status_code == 404
    assert (await client.http.get("/health")).json() == {"status": "ok", "store": "ok"}
