"""What a visitor agrees to, and what is left when they do not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACK = """mutation($e: [EventInput!]!) { track(events: $e) {
  accepted duplicates rejected { index code } visitors { id } } }"""
CONSENT = """mutation($v: ID!, $p: [ConsentPurpose!]!, $g: Boolean!) {
  consent(visitor: $v, purposes: $p, granted: $g) { id consent } }"""
FORGET = "mutation($v: ID!) { forget(visitor: $v) { visitor profiles events decisions } }"
VISITOR = """query($v: ID!) { visitor(id: $v) {
  id visits consent interests(first: 5) { tag } engagement { pageViews conversions } } }"""
PAGE = """query($v: ID!) { page(slug: "home", visitor: $v) {
  basis slots { name blocks { decision key variant score reason { similarity } } } } }"""
PLAIN = PAGE.replace("decision ", "")
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(engine_url: str) -> AsyncIterator[Live]:
    """Where visitors are asked first."""
    async with live(engine_url, f"t{uuid4().hex[:12]}", alone=True, consent="opt-in") as found:
        await found.load_shop()
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, f"t{uuid4().hex[:12]}", alone=True) as found:
        await found.load_shop()
        yield found


def bought(visitor: str, block: str = "mantel-shoes", **fields: Any) -> dict[str, Any]:
    return {"type": "purchase", "visitor": visitor, "block": block, **fields}


async def track(client: Client, *events: dict[str, Any], **headers: str) -> Any:
    return (await client.ask(TRACK, headers, e=list(events)))["track"]


async def page(client: Client, visitor: str, query: str = PLAIN, **headers: str) -> Any:
    return (await client.ask(query, headers, v=visitor))["page"]


async def test_nothing_is_remembered_before_a_visitor_agrees(asking: Live) -> None:
    client = await asking.client()
    stranger = await page(client, "shy")
    taken = await track(client, bought("shy", id="shy-1"))
    assert taken["rejected"] == [{"index": 0, "code": "CONSENT_REQUIRED"}]
    assert (await client.ask(VISITOR, v="shy"))["visitor"] is None
    assert await page(client, "shy") == stranger
    assert stranger["basis"] == "CONTEXTUAL"

    said = await client.ask(CONSENT, v="shy", p=["PERSONALIZATION", "ANALYTICS"], g=True)
    assert said["consent"] == {"id": "shy", "consent": ["ANALYTICS", "PERSONALIZATION"]}
    again = await track(client, bought("shy", id="shy-1"))
    assert again["accepted"] == 1, "the refused event's id is free"
    found = await page(client, "shy")
    assert found["basis"] == "PERSONAL"
    featured = next(slot for slot in found["slots"] if slot["name"] == "featured")
    assert featured["blocks"][0]["key"] == "mantel-shoes"


async def test_who_agrees_to_analytics_alone_is_counted_and_not_learned_from(asking: Live) -> None:
    client = await asking.client()
    await client.ask(CONSENT, v="counted", p=["ANALYTICS"], g=True)
    assert (await track(client, bought("counted")))["accepted"] == 1
    found = (await client.ask(VISITOR, v="counted"))["visitor"]
    assert (found["interests"], found["engagement"]["conversions"]) == ([], 1)
    assert (await page(client, "counted"))["basis"] == "CONTEXTUAL"


async def test_withdrawing_removes_what_was_learned_and_a_new_agreement_starts_anew(asking: Live) -> None:
    client = await asking.client()
    stranger = await page(client, "changed")
    await client.ask(CONSENT, v="changed", p=["PERSONALIZATION"], g=True)
    await track(client, bought("changed"))
    assert (await client.ask(VISITOR, v="changed"))["visitor"]["interests"]
    await client.ask(CONSENT, v="changed", p=["PERSONALIZATION"], g=False)
    found = (await client.ask(VISITOR, v="changed"))["visitor"]
    assert (found["interests"], found["consent"]) == ([], [])
    assert await page(client, "changed") == stranger
    assert (await track(client, bought("changed")))["rejected"][0]["code"] == "CONSENT_REQUIRED"

    await client.ask(CONSENT, v="changed", p=["PERSONALIZATION"], g=True)
    assert (await client.ask(VISITOR, v="changed"))["visitor"]["interests"] == []
    await track(client, bought("changed", "eider-kayak"))
    tags = {i["tag"] for i in (await client.ask(VISITOR, v="changed"))["visitor"]["interests"]}
    assert tags & {"kayak", "water"}
    assert "climbing" not in tags


async def test_what_one_visitor_agreed_to_says_nothing_of_another(asking: Live) -> None:
    client = await asking.client()
    await client.ask(CONSENT, v="one", p=["PERSONALIZATION", "ANALYTICS"], g=True)
    taken = await track(client, bought("one"), bought("two"), bought("one", "eider-kayak"))
    assert (taken["accepted"], taken["rejected"]) == (2, [{"index": 1, "code": "CONSENT_REQUIRED"}])
    assert [found["id"] for found in taken["visitors"]] == ["one", "two"]


async def test_global_privacy_control_stands_for_a_refusal_until_the_visitor_agrees_here(shop: Live) -> None:
    client = await shop.client()
    refused = await track(client, bought("signal"), **{"sec-gpc": "1"})
    assert refused["rejected"] == [{"index": 0, "code": "CONSENT_REQUIRED"}]
    assert (await page(client, "signal", **{"sec-gpc": "1"}))["basis"] == "CONTEXTUAL"
    await client.ask(CONSENT, v="signal", p=["PERSONALIZATION", "ANALYTICS"], g=True)
    assert (await track(client, bought("signal"), **{"sec-gpc": "1"}))["accepted"] == 1
    assert (await page(client, "signal", **{"sec-gpc": "1"}))["basis"] == "PERSONAL"


async def test_one_browser_without_the_signal_is_personal_and_with_it_is_not(shop: Live) -> None:
    client = await shop.client()
    await track(client, bought("both"))
    without = await page(client, "both")
    withheld = await page(client, "both", **{"sec-gpc": "1"})
    assert (without["basis"], withheld["basis"]) == ("PERSONAL", "CONTEXTUAL")
    assert withheld["slots"] == (await page(client, "never-seen", **{"sec-gpc": "1"}))["slots"]


async def test_a_bot_gets_the_page_of_nobody(shop: Live) -> None:
    client = await shop.client()
    await track(client, bought("crawled"))
    seen = await page(client, "crawled", **{"user-agent": BOT})
    assert seen["basis"] == "CONTEXTUAL"
    assert {block["reason"]["similarity"] for slot in seen["slots"] for block in slot["blocks"]} == {None}
    assert (await page(client, "crawled"))["basis"] == "PERSONAL"


async def test_a_page_without_a_visitor_is_contextual(shop: Live) -> None:
    client = await shop.client()
    assert (await client.ask('{ page(slug: "home") { basis } }'))["page"]["basis"] == "CONTEXTUAL"


async def test_what_is_forgotten_is_gone_everywhere_and_others_stay(shop: Live) -> None:
    client = await shop.client()
    fresh = await page(client, "gone")
    for name in ("gone", "stays"):
        await track(client, bought(name, id=f"{name}-1"), {"type": "view", "visitor": name})
        await client.ask(
            'mutation($v: ID!) { identify(visitor: $v, traits: {mail: "a@example.org"}) { id } }', v=name
        )
    seen = [await page(client, name, PAGE) for name in ("gone", "stays", "gone")]
    decisions = [found["slots"][0]["blocks"][0]["decision"] for found in seen]

    forgotten = (await client.ask(FORGET, v="gone"))["forget"]
    assert forgotten == {"visitor": "gone", "profiles": 1, "events": 2, "decisions": 2}
    assert (await client.ask(VISITOR, v="gone"))["visitor"] is None
    assert (await client.ask(VISITOR, v="stays"))["visitor"]["engagement"]["conversions"] == 1
    assert await page(client, "gone") == fresh
    replays = [
        (await client.ask("query($d: ID!) { decision(id: $d) { visitor same } }", d=each))["decision"]
        for each in decisions
    ]
    assert replays == [None, {"visitor": "stays", "same": True}, None]
    assert (await client.ask(FORGET, v="gone"))["forget"]["events"] == 0


async def test_a_forgotten_visitor_starts_anew_and_what_happened_before_is_refused(shop: Live) -> None:
    client = await shop.client()
    await track(client, bought("anew", id="anew-1"))
    await client.ask(FORGET, v="anew")
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    late = await track(client, bought("anew", id="anew-2", occurredAt=before))
    assert late["rejected"] == [{"index": 0, "code": "ERASED"}]
    assert (await client.ask(VISITOR, v="anew"))["visitor"] is None
    assert (await track(client, bought("anew", "eider-kayak", id="anew-3")))["accepted"] == 1
    found = (await client.ask(VISITOR, v="anew"))["visitor"]
    assert (found["visits"], found["engagement"]) == (1, {"pageViews": 0, "conversions": 1})
    assert "climbing" not in {interest["tag"] for interest in found["interests"]}


async def test_forgetting_wins_over_events_that_arrive_with_it(shop: Live) -> None:
    client = await shop.client()
    await track(client, bought("race"))
    events = [track(client, bought("race", id=f"race-{n}")) for n in range(5)]
    answers = await asyncio.gather(*events, client.ask(FORGET, v="race"))
    accepted = sum(answer["accepted"] for answer in answers[:5])
    found = (await client.ask(VISITOR, v="race"))["visitor"]
    left = found["engagement"]["conversions"] if found else 0
    assert left + answers[5]["forget"]["events"] <= accepted + 1
    assert (await client.ask(FORGET, v="race"))["forget"]["events"] <= left
    assert (await client.ask(VISITOR, v="race"))["visitor"] is None


async def test_a_forgotten_visitors_consent_is_forgotten_too(asking: Live) -> None:
    client = await asking.client()
    await client.ask(CONSENT, v="asked", p=["PERSONALIZATION", "ANALYTICS"], g=True)
    await track(client, bought("asked"))
    await client.ask(FORGET, v="asked")
    assert (await track(client, bought("asked")))["rejected"][0]["code"] == "CONSENT_REQUIRED"


async def test_consent_needs_a_purpose(asking: Live) -> None:
    client = await asking.client(Scope.EVENTS)
    assert (await client.refused(CONSENT, v="v", p=[], g=True))["code"] == "BAD_INPUT"
