import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

FEATURED = (
    'subscription { page(slug: "home", visitor: "v") { basis slot(name: "featured") { blocks { key } } } }'
)
BUY = 'mutation { track(events: [{type: "purchase", visitor: "v", block: "mantel-shoes"}]) { accepted } }'


@asynccontextmanager
async def socket(found: Live, init: dict[str, Any] | None = None) -> AsyncIterator[ClientConnection]:
    address = found.address.replace("http", "ws") + "/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as websocket:  # type: ignore[list-item]
        await websocket.send(json.dumps({"type": "connection_init", "payload": init or {}}))
        yield websocket


async def heard(websocket: ClientConnection) -> Any:
    message = await asyncio.wait_for(websocket.recv(), 5)
    assert isinstance(message, str), "frames are text"
    return json.loads(message)


async def subscribed(found: Live, client: Client, websocket: ClientConnection, query: str) -> Any:
    """The first answer."""
    assert (await heard(websocket))["type"] == "connection_ack"
    await websocket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
    return await heard(websocket)


def first_product(message: Any) -> str:
    key: str = message["payload"]["data"]["page"]["slot"]["blocks"][0]["key"]
    return key


async def test_a_page_comes_again_when_its_visitor_acts(engine_url: str, prefix: str) -> None:
    async with live(engine_url, prefix, alone=True) as found:
        await found.load_shop()
        client = await found.client(Scope.DELIVERY, Scope.EVENTS, publishable=True)
        async with socket(found, dict(client.headers)) as websocket:
            before = await subscribed(found, client, websocket, FEATURED)
            await client.ask(BUY)
            after = await heard(websocket)
    assert first_product(before) != "mantel-shoes"
    assert first_product(after) == "mantel-shoes"


async def test_a_visitor_comes_again_when_another_process_took_an_event(engine_url: str, prefix: str) -> None:
    async with live(engine_url, prefix) as found, live(engine_url, prefix) as other:
        await found.load_shop()
        client = await found.client()
        async with socket(found, dict(client.headers)) as websocket:
            await subscribed(found, client, websocket, 'subscription { visitor(id: "v") { visits } }')
            await other.bearing(client.headers["authorization"].split()[1]).ask(BUY)
            assert (await heard(websocket))["payload"]["data"]["visitor"]["visits"] == 1


async def test_a_publication_brings_the_page_again(engine_url: str, prefix: str) -> None:
    bundle = {
        "blocks": [{"key": "hello", "type": "RichText", "data": {"body": "one"}}],
        "pages": [
            {"slug": "home", "title": "Home", "slots": [{"name": "s", "strategy": "rules", "block": "hello"}]}
        ],
    }
    query = 'subscription { page(slug: "home", visitor: "v") { slots { blocks { data } } } }'
    async with live(engine_url, prefix, alone=True) as found:
        await found.load(bundle)
        client = await found.client()
        async with socket(found, dict(client.headers)) as websocket:
            await subscribed(found, client, websocket, query)
            await found.load({"blocks": [{"key": "hello", "type": "RichText", "data": {"body": "two"}}]})
            message = await heard(websocket)
    assert message["payload"]["data"]["page"]["slots"][0]["blocks"][0]["data"] == {"body": "two"}


@pytest.mark.parametrize("init", [{}, {"authorization": "Bearer nonsense"}, {"authorization": 5}])
async def test_a_socket_without_a_valid_token_is_closed(
    engine_url: str, prefix: str, init: dict[str, Any]
) -> None:
    async with live(engine_url, prefix) as found, socket(found, init) as websocket:
        with pytest.raises(ConnectionClosed) as closed:
            await websocket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_subscriptions_need_their_scope(engine_url: str, prefix: str) -> None:
    async with live(engine_url, prefix) as found:
        client = await found.client(Scope.DELIVERY)
        async with socket(found, dict(client.headers)) as websocket:
            message = await subscribed(found, client, websocket, 'subscription { visitor(id: "v") { id } }')
    errors = message["payload"]["errors"] if isinstance(message["payload"], dict) else message["payload"]
    assert errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_server_sent_events_carry_pages_too(engine_url: str, prefix: str) -> None:
    async with live(engine_url, prefix, alone=True) as found:
        await found.load_shop()
        client = await found.client()
        headers = {**client.headers, "accept": "text/event-stream"}
        async with found.http.stream("POST", "/graphql", json={"query": FEATURED}, headers=headers) as stream:
            lines = stream.aiter_lines()
            first = await anext(line async for line in lines if line.startswith("data:"))
    assert json.loads(first.removeprefix("data:"))["data"]["page"]["basis"] == "PERSONAL"


async def test_a_subscription_by_plain_post_says_where_it_belongs(engine_url: str, prefix: str) -> None:
    async with live(engine_url, prefix) as found:
        refused = await (await found.client()).refused(FEATURED)
    assert refused["code"] == "BAD_INPUT"
    assert "text/event-stream" in refused["message"]
