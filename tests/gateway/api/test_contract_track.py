"""What visitors did, and how soon it shows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACK = """mutation($events: [EventInput!]!) { track(events: $events) {
  accepted duplicates rejected { index id code } visitors { id } } }"""
VISITOR = "query($id: ID!) { visitor(id: $id) { id visits profileVersion %s } }"
LIKING = "interests { tag weight } segments engagement { pageViews conversions revenue sessions }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, f"t{uuid4().hex[:12]}", alone=True) as found:
        await found.load_shop()
        yield found


async def visitor(client: Client, name: str, fields: str = LIKING) -> Any:
    return (await client.ask(VISITOR % fields, id=name))["visitor"]


async def tracked(client: Client, *events: dict[str, Any]) -> Any:
    return (await client.ask(TRACK, events=list(events)))["track"]


async def featured(client: Client, name: str, at_least: str | None = None) -> list[str]:
    page = await client.ask(
        """query($v: ID!, $a: String) { page(slug: "home", visitor: $v, atLeast: $a) {
             slot(name: "featured") { blocks { key } } } }""",
        v=name,
        a=at_least,
    )
    return [block["key"] for block in page["page"]["slot"]["blocks"]]


async def test_the_very_next_page_knows_what_was_tracked(shop: Live) -> None:
    client = await shop.client()
    for block in ("mantel-shoes", "eider-kayak"):
        name = f"next-{block}"
        assert (await featured(client, name))[0] != block
        assert (await tracked(client, {"type": "purchase", "visitor": name, "block": block}))["accepted"] == 1
        assert (await featured(client, name))[0] == block


async def test_every_event_of_many_in_a_row_shows_at_once(shop: Live) -> None:
    client = await shop.client()
    for seen in range(1, 11):
        await tracked(client, {"type": "view", "visitor": "walker", "block": "karst-rope"})
        found = await visitor(client, "walker", "engagement { pageViews }")
        assert found["engagement"]["pageViews"] == seen


async def test_the_answer_of_track_carries_the_new_state_and_a_version_that_a_page_can_ask_for(
    shop: Live,
) -> None:
    client = await shop.client()
    answer = await client.ask(
        """mutation { track(events: [{type: "purchase", visitor: "ver", block: "eider-kayak", value: 900}]) {
             visitors { id segments visits profileVersion interests(first: 1) { tag weight }
                        engagement { conversions revenue } } } }"""
    )
    [found] = answer["track"]["visitors"]
    version = found.pop("profileVersion")
    [interest] = found.pop("interests")
    assert interest["tag"] in {"kayak", "water"}
    assert {"paddlers", "customers", "newcomers"} <= set(found.pop("segments"))
    assert found == {"id": "ver", "visits": 1, "engagement": {"conversions": 1, "revenue": 900.0}}
    assert (await featured(client, "ver", version))[0] == "eider-kayak"
    assert (await visitor(client, "ver"))["profileVersion"] == version


async def test_a_version_that_is_none_is_refused(shop: Live) -> None:
    client = await shop.client()
    refused = await client.refused('{ page(slug: "home", visitor: "v", atLeast: "tomorrow") { slug } }')
    assert refused["code"] == "BAD_INPUT"


async def test_an_event_counts_once_however_often_it_is_sent(shop: Live) -> None:
    client = await shop.client()
    event = {"id": "once", "type": "purchase", "visitor": "twice", "block": "karst-rope", "value": 10}
    first = await tracked(client, event, event)
    before = await visitor(client, "twice")
    again = await tracked(client, event, {**event, "value": 99})
    assert (first["accepted"], first["duplicates"]) == (1, 1)
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert again["visitors"] == [{"id": "twice"}]
    assert await visitor(client, "twice") == before


async def test_what_cannot_be_right_is_rejected_by_its_place_and_the_rest_is_taken(shop: Live) -> None:
    client = await shop.client()
    good = {"type": "view", "visitor": "mixed"}
    taken = await tracked(
        client,
        {**good, "id": "m0"},
        {**good, "id": "m1", "type": "no such word"},
        {**good, "id": "m2", "occurredAt": "1999-01-01T00:00:00Z"},
        {**good, "id": "m3", "properties": [1]},
        {**good, "id": "m4", "properties": {"text": "x" * 40_000}},
        {**good, "id": "m5", "type": "consent"},
        {**good, "id": "m0"},
        {**good, "id": "m7", "context": {"geo": {"country": "Atlantis"}}},
    )
    assert taken == {
        "accepted": 1,
        "duplicates": 1,
        "rejected": [
            {"index": 1, "id": "m1", "code": "BAD_INPUT"},
            {"index": 2, "id": "m2", "code": "BAD_TIME"},
            {"index": 3, "id": "m3", "code": "BAD_INPUT"},
            {"index": 4, "id": "m4", "code": "TOO_LARGE"},
            {"index": 5, "id": "m5", "code": "BAD_INPUT"},
            {"index": 7, "id": "m7", "code": "BAD_INPUT"},
        ],
        "visitors": [{"id": "mixed"}],
    }
    again = await tracked(client, {**good, "id": "m1"}, {**good, "id": "m7"})
    assert again["accepted"] == 2  # the ids were not used up


async def test_visitors_come_in_the_order_sent_each_once(shop: Live) -> None:
    client = await shop.client()
    sent = ["zoe", "adam", "zoe", "mia", "adam"]
    taken = await tracked(client, *({"type": "view", "visitor": name} for name in sent))
    assert [found["id"] for found in taken["visitors"]] == ["zoe", "adam", "mia"]
    again = await tracked(client, *({"type": "view", "visitor": name} for name in reversed(sent)))
    assert [found["id"] for found in again["visitors"]] == ["adam", "mia", "zoe"]


async def test_events_of_earlier_days_count_as_visits_of_their_own(shop: Live) -> None:
    client = await shop.client()
    today = datetime.now(UTC)
    times = [(today - timedelta(days=days)).isoformat() for days in (9, 7, 7)]
    events = [{"type": "view", "visitor": "often", "occurredAt": time} for time in times]
    assert (await tracked(client, *events))["accepted"] == 3
    found = await visitor(client, "often")
    assert (found["visits"], found["engagement"]["pageViews"]) == (2, 3)
    assert "returning" in found["segments"]


async def test_a_dismissed_block_teaches_the_opposite(shop: Live) -> None:
    client = await shop.client()
    await tracked(client, {"type": "dismiss", "visitor": "against", "block": "eider-kayak"})
    interests = {i["tag"]: i["weight"] for i in (await visitor(client, "against"))["interests"]}
    assert interests["kayak"] < 0
    assert "eider-kayak" not in await featured(client, "against")


async def test_interests_are_a_unit_vector_the_largest_first(shop: Live) -> None:
    client = await shop.client()
    for block in ("mantel-shoes", "story-rope"):
        await tracked(client, {"type": "click", "visitor": "unit", "block": block})
    found = (await visitor(client, "unit", "interests(first: 1000) { tag weight }"))["interests"]
    weights = [interest["weight"] for interest in found]
    assert sum(weight * weight for weight in weights) == pytest.approx(1)
    assert weights == sorted(weights, reverse=True)
    three = await visitor(client, "unit", "interests(first: 3) { tag weight }")
    assert three["interests"] == found[:3]


async def test_events_about_blocks_that_are_not_there_are_kept_and_teach_nothing(shop: Live) -> None:
    client = await shop.client()
    await tracked(client, {"type": "purchase", "visitor": "elsewhere", "block": "not-ours"})
    found = await visitor(client, "elsewhere")
    assert (found["interests"], found["engagement"]["conversions"]) == ([], 1)


GREETING = {
    "segments": [{"key": "gold", "when": {"visitor.traits.plan": "gold"}}],
    "blocks": [
        {
            "key": "greeting",
            "type": "RichText",
            "data": {"body": "hello"},
            "variants": [
                {"key": "gold", "when": {"segments": {"$in": ["gold"]}}, "patch": {"body": "hello, gold"}}
            ],
        }
    ],
    "pages": [
        {
            "slug": "greeting",
            "title": "Hello",
            "slots": [{"name": "s", "strategy": "rules", "block": "greeting"}],
        }
    ],
}


async def test_traits_decide_in_a_segment_and_the_page_shows_it(shop: Live) -> None:
    await shop.load(GREETING)
    client = await shop.client()

    async def seen() -> Any:
        return await client.ask(
            """{ page(slug: "greeting", visitor: "trait") { slots { blocks { data } } }
                 visitor(id: "trait") { segments } }"""
        )

    async def identified(plan: str) -> Any:
        query = 'mutation($traits: JSON!) { identify(visitor: "trait", traits: $traits) { id segments } }'
        return (await client.ask(query, traits={"plan": plan, "seats": 3}))["identify"]

    before = await seen()
    assert before == {"page": {"slots": [{"blocks": [{"data": {"body": "hello"}}]}]}, "visitor": None}
    assert "gold" in (await identified("gold"))["segments"]
    after = await seen()
    assert after["page"]["slots"][0]["blocks"] == [{"data": {"body": "hello, gold"}}]
    assert "gold" in after["visitor"]["segments"]
    assert "gold" not in (await identified("basic"))["segments"]
    assert (await seen())["page"] == before["page"]
