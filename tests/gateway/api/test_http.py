"""Requests as they come over the wire, and what they are answered with."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from gateway.api import exchange
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
    "a byte order mark": b'\xef\xbb\xbf{"query": "{ __typename }"}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "two objects": b'{"query": "{ __typename }"}{"query": "{ __typename }"}',
    "null": b"null",
    "a zero": b'{"query": "{ __typename }"}\x00',
}
TWICE = b'{"query": 5, "query": "{ page(slug: \\"home\\") { slug } }", "variables": [], "variables": {}}'


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("accept", [NEW, OLD, STREAM])
async def test_a_body_that_is_no_request_is_refused(client: Client, name: str, accept: str) -> None:
    assert said(await posted(client, BODIES[name], {"accept": accept})) == (400, "BAD_INPUT")


async def test_of_a_key_that_is_there_twice_the_last_counts(client: Client) -> None:
    assert (await posted(client, TWICE)).json() == ANSWER


async def test_a_batch_is_said_to_be_one(client: Client) -> None:
    answer = await posted(client, BODIES["a batch"])
    assert answer.json()["errors"][0]["message"].endswith("several operations at once are not taken")


@pytest.mark.parametrize(
    "coding", ["gzip", "br", "zstd", "deflate", "x-unheard-of", "gzip, identity", "\xff"]
)
async def test_a_body_is_taken_as_it_is_and_never_unpacked(client: Client, coding: str) -> None:
    headers = httpx.Headers(
        {**client.headers, "content-type": OLD, "content-encoding": coding}, encoding="latin-1"
    )
    answer = await client.http.post("/graphql", content=b'{"query": "{ __typename }"}', headers=headers)
    assert said(answer) == (415, "BAD_INPUT")
    plain = await posted(
        client, f'{{"query": {orjson.dumps(QUERY).decode()}}}', {"content-encoding": "Identity"}
    )
    assert plain.json() == ANSWER


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
    for odd in (
        "query={__typename}&query={__typename}",
        "query={__typename}&variables=NaN",
        'query={__typename}&variables={"a":1e999}',
        "query={__typename}&extensions=5",
        "query=%00",
        "query",
        "&&&",
        "query=%F0%9F",
    ):
        address = f"/graphql?{odd}"
        answer = await client.http.get(address, headers=dict(client.headers))
        assert answer.status_code in {200, 400}, odd
        assert answer.json()["errors"][0]["extensions"]["code"] in {"BAD_INPUT", "GRAPHQL_PARSE_FAILED"}, odd


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"])
async def test_other_methods_are_not_allowed(client: Client, method: str) -> None:
    answer = await client.http.request(method, "/graphql", headers=dict(client.headers))
    assert (*said(answer), answer.headers["allow"]) == (405, "BAD_INPUT", "GET, POST")


async def test_nor_is_a_head_which_has_no_body(client: Client) -> None:
    answer = await client.http.head("/graphql", params={"query": QUERY}, headers=dict(client.headers))
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "GET, POST", b"")


async def over_the_wire(
    found: Live, client: Client, head: str, body: bytes, ends: bool = True
) -> tuple[int, bytes]:
    """What a request that no client would send is answered with, and that the server is well after it."""
    port = int(found.address.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    token = client.headers["authorization"]
    writer.write(
        f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: application/json\r\n"
        f"connection: close\r\n{head}\r\n\r\n".encode()
        + body
    )
    if ends:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert await client.ask(QUERY) == ANSWER["data"]
    return int(answer.split()[1]) if answer else 0, answer


GOOD = orjson.dumps({"query": QUERY})
CHUNKED = "transfer-encoding: chunked"


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        (f"content-length: {len(GOOD)}", GOOD, 200),
        (f"content-length: {len(GOOD) - 1}", GOOD, 400),  # half an object
        (f"content-length: {len(GOOD) + 1}", GOOD, 0),  # the client left before it had said everything
        ("content-length: 9" + "9" * 30, GOOD, 400),
        ("content-length: 99999999", GOOD, 413),
        ("content-length: -1", GOOD, 400),
        ("content-length: x", GOOD, 400),
        ("content-length:", GOOD, 400),
        ("content-length: 0", b"", 400),
        ("x: y", b"", 400),
        (CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD), 200),
        (CHUNKED, b"%x\r\n%b\r\n" % (len(GOOD), GOOD), 0),
        (CHUNKED, b"nonsense\r\n", 400),
        (CHUNKED, b"fffffffffffffffffffff\r\n", 400),
        (f"{CHUNKED}\r\ncontent-length: 5", b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD), 400),
    ],
)
async def test_a_body_that_is_not_as_long_as_it_says_is_not_executed(
    found: Live, client: Client, head: str, body: bytes, status: int
) -> None:
    assert (await over_the_wire(found, client, head, body))[0] == status


async def test_a_mutation_that_ends_too_early_is_not_executed(found: Live, client: Client) -> None:
    """Though what came of it is a whole object."""
    mutation = orjson.dumps({"query": MUTATION.replace('"v"', '"early"')})
    status, _ = await over_the_wire(found, client, f"content-length: {len(mutation) + 1}", mutation)
    assert (status, await client.ask('{ visitor(id: "early") { id } }')) == (0, {"visitor": None})


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    found: Live, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.05)

    status, _ = await over_the_wire(found, client, f"content-length: {len(GOOD)}", GOOD[:-1], ends=False)
    assert status == 408


async def test_a_refusal_comes_in_the_media_type_that_was_asked_for(found: Live) -> None:
    for accept, media in ((NEW, NEW), (OLD, OLD), (STREAM, OLD)):
        answer = await found.http.post("/graphql", json={"query": QUERY}, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (401, f"{media}; charset=utf-8")
        assert (answer.headers["www-authenticate"], answer.headers["cache-control"]) == ("Bearer", "no-store")


async def test_a_client_that_also_takes_streams_is_sent_one_for_a_subscription_alone(client: Client) -> None:
    headers = {**client.headers, "accept": f"{NEW}, {OLD}, {STREAM}, multipart/mixed"}
    once = await client.http.post("/graphql", json={"query": QUERY}, headers=headers)
    assert (once.headers["content-type"], once.json()) == (f"{NEW}; charset=utf-8", ANSWER)
    lasting = {"query": 'subscription { page(slug: "home", visitor: "v") { slug } }'}
    async with client.http.stream("POST", "/graphql", json=lasting, headers=headers) as answer:
        assert answer.headers["content-type"].startswith(STREAM)
    refused = await client.http.post("/graphql", json=lasting, headers={**client.headers, "accept": NEW})
    assert said(refused) == (400, "BAD_INPUT")


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
    assert "TOO_COMPLEX" in await streamed(twice % ("slug " * 3_500))
    assert "TOO_DEEP" in await streamed("{a" * 5_000)
    assert "GRAPHQL_VALIDATION_FAILED" in await streamed(twice % "nonsense")


async def test_other_paths_are_not_found_and_the_process_is_well(client: Client) -> None:
    assert (await client.http.get("/nothing")).status_code == 404
    assert (await client.http.get("/health")).json() == {"status": "ok", "store": "ok"}
