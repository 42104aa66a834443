"""What subscribers are told, and when."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from schemas.vocabulary import Scope
from tests.gateway.api.subscribing import (
    BUY,
    FEATURED,
    HELLO,
    VISITS,
    first_product,
    hello,
    said,
    socket,
    until,
)
from tests.gateway.live import Live, live


@pytest.fixture
async def alone(engine_url: str, prefix: str) -> AsyncIterator[Live]:
    async with live(engine_url, prefix, alone=True) as found:
        yield found


async def test_a_page_comes_again_when_its_visitor_acts(alone: Live) -> None:
    await alone.load_shop()
    client = await alone.client(Scope.DELIVERY, Scope.EVENTS, publishable=True)
    async with socket(alone, client) as subscriber:
        await subscriber.subscribe(FEATURED)
        before = await subscriber.hear()
        await client.ask(BUY)
        after = await subscriber.hear()
    assert (before["id"], before["type"]) == ("1", "next")
    assert first_product(before["payload"]) != "mantel-shoes"
    assert first_product(after["payload"]) == "mantel-shoes"


async def test_a_visitor_comes_again_when_another_process_took_an_event(engine_url: str, prefix: str) -> None:
    async with live(engine_url, prefix) as found, live(engine_url, prefix) as other:
        await found.load_shop()
        client = await found.client()
        async with socket(found, client) as subscriber:
            await subscriber.subscribe(VISITS)
            assert (await subscriber.hear())["payload"] == {"data": {"visitor": {"visits": 0}}}
            await other.bearing(client.headers["authorization"].split()[1]).ask(BUY)
            assert (await subscriber.hear())["payload"] == {"data": {"visitor": {"visits": 1}}}


async def test_a_publication_brings_the_page_again(alone: Live) -> None:
    await alone.load(hello("one"))
    async with socket(alone, await alone.client()) as subscriber:
        await subscriber.subscribe(HELLO)
        assert said((await subscriber.hear())["payload"]) == "one"
        await alone.load(hello("two"))
        assert said((await subscriber.hear())["payload"]) == "two"


async def test_what_looks_the_same_is_not_sent_again(alone: Live) -> None:
    await alone.load(hello("one"))
    async with socket(alone, await alone.client()) as subscriber:
        await subscriber.subscribe(HELLO)
        assert said((await subscriber.hear())["payload"]) == "one"
        await alone.load({"blocks": [{"key": "other", "type": "RichText", "data": {"body": "elsewhere"}}]})
        await alone.load(hello("two"))
        assert said((await subscriber.hear())["payload"]) == "two"


async def test_many_events_in_a_burst_are_few_pages_and_the_last_state_arrives(alone: Live) -> None:
    await alone.load_shop()
    client = await alone.client()
    count = 'subscription { visitor(id: "v") { engagement { pageViews } } }'
    view = 'mutation ($id: ID!) { track(events: [{id: $id, type: "view", visitor: "v"}]) { accepted } }'
    async with socket(alone, client) as subscriber:
        await subscriber.subscribe(count)
        await subscriber.hear()
        await asyncio.gather(*(client.ask(view, id=f"e{number}") for number in range(100)))
        pushes, seen = 0, 0
        while seen < 100:
            seen = (await subscriber.hear())["payload"]["data"]["visitor"]["engagement"]["pageViews"]
            pushes += 1
    assert pushes <= 40


async def test_new_block_types_end_no_subscription_and_are_seen_by_it(alone: Live) -> None:
    await alone.load(hello("one"))
    async with socket(alone, await alone.client()) as subscriber:
        await subscriber.subscribe(HELLO)
        assert said((await subscriber.hear())["payload"]) == "one"
        await alone.load(
            {
                "blockTypes": [
                    {"name": "Fresh", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
                ]
            }
        )
        await alone.load(hello("two"))
        assert said((await subscriber.hear())["payload"]) == "two"
        await subscriber.subscribe(
            'subscription { page(slug: "home", visitor: "v") { slots { blocks { content { ... on Fresh { a } } } } } }',
            "2",
        )
        assert (await subscriber.hear())["type"] == "next"


async def test_queries_and_mutations_over_a_socket_use_what_is_published_now(alone: Live) -> None:
    await alone.load(hello("one"))
    query = '{ page(slug: "home") { slots { blocks { data } } } }'
    async with socket(alone, await alone.client()) as subscriber:
        await subscriber.subscribe(query)
        assert said((await subscriber.hear())["payload"]) == "one"
        assert await subscriber.hear() == {"id": "1", "type": "complete"}
        await alone.load(hello("two"))
        await subscriber.subscribe(query)
        assert said((await subscriber.hear())["payload"]) == "two"
        assert await subscriber.hear() == {"id": "1", "type": "complete"}
        await subscriber.subscribe(BUY)
        assert (await subscriber.hear())["payload"] == {"data": {"track": {"accepted": 1}}}
        assert await subscriber.hear() == {"id": "1", "type": "complete"}


async def test_subscriptions_need_their_scope(alone: Live) -> None:
    async with socket(alone, await alone.client(Scope.DELIVERY)) as subscriber:
        await subscriber.subscribe(VISITS)
        message = await subscriber.hear()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_page_that_is_not_there_is_an_error_of_its_subscription_alone(alone: Live) -> None:
    await alone.load(hello("one"))
    async with socket(alone, await alone.client()) as subscriber:
        await subscriber.subscribe(HELLO.replace("home", "nowhere"))
        message = await subscriber.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "NOT_FOUND")
        await subscriber.subscribe(HELLO)
        assert said((await subscriber.hear())["payload"]) == "one"


async def test_who_leaves_is_forgotten(alone: Live) -> None:
    await alone.load_shop()
    notices = (await alone.gateway.space("main")).notices
    async with socket(alone, await alone.client()) as subscriber:
        for number in range(10):
            await subscriber.subscribe(FEATURED, str(number))
        for _ in range(10):
            await subscriber.hear()
        assert notices.watching == 10
        await subscriber.say("complete", id="0")
        await until(lambda: notices.watching == 9)
        subscriber.connection.transport.abort()
        await until(lambda: notices.watching == 0)


# --- server-sent events ---


async def events(stream: httpx.Response) -> AsyncIterator[tuple[str, str]]:
    """(event, data), comments as ("", comment)."""
    kind = ""
    async for line in stream.aiter_lines():
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data":
            yield kind, value.strip()
        elif line:
            yield "", line


async def test_server_sent_events_carry_pages_too(alone: Live) -> None:
    await alone.load(hello("one"))
    client = await alone.client()
    headers = {**client.headers, "accept": "text/event-stream"}
    async with alone.http.stream("POST", "/graphql", json={"query": HELLO}, headers=headers) as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        arriving = (event async for event in events(stream) if event[0])
        kind, data = await anext(arriving)
        assert (kind, said(json.loads(data))) == ("next", "one")
        await alone.load(hello("two"))
        kind, data = await anext(arriving)
        assert (kind, said(json.loads(data))) == ("next", "two")
    notices = (await alone.gateway.space("main")).notices
    await until(lambda: notices.watching == 0)


async def test_one_answer_as_an_event_stream_is_complete_after_it(alone: Live) -> None:
    client = await alone.client()
    headers = {**client.headers, "accept": "text/event-stream"}
    async with alone.http.stream(
        "POST", "/graphql", json={"query": "{ __typename }"}, headers=headers
    ) as stream:
        found = [event async for event in events(stream) if event[0]]
    assert found == [("next", '{"data":{"__typename":"Query"}}'), ("complete", "")]


async def test_an_error_of_an_event_stream_comes_as_an_event(alone: Live) -> None:
    client = await alone.client(Scope.DELIVERY)
    headers = {**client.headers, "accept": "text/event-stream"}
    async with alone.http.stream("POST", "/graphql", json={"query": VISITS}, headers=headers) as stream:
        (kind, data), complete = [event async for event in events(stream) if event[0]]
    assert (kind, complete) == ("next", ("complete", ""))
    assert json.loads(data)["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_subscription_by_plain_post_says_where_it_belongs(alone: Live) -> None:
    refused = await (await alone.client()).refused(FEATURED)
    assert refused["code"] == "BAD_INPUT"
    assert "text/event-stream" in refused["message"]
