"""`graphql-transport-ws` to the letter, and what ends a connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from gateway import server
from gateway.api import sockets, streams
from gateway.app import build_app
from schemas.vocabulary import Scope
from tests.gateway.api.subscribing import HELLO, hello, raw_socket, said, socket, until
from tests.gateway.api.test_subscriptions import events
from tests.gateway.live import Live, live


@pytest.fixture
async def gateway(engine_url: str, prefix: str) -> AsyncIterator[Live]:
    async with live(engine_url, prefix, alone=True, cors_origins=["https://shop.example"]) as found:
        await found.load(hello("one"))
        yield found


@pytest.mark.parametrize("init", [{}, {"authorization": "Bearer nonsense"}, {"authorization": 5}])
async def test_a_socket_without_a_valid_token_is_closed(gateway: Live, init: dict[str, Any]) -> None:
    async with raw_socket(gateway) as found:
        await found.say("connection_init", payload=init)
        assert await found.code() == 4403


async def test_the_token_may_come_with_the_handshake(gateway: Live) -> None:
    client = await gateway.client()
    async with raw_socket(gateway, additional_headers=dict(client.headers)) as found:
        await found.say("connection_init")
        assert await found.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_the_tokens_name_may_be_written_either_way(gateway: Live, name: str) -> None:
    token = (await gateway.client()).headers["authorization"]
    async with raw_socket(gateway) as found:
        await found.say("connection_init", payload={name: token})
        assert await found.hear() == {"type": "connection_ack"}


WRONG = [
    ("no JSON", 4400),
    ("[]", 4400),
    ("5", 4400),
    ('{"id": "1"}', 4400),
    ('{"type": 5}', 4400),
    ('{"type": "start", "id": "1"}', 4400),
    ('{"type": "connection_init"}', 4429),
    ('{"type": "subscribe", "payload": {"query": "{ __typename }"}}', 4400),
    ('{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}', 4400),
    ('{"type": "subscribe", "id": 5, "payload": {"query": "{ __typename }"}}', 4400),
    (json.dumps({"type": "subscribe", "id": "x" * 201, "payload": {"query": "{ __typename }"}}), 4400),
    ('{"type": "subscribe", "id": "1"}', 4400),
    ('{"type": "subscribe", "id": "1", "payload": {"query": 5}}', 4400),
    ('{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}', 4400),
    ('{"type": "complete"}', 4400),
    (b"{}", 4400),
]


@pytest.mark.parametrize(("message", "code"), WRONG, ids=[str(message)[:60] for message, _ in WRONG])
async def test_a_message_that_is_none_closes_the_connection(
    gateway: Live, message: str | bytes, code: int
) -> None:
    async with socket(gateway, await gateway.client()) as found:
        await found.connection.send(message)
        assert await found.code() == code


async def test_before_it_is_acknowledged_nothing_can_be_asked(gateway: Live) -> None:
    async with raw_socket(gateway) as found:
        await found.say("ping")
        assert await found.hear() == {"type": "pong"}
        await found.subscribe(HELLO)
        assert await found.code() == 4401


async def test_the_first_message_is_short(gateway: Live) -> None:
    async with raw_socket(gateway) as found:
        await found.say("connection_init", payload={"authorization": "x" * sockets.LONGEST_FIRST})
        assert await found.code() == 4400


async def test_an_id_that_is_in_use_closes_the_connection_and_one_that_is_free_again_does_not(
    gateway: Live,
) -> None:
    async with socket(gateway, await gateway.client()) as found:
        for _ in range(3):
            await found.subscribe(HELLO)
            assert said((await found.hear())["payload"]) == "one"
            await found.say("complete", id="1")
        await found.subscribe(HELLO)
        await found.subscribe(HELLO)
        assert await found.code() == 4409


async def test_a_ping_is_answered_and_a_pong_is_not(gateway: Live) -> None:
    async with socket(gateway, await gateway.client()) as found:
        await found.say("pong")
        await found.say("ping", payload={"any": "thing"})
        assert await found.hear() == {"type": "pong"}


async def test_a_document_that_does_not_fit_is_an_error_and_the_connection_stays(gateway: Live) -> None:
    async with socket(gateway, await gateway.client()) as found:
        await found.subscribe("{ nothing }")
        message = await found.hear()
        assert (message["id"], message["type"]) == ("1", "error")
        assert message["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        await found.subscribe("{ __typename }")
        assert (await found.hear())["payload"] == {"data": {"__typename": "Query"}}


async def test_who_says_nothing_is_closed(gateway: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PATIENCE", 0.05)
    async with raw_socket(gateway) as found:
        assert await found.code() == 4408


async def test_another_protocol_is_not_spoken(gateway: Live) -> None:
    async with raw_socket(gateway, subprotocols=None) as found:
        assert await found.code() == 4406


async def test_a_page_of_another_site_opens_no_socket(gateway: Live) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with raw_socket(gateway, origin="https://elsewhere.example"):
            pass
    assert refused.value.response.status_code == 403
    for origin in ("https://shop.example", gateway.address):
        async with raw_socket(gateway, origin=origin) as found:
            await found.say("ping")
            assert await found.hear() == {"type": "pong"}


async def test_more_operations_than_a_connection_may_have_are_refused(
    gateway: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_OPERATIONS", 2)
    async with socket(gateway, await gateway.client()) as found:
        for name in ("1", "2"):
            await found.subscribe(HELLO, name)
            assert (await found.hear())["type"] == "next"
        await found.subscribe(HELLO, "3")
        message = await found.hear()
        assert (message["id"], message["payload"][0]["extensions"]["code"]) == ("3", "OVERLOADED")


async def test_more_subscribers_than_a_process_may_have_are_told_to_come_later(
    engine_url: str, prefix: str
) -> None:
    async with live(engine_url, prefix, alone=True, max_subscriptions=1) as found:
        await found.load(hello("one"))
        client = await found.client()
        streaming = {**client.headers, "accept": "text/event-stream"}
        async with socket(found, client) as first:
            await first.subscribe(HELLO)
            assert (await first.hear())["type"] == "next"
            await first.subscribe(HELLO, "2")
            assert (await first.hear())["payload"][0]["extensions"]["code"] == "OVERLOADED"
            async with raw_socket(found) as second:
                assert await second.code() == 1013
            refused = await found.http.post("/graphql", json={"query": HELLO}, headers=streaming)
            assert refused.json()["errors"][0]["extensions"] == {"code": "OVERLOADED", "retryable": True}
        async with socket(found, client) as again:
            await again.subscribe(HELLO)
            assert (await again.hear())["type"] == "next"


async def test_a_message_that_is_too_long_closes_the_connection(gateway: Live) -> None:
    async with socket(gateway, await gateway.client()) as found:
        await found.subscribe("{ __typename }" + " " * server.LONGEST_MESSAGE)
        assert await found.code() == 1009


# --- tokens end ---


@pytest.fixture
async def beating(engine_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Live]:
    """With short beats."""
    monkeypatch.setattr(streams, "BEAT", 0.02)
    async with live(engine_url, prefix, alone=True) as found:
        await found.load(hello("one"))
        yield found


async def test_with_its_token_a_connection_ends(beating: Live) -> None:
    token, stored = await beating.gateway.tokens.create("main", tuple(Scope), "test")
    client = beating.bearing(token)
    streaming = {**client.headers, "accept": "text/event-stream"}
    async with (
        socket(beating, client) as found,
        beating.http.stream("POST", "/graphql", json={"query": HELLO}, headers=streaming) as stream,
    ):
        await found.subscribe(HELLO)
        assert (await found.hear())["type"] == "next"
        await beating.gateway.tokens.revoke(stored.digest, "main")
        assert await found.code() == 4403
        *_, (kind, data), complete = [event async for event in events(stream) if event[0]]
    assert (kind, complete) == ("next", ("complete", ""))
    assert json.loads(data)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_expired_token_is_told_nothing_more(gateway: Live) -> None:
    token, _ = await gateway.gateway.tokens.create("main", tuple(Scope), "test", lives=timedelta(seconds=0.5))
    async with socket(gateway, gateway.bearing(token)) as found:
        await found.subscribe(HELLO)
        assert said((await found.hear())["payload"]) == "one"
        await asyncio.sleep(0.5)
        await gateway.load(hello("two"))
        assert await found.code() == 4403


# --- keeping alive, and who does not read ---


async def test_a_stream_without_news_shows_that_it_lives(beating: Live) -> None:
    client = await beating.client()
    headers = {**client.headers, "accept": "text/event-stream"}
    async with beating.http.stream("POST", "/graphql", json={"query": HELLO}, headers=headers) as stream:
        found = events(stream)
        seen = [await anext(found) for _ in range(5)]
        await found.aclose()
    assert [kind for kind, _ in seen].count("next") == 1
    assert seen[-1] == ("", ":")


async def test_a_socket_is_pinged_and_one_that_does_not_answer_is_cut(
    engine_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PING", 0.1)
    monkeypatch.setattr(server, "LAST_WORDS", 0.1)
    async with live(engine_url, prefix, alone=True) as found:
        await found.load(hello("one"))
        notices = (await found.gateway.space("main")).notices
        async with socket(found, await found.client()) as alive:
            await alive.subscribe(HELLO)
            await alive.hear()
            async with socket(found, await found.client()) as dead:
                await dead.subscribe(HELLO)
                await dead.hear()
                dead.connection.transport.pause_reading()
                await until(lambda: notices.watching == 1)
            await found.load(hello("two"))
            assert said((await alive.hear())["payload"]) == "two"


async def test_who_does_not_read_delays_nobody_and_is_cut(
    engine_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STALLED", 0.3)
    long = "x" * 250_000
    async with live(engine_url, prefix, alone=True) as found:
        await found.load(hello(long))
        notices = (await found.gateway.space("main")).notices
        async with socket(found, await found.client()) as reader, socket(found, await found.client()) as idle:
            await reader.subscribe(HELLO)
            await reader.hear()
            idle.connection.transport.pause_reading()
            for number in range(90):
                await idle.subscribe(HELLO, str(number))
            await until(lambda: notices.watching > 1)
            await found.load(hello("two"))
            assert said((await reader.hear())["payload"]) == "two"
            await until(lambda: notices.watching == 1)


# --- the end ---


async def test_when_the_server_stops_streams_end_at_once_and_nothing_is_left(
    gateway: Live, caplog: pytest.LogCaptureFixture
) -> None:
    client = await gateway.client()
    notices = (await gateway.gateway.space("main")).notices
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(server.serving(build_app(gateway.gateway), "127.0.0.1", 0))
        async with socket(replace(gateway, address=address), client) as subscriber:
            await subscriber.subscribe(HELLO)
            await subscriber.hear()
            code = asyncio.create_task(subscriber.code())
            cut = asyncio.create_task(read_until_cut(f"{address}/graphql", dict(client.headers)))
            await until(lambda: notices.watching == 2)
            began = loop.time()
            await stack.aclose()
            assert loop.time() - began < server.GRACE / 2
            assert await code == 1012  # the service restarts: clients come again
            await cut
    assert notices.watching == 0
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []
    ours = ("beats", "notices")
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith(ours)] == []


async def read_until_cut(url: str, headers: dict[str, str]) -> None:
    """No `complete`, after which a client would not come again."""
    headers["accept"] = "text/event-stream"
    seen: list[str] = []
    async with (
        httpx.AsyncClient() as http,
        http.stream("POST", url, json={"query": HELLO}, headers=headers) as stream,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            await note(stream, seen)
    assert seen.count("next") == 1
    assert "complete" not in seen


async def note(stream: httpx.Response, seen: list[str]) -> None:
    async for kind, _ in events(stream):
        seen.append(kind)  # what came before an error counts
