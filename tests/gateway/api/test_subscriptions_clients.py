"""The clients of npm's graphql-ws and graphql-sse, as they are, against a live gateway."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from gateway.app import build_app
from gateway.server import serving
from schemas.vocabulary import Scope
from tests.gateway.api.subscribing import (
    BUY,
    FEATURED,
    HELLO,
    VISITS,
    first_product,
    hello,
    node,
    said,
    until,
)
from tests.gateway.live import Live, live

OVER = pytest.mark.parametrize("over", ["ws", "sse"])


@pytest.fixture
async def gateway(engine_url: str, prefix: str) -> AsyncIterator[Live]:
    async with live(engine_url, prefix, alone=True) as found:
        yield found


@OVER
async def test_a_page_comes_again_when_its_visitor_acts(gateway: Live, over: str) -> None:
    await gateway.load_shop()
    client = await gateway.client(Scope.DELIVERY, Scope.EVENTS, publishable=True)
    async with node(over, gateway.address, client, FEATURED) as subscriber:
        assert first_product(await subscriber.pages()) != "mantel-shoes"
        await client.ask(BUY)
        assert first_product(await subscriber.pages()) == "mantel-shoes"


@OVER
async def test_a_publication_reaches_many_subscriptions_of_one_client(gateway: Live, over: str) -> None:
    await gateway.load(hello("one"))
    many = [HELLO.replace('"v"', f'"v{number}"') for number in range(20)]
    async with node(over, gateway.address, await gateway.client(), *many) as subscriber:
        assert {said((await subscriber.hear("next"))[2]) for _ in many} == {"one"}
        await gateway.load(hello("two"))
        found = [await subscriber.hear("next") for _ in many]
    assert sorted(number for _, number, _ in found) == list(range(20))
    assert {said(page) for _, _, page in found} == {"two"}


@OVER
async def test_who_unsubscribes_or_leaves_frees_what_was_held(gateway: Live, over: str) -> None:
    await gateway.load(hello("one"))
    notices = (await gateway.gateway.space("main")).notices
    async with node(over, gateway.address, await gateway.client(), HELLO, HELLO, HELLO) as subscriber:
        for _ in range(3):
            await subscriber.hear("next")
        assert notices.watching == 3
        await subscriber.say("complete 1")
        assert await subscriber.hear("complete") == ["complete", 1]
        await until(lambda: notices.watching == 2)
        await subscriber.say("dispose")
        await until(lambda: notices.watching == 0)


@OVER
async def test_clients_come_again_when_the_server_was_restarted_and_resume(gateway: Live, over: str) -> None:
    await gateway.load(hello("one"))
    client = await gateway.client()
    async with AsyncExitStack() as server, AsyncExitStack() as others:
        address = await server.enter_async_context(serving(build_app(gateway.gateway), "127.0.0.1", 0))
        subscriber = await others.enter_async_context(node(over, address, client, HELLO))
        assert said(await subscriber.pages()) == "one"
        await server.aclose()
        await gateway.load(hello("two"))
        port = urlsplit(address).port
        assert port
        async with serving(build_app(gateway.gateway), "127.0.0.1", port):
            assert said(await subscriber.pages()) == "two"
            await gateway.load(hello("three"))
            assert said(await subscriber.pages()) == "three"
            await others.aclose()


@OVER
async def test_an_error_reaches_its_subscription_alone(gateway: Live, over: str) -> None:
    await gateway.load(hello("one"))
    client = await gateway.client(Scope.DELIVERY)
    async with node(over, gateway.address, client, VISITS, HELLO) as subscriber:
        heard = [await subscriber.hear("next", "error") for _ in range(2)]
        refused, page = sorted(heard, key=lambda found: int(found[1]))
        assert said(page[2]) == "one"
        assert "FORBIDDEN" in str(refused[2])
        await gateway.load(hello("two"))
        assert said(await subscriber.pages(1)) == "two"


async def test_a_client_whose_token_is_not_known_is_told_so(gateway: Live) -> None:
    async with node("ws", gateway.address, gateway.bearing("nonsense"), HELLO) as subscriber:
        assert (await subscriber.hear("closed"))[1] == 4403


@OVER
async def test_a_query_over_the_same_line_is_answered_and_complete(gateway: Live, over: str) -> None:
    async with node(over, gateway.address, await gateway.client(), "{ __typename }") as subscriber:
        assert await subscriber.hear("next") == ["next", 0, {"data": {"__typename": "Query"}}]
        assert await subscriber.hear("complete") == ["complete", 0]
