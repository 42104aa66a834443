"""The shop's segments of behaviour hold for those whose events say so, on the very next page."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx
import pytest

from gateway.app import build_app
from gateway.demo.asking import Frontend
from gateway.demo.contents import open_space, tell_stories
from gateway.demo.stages import stages
from gateway.services.gateway import Gateway
from gateway.services.running import running
from gateway.services.signals import LAG
from gateway.settings import Settings

SHOP = stages()[0]
BEHAVIOUR = {
    "engaged-buyers", "high-value", "frequent-buyers", "browsers", "deal-seekers", "cart-abandoners", "uk-mobile",
}  # fmt: skip
PAGE = """query ($visitor: ID!, $context: ContextInput, $atLeast: String) {
  page(slug: "home", visitor: $visitor, context: $context, atLeast: $atLeast) {
    slot(name: "notice") { blocks { variant } } } }"""
VISITOR = """query ($visitor: ID!) { visitor(id: $visitor) { segments
  engagement { level percentile recentSessions { bounced lastPage } lastPages { page } orders { count average }
    recentConversions { type source campaign } } } }"""
TRACK = """mutation ($events: [EventInput!]!) {
  track(events: $events) { accepted visitors { segments profileVersion } } }"""


@pytest.fixture
async def gateway(engine_url: str, prefix: str) -> AsyncIterator[Gateway]:
    async with running(Settings(mongodb_url=engine_url, database=prefix, consent="opt-out")) as gateway:
        await tell_stories(await open_space(gateway, "shop"), SHOP)
        yield gateway


@pytest.fixture
async def shop(gateway: Gateway) -> AsyncIterator[Frontend]:
    transport = httpx.ASGITransport(build_app(gateway, open_access=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield Frontend(http)


async def segments(shop: Frontend, visitor: str) -> set[str]:
    found = (await shop.ask("shop", VISITOR, visitor=visitor)).data["visitor"]
    return set(found["segments"]) & BEHAVIOUR if found else set()


async def track(shop: Frontend, visitor: str, *events: Mapping[str, Any]) -> tuple[set[str], str]:
    sent: Sequence[Mapping[str, Any]] = [{"visitor": visitor, **event} for event in events]
    taken = (await shop.ask("shop", TRACK, events=sent)).data["track"]
    assert taken["accepted"] == len(events)
    (found,) = taken["visitors"]
    return set(found["segments"]) & BEHAVIOUR, found["profileVersion"]


async def notice(shop: Frontend, visitor: str, at_least: str | None = None) -> str:
    answer = await shop.ask("shop", PAGE, visitor=visitor, atLeast=at_least)
    return str(answer.data["page"]["slot"]["blocks"][0]["variant"])


async def test_the_stories_of_the_personas_put_them_into_segments(shop: Frontend) -> None:
    assert {persona.visitor: await segments(shop, persona.visitor) for persona in SHOP.personas} == {
        "maya": set(),
        "brandl": {"engaged-buyers", "cart-abandoners"},
        "ingrid": {"frequent-buyers"},
        "jack": {"cart-abandoners"},
        "haruka": set(),
        "dana": {"deal-seekers", "cart-abandoners"},
    }


async def test_the_page_follows_what_they_did(shop: Frontend) -> None:
    assert [await notice(shop, visitor) for visitor in ("jack", "ingrid", "haruka")] == [
        "cart", "frequent-buyers", "default",
    ]  # fmt: skip
    _, version = await track(shop, "jack", {"type": "purchase", "block": "tern-vest", "value": 99})
    assert await notice(shop, "jack", version) == "default"


async def test_who_looks_around_becomes_a_browser_and_then_a_buyer(shop: Frontend) -> None:
    pages = [{"type": "page_view", "page": f"/trips/{number}"} for number in range(5)]
    assert (await track(shop, "tom", *pages[:4]))[0] == set()
    assert (await track(shop, "tom", pages[4]))[0] == {"browsers"}
    reading = [
        {"type": "view", "block": "hearth-tent"},
        {"type": "dwell", "block": "hearth-tent", "value": 130},
        {"type": "add_to_cart", "block": "hearth-tent"},
    ]
    assert (await track(shop, "tom", *reading))[0] == {"engaged-buyers"}
    buying = [{"type": "purchase", "block": "hearth-tent", "value": 10 * number} for number in range(6)]
    assert (await track(shop, "tom", *buying))[0] == {"engaged-buyers", "frequent-buyers"}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "coupon"},
        {"type": "page_view", "page": "/sale"},
        {
            "type": "page_view",
            "properties": {"context": {"campaign": {"source": "mail", "campaign": "deals"}}},
        },
        {"type": "purchase", "block": "rook-helmet"},
    ],
)
async def test_deals_are_sought_in_many_ways(shop: Frontend, event: Mapping[str, Any]) -> None:
    assert (await track(shop, "eve", event))[0] == {"deal-seekers"}


async def test_the_most_engaged_are_of_high_value(shop: Frontend, gateway: Gateway) -> None:
    assert "high-value" not in await segments(shop, "ingrid")
    space = await gateway.space("shop")
    published = space.shelf.edition.catalogue.by_key
    await space.shelf.show(await space.signals.update(0.0, published, time.time() + LAG))
    assert {
        visitor for visitor in ("maya", "ingrid", "jack") if "high-value" in await segments(shop, visitor)
    } == {"ingrid"}


async def test_an_editor_sees_what_a_visitor_did(shop: Frontend) -> None:
    landing = {"context": {"url": "https://shop.example/?utm_source=mail&utm_campaign=may"}}
    await track(shop, "tom", {"type": "page_view", "page": "home", "properties": landing})
    await track(shop, "tom", {"type": "page_view", "page": "/cart"}, {"type": "purchase", "value": 30})
    found = (await shop.ask("shop", VISITOR, visitor="tom")).data["visitor"]["engagement"]
    assert found == {
        "level": "medium",
        "percentile": None,
        "recentSessions": [{"bounced": False, "lastPage": "/cart"}],
        "lastPages": [{"page": "/cart"}, {"page": "home"}],
        "orders": {"count": 1, "average": 30.0},
        "recentConversions": [{"type": "purchase", "source": "mail", "campaign": "may"}],
    }
