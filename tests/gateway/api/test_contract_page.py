"""What a frontend gets from `page`: for each visitor, here and now."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from schemas.vocabulary import Scope
from tests.gateway.demo.test_shop import EXPECTED, PERSONAS
from tests.gateway.live import IPHONE, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOWN = """query($visitor: ID, $context: ContextInput, $preview: PreviewInput) {
  page(slug: "home", visitor: $visitor, context: $context, preview: $preview) {
    basis locale cacheKey slots { name blocks { key variant position reason { strategy } } }
  } }"""
TRACK = "mutation($events: [EventInput!]!) { track(events: $events) { accepted visitors { segments } } }"
NOON = "2027-05-12T12:00:00Z"  # a Wednesday
LATE = "2027-05-12T22:00:00Z"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, f"t{uuid4().hex[:12]}", alone=True) as found:
        await found.load_shop()
        yield found


def variants(page: Mapping[str, Any]) -> dict[str, str]:
    """Slots by their first variant."""
    return {slot["name"]: slot["blocks"][0]["variant"] for slot in page["slots"]}


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona["visitor"])
async def test_each_persona_gets_a_page_of_their_own_after_what_they_did(
    shop: Live, persona: Mapping[str, Any]
) -> None:
    client = await shop.client()
    visitor, context = persona["visitor"], persona["context"]
    events = [{**event, "visitor": visitor, "context": context} for event in persona["events"]]
    await client.ask(TRACK, events=events or [{"type": "page_view", "visitor": visitor}])
    page = (await client.ask(SHOWN, visitor=visitor, context=context))["page"]
    shown = variants(page)
    assert {slot: shown[slot] for slot in EXPECTED[visitor]} == EXPECTED[visitor]
    assert (page["basis"], page["locale"]) == ("PERSONAL", context["locale"])


# what the context says, and the variant of the hero that it brings
MOMENTS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "nothing": ({}, "newcomers"),
    "device": ({"device": {"type": "mobile"}}, "mobile"),
    "device and country": ({"device": {"type": "mobile"}, "geo": {"country": "GB"}}, "uk-mobile"),
    "and hour": ({"device": {"type": "mobile"}, "geo": {"country": "GB"}, "time": LATE}, "night-owls-uk"),
    "country and locale": ({"geo": {"country": "FR"}, "locale": "fr-FR"}, "fr"),
    "country, another locale": ({"geo": {"country": "FR"}, "locale": "en"}, "newcomers"),
    "weekday": ({"time": "2027-05-15T12:00:00Z"}, "weekend"),
    "the hour where the visitor is": (
        {"device": {"type": "mobile"}, "geo": {"country": "GB"}, "timezone": "Asia/Tokyo"},
        "night-owls-uk",
    ),
}


@pytest.mark.parametrize(("context", "variant"), MOMENTS.values(), ids=MOMENTS)
async def test_the_context_chooses_without_a_visitor(
    shop: Live, context: Mapping[str, Any], variant: str
) -> None:
    client = await shop.client(Scope.DELIVERY)
    page = (await client.ask(SHOWN, context={"time": NOON, **context}))["page"]
    assert (page["basis"], variants(page)["hero"]) == ("CONTEXTUAL", variant)


async def test_what_the_request_says_of_itself_is_used_and_the_context_wins(shop: Live) -> None:
    client = await shop.client(Scope.DELIVERY)
    headers = {"user-agent": IPHONE, "cf-ipcountry": "GB", "accept-language": "en-GB,en;q=0.8"}
    read = (await client.ask(SHOWN, headers, context={"time": NOON}))["page"]
    said = {"time": NOON, "device": {"type": "desktop"}, "geo": {"country": "FR"}, "locale": "fr-FR"}
    told = (await client.ask(SHOWN, headers, context=said))["page"]
    assert (read["locale"], variants(read)["hero"], variants(read)["notice"]) == (
        "en-GB",
        "uk-mobile",
        "uk-tomorrow",
    )
    assert (told["locale"], variants(told)["hero"], variants(told)["notice"]) == ("fr-FR", "fr", "france")


async def test_a_preview_shows_the_page_of_somebody_else(shop: Live) -> None:
    client = await shop.client(Scope.DELIVERY, Scope.EDITOR)

    async def seen(**preview: Any) -> dict[str, str]:
        return variants((await client.ask(SHOWN, context={"time": NOON}, preview=preview))["page"])

    assert (await seen())["hero"] == "newcomers"
    assert (await seen(segments=["paddlers"]))["hero"] == "paddlers"
    by_taste = await seen(interests={"climbing": 1})
    assert (by_taste["hero"], by_taste["promo"]) == ("climbers", "rope-swap")


async def test_a_preview_needs_the_scope_editor(shop: Live) -> None:
    client = await shop.client(Scope.DELIVERY, Scope.PROFILES)
    assert (await client.refused(SHOWN, preview={"segments": ["paddlers"]}))["code"] == "FORBIDDEN"


async def test_nothing_stands_twice_on_a_page(shop: Live) -> None:
    client = await shop.client()
    query = '{ page(slug: "sale") { slots { name blocks { key position } } } }'
    for slug in ("sale", "home", "journal"):
        slots = (await client.ask(query.replace("sale", slug)))["page"]["slots"]
        keys = [block["key"] for slot in slots for block in slot["blocks"]]
        assert len(keys) == len(set(keys))
        assert all([b["position"] for b in s["blocks"]] == list(range(len(s["blocks"]))) for s in slots)


async def test_the_same_question_has_the_same_answer_and_the_cache_key_follows_the_choices(
    shop: Live,
) -> None:
    client = await shop.client()
    first, again, other = [
        (await client.ask(SHOWN, context={"time": NOON, "device": {"type": device}}))["page"]
        for device in ("desktop", "desktop", "mobile")
    ]
    assert first == again
    assert first["cacheKey"] != other["cacheKey"]


async def test_a_page_that_is_not_published_is_null_and_so_is_an_unknown_slot(shop: Live) -> None:
    client = await shop.client()
    found = await client.ask(
        '{ a: page(slug: "nowhere") { slug } b: page(slug: "home") { slot(name: "none") { name } } }'
    )
    assert found == {"a": None, "b": {"slot": None}}


async def test_content_is_typed_by_its_block_type(shop: Live) -> None:
    client = await shop.client()
    query = """query { page(slug: "home", context: {time: "2027-05-12T12:00:00Z"}) {
      hero: slot(name: "hero") { blocks { ...shown } }
      featured: slot(name: "featured") { blocks { ...shown } } } }
    fragment shown on ChosenBlock { type data html content {
      __typename ... on Hero { headline kicker } ... on Product { price currency } } }"""
    page = (await client.ask(query))["page"]
    for block in (*page["hero"]["blocks"], *page["featured"]["blocks"]):
        names = {"Hero": ("headline", "kicker"), "Product": ("price", "currency")}[block["type"]]
        assert block["content"] == {
            "__typename": block["type"],
            **{name: block["data"].get(name) for name in names},
        }
        assert block["html"].strip().startswith("<")


async def test_a_field_that_a_block_type_does_not_have_is_refused_by_name(shop: Live) -> None:
    client = await shop.client()
    refused = await client.refused(
        '{ page(slug: "home") { slots { blocks { content { ... on Hero { price } } } } } }'
    )
    assert refused["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "price" in refused["message"]
    assert "Hero" in refused["message"]


async def test_a_reason_names_the_rule_the_interests_and_every_candidate(shop: Live) -> None:
    client = await shop.client()
    visitor = "reasons"
    await client.ask(TRACK, events=[{"type": "purchase", "visitor": visitor, "block": "mantel-shoes"}])
    query = """query($visitor: ID) { page(slug: "home", visitor: $visitor, context: {
        time: "2027-05-12T12:00:00Z", device: {type: "desktop"}, geo: {country: "GB"}}) { slots { name blocks {
      key variant reason { strategy summary matched similarity because { tag weight }
        candidates { block variant chosen eligible score summary failed { path operator expected actual } } } } } } }"""
    page = (await client.ask(query, visitor=visitor))["page"]
    slots = {slot["name"]: slot["blocks"][0] for slot in page["slots"]}
    hero, promo, featured = (slots[name]["reason"] for name in ("hero", "promo", "featured"))
    assert (hero["strategy"], promo["strategy"], featured["strategy"]) == ("RULES", "INTEREST", "FEED")
    fates = {candidate["variant"]: candidate for candidate in hero["candidates"]}
    assert [name for name, fate in fates.items() if fate["chosen"]] == ["climbers"]
    assert fates["fr"]["failed"]["path"] == "locale"
    assert fates["mobile"]["failed"] == {
        "path": "device.type",
        "operator": "$eq",
        "expected": "mobile",
        "actual": "desktop",
    }
    assert "climbing" in {interest["tag"] for interest in promo["because"]}
    assert 0 < promo["similarity"] <= 1
    assert "climbing" in featured["summary"]


async def test_a_slot_of_interest_without_a_block_shows_the_best_of_its_filter(shop: Live) -> None:
    slot = {"name": "s", "strategy": "interest", "where": {"type": "Article"}}
    await shop.load({"pages": [{"slug": "one", "title": "One", "slots": [slot]}]})
    client = await shop.client()
    query = """query($p: PreviewInput) { page(slug: "one", preview: $p) {
                 slots { blocks { key tags reason { candidates { chosen } } } } } }"""
    for tag in ("climbing", "kayak", "cycling"):
        page = (await client.ask(query, p={"interests": {tag: 1}}))["page"]
        [block] = page["slots"][0]["blocks"]
        assert tag in block["tags"]
        assert [c["chosen"] for c in block["reason"]["candidates"]].count(True) == 1
