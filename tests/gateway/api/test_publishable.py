"""What a token in a browser may do: be shown pages and say what was done, and read no profile by any way."""

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTENT = {
    "blockTypes": [
        {
            "name": "Review",
            "schema": {
                "type": "object",
                "properties": {"summary": {"type": "string"}, "score": {"type": "number"}},
            },
        }
    ],
    "segments": [{"key": "climbers", "when": {"interests.climbing": {"$gt": 0.1}}}],
    "blocks": [
        {
            "key": "rope",
            "type": "Review",
            "tags": {"climbing": 1},
            "data": {"summary": "It holds.", "score": 5},
            "variants": [
                {"key": "climbers", "when": {"segments": {"$in": ["climbers"]}}, "patch": {"score": 6}}
            ],
        },
    ],
    "pages": [
        {
            "slug": "home",
            "title": "Home",
            "slots": [
                {"name": "rules", "strategy": "rules", "block": "rope"},
                {"name": "feed", "strategy": "feed", "where": {"type": ["Review"]}, "limit": 2},
            ],
        }
    ],
}


@dataclass(frozen=True)
class Shop:
    found: Live
    browser: Client
    server: Client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(engine_url: str) -> AsyncIterator[Shop]:
    async with live(engine_url, f"t{uuid.uuid4().hex[:12]}", alone=True) as found:
        await found.load(CONTENT)
        browser = await found.client(Scope.DELIVERY, Scope.EVENTS, publishable=True)
        yield Shop(found, browser, await found.client())


def fresh() -> str:
    return f"v{uuid.uuid4().hex[:8]}"


async def known(shop: Shop) -> str:
    """A visitor with a taste for climbing."""
    visitor = fresh()
    buy = (
        'mutation ($v: ID!) { track(events: [{type: "purchase", visitor: $v, block: "rope"}]) { accepted } }'
    )
    assert (await shop.server.ask(buy, v=visitor))["track"]["accepted"] == 1
    return visitor


@pytest.mark.parametrize(
    "scopes", ['["profiles"]', '["editor"]', '["admin"]', '["delivery", "events", "profiles"]']
)
async def test_a_publishable_token_cannot_be_made_with_more(shop: Shop, scopes: str) -> None:
    before = await shop.server.ask("{ tokens { id } }")
    call = f'mutation {{ createToken(name: "web", scopes: {scopes}, publishable: true) {{ token }} }}'
    refused = await shop.server.refused(call)
    assert refused["code"] == "BAD_INPUT"
    assert "delivery and events" in refused["message"]
    assert await shop.server.ask("{ tokens { id } }") == before


async def test_a_publishable_token_is_shown_pages_and_tells_what_was_done(shop: Shop) -> None:
    visitor = await known(shop)
    page = await shop.browser.ask(
        'query ($v: ID!) { page(slug: "home", visitor: $v) { basis cacheKey slots { name blocks { decision key'
        " variant html content { ... on Review { summary score } } reason { strategy } } } } }",
        v=visitor,
    )
    shown: Any = page["page"]["slots"][0]["blocks"][0]
    assert page["page"]["basis"] == "PERSONAL"
    assert shown["variant"] == "climbers"
    assert shown["content"] == {"summary": "It holds.", "score": 6}
    assert shown["reason"] == {"strategy": "RULES"}
    track = (
        'mutation ($v: ID!, $d: ID!) { track(events: [{type: "click", visitor: $v, block: "rope", decision: $d}])'
        " { accepted duplicates rejected { code } visitors { __typename id consent profileVersion } } }"
    )
    told = (await shop.browser.ask(track, v=visitor, d=shown["decision"]))["track"]
    assert (told["accepted"], [one["id"] for one in told["visitors"]]) == (1, [visitor])


VISITOR_READS = {
    "interests": "visitors { interests { tag weight } }",
    "segments": "visitors { segments }",
    "engagement": "visitors { engagement { score } }",
    "visits": "visitors { visits }",
    "an alias": "visitors { id: visits }",
    "an alias above": "id: visitors { profileVersion: segments }",
    "two selections": "visitors { id } visitors { segments }",
    "an inline fragment": "visitors { ... on Visitor { segments } }",
    "fragments in fragments": "...Told",
    "a directive": "visitors { segments @include(if: true) }",
    "beside what it may read": "visitors { id profileVersion visits }",
}
TOLD = " fragment Told on TrackResult { visitors { ...Read } } fragment Read on Visitor { x: segments }"


@pytest.mark.parametrize("reads", VISITOR_READS.values(), ids=VISITOR_READS.keys())
async def test_track_tells_a_browser_nothing_of_the_profile_and_does_nothing_then(
    shop: Shop, reads: str
) -> None:
    visitor = fresh()
    event = f'{{id: "e-{visitor}", type: "view", visitor: "{visitor}", block: "rope"}}'
    call = f"mutation {{ track(events: [{event}]) {{ accepted {reads} }} }}"
    refused = await shop.browser.refused(call + (TOLD if "...Told" in reads else ""))
    assert refused["code"] == "FORBIDDEN"
    assert await shop.server.ask(f'{{ visitor(id: "{visitor}") {{ id }} }}') == {"visitor": None}
    again = await shop.browser.ask(f"mutation {{ track(events: [{event}]) {{ accepted duplicates }} }}")
    assert again == {"track": {"accepted": 1, "duplicates": 0}}


@pytest.mark.parametrize(
    "reads",
    ["interests { tag }", "segments", "engagement { revenue }", "visits", "...R", "... { x: visits }"],
)
async def test_consent_tells_a_browser_nothing_of_the_profile_and_does_nothing_then(
    shop: Shop, reads: str
) -> None:
    visitor = fresh()
    call = f'mutation {{ consent(visitor: "{visitor}", purposes: [PERSONALIZATION], granted: false) {{ id %s }} }}'
    refused = await shop.browser.refused(
        call % reads + (" fragment R on Visitor { segments }" if reads == "...R" else "")
    )
    assert refused["code"] == "FORBIDDEN"
    assert await shop.server.ask(f'{{ visitor(id: "{visitor}") {{ id }} }}') == {"visitor": None}
    said = await shop.browser.ask(call % "profileVersion")
    assert said["consent"]["id"] == visitor


PERSONAL = ["reason { because { tag } }", "reason { similarity }", "reason { candidates { score } }",
            "reason { summary }", "reason { matched }", "score", "variant: score", "...B",
            "... on ChosenBlock { r: reason { s: similarity } }"]  # fmt: skip
ROOTS = {
    "page": 'query ($v: ID!) {{ page(slug: "home", visitor: $v) {{ slots {{ blocks {{ key {} }} }} }} }}',
    "page.slot": 'query ($v: ID!) {{ page(slug: "home", visitor: $v) {{ slot(name: "feed") {{ blocks {{ {} }} }} }} }}',
    "recommendations": "query ($v: ID!) {{ recommendations(visitor: $v) {{ edges {{ node {{ key {} }} }} }} }}",
}


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("reads", PERSONAL)
async def test_what_is_shown_does_not_tell_a_browser_why(shop: Shop, root: str, reads: str) -> None:
    fragment = " fragment B on ChosenBlock { reason { ...W } } fragment W on Reason { w: because { tag } }"
    call = ROOTS[root].format(reads) + (fragment if reads == "...B" else "")
    assert (await shop.browser.refused(call, v="anybody"))["code"] == "FORBIDDEN"
    await shop.server.ask(call, v="anybody")


@pytest.mark.parametrize(
    "call",
    [
        'subscription { page(slug: "home", visitor: "v") { slots { blocks { score } } } }',
        'subscription { page(slug: "home", visitor: "v") { slots { blocks { reason { because { tag } } } } } }',
        'subscription { visitor(id: "v") { id } }',
    ],
)
async def test_a_browser_that_listens_is_told_no_more(shop: Shop, call: str) -> None:
    headers = {**shop.browser.headers, "accept": "text/event-stream"}
    async with shop.found.http.stream("POST", "/graphql", json={"query": call}, headers=headers) as stream:
        data = (line.removeprefix("data:") async for line in stream.aiter_lines() if line.startswith("data:"))
        told = json.loads(await anext(data))
    assert [error["extensions"]["code"] for error in told["errors"]] == ["FORBIDDEN"]
    assert not told.get("data")


@pytest.mark.parametrize(
    "call",
    [
        "query ($v: ID!, $d: ID!) { visitor(id: $v) { id } a: decision(id: $d) { id } }",
        "query ($v: ID!, $d: ID!) { decision(id: $d) { visitor } a: visitor(id: $v) { id } }",
        'mutation ($v: ID!, $d: ID) { identify(visitor: $v, traits: {plan: "gold"}, known: $d) { id } }',
        "mutation ($v: ID!, $d: String!) { forget(visitor: $v) { events } publish(note: $d) { revision } }",
    ],
)
async def test_profiles_and_decisions_are_closed_to_a_browser(shop: Shop, call: str) -> None:
    visitor = await known(shop)
    chosen = await shop.browser.ask(
        'query ($v: ID!) { page(slug: "home", visitor: $v) { slots { blocks { decision } } } }', v=visitor
    )
    before = await shop.server.ask("query ($v: ID!) { visitor(id: $v) { profileVersion visits } }", v=visitor)
    given = await shop.browser.post(call, v=visitor, d=chosen["page"]["slots"][0]["blocks"][0]["decision"])
    assert {error["extensions"]["code"] for error in given["errors"]} == {"FORBIDDEN"}
    assert not any((given["data"] or {}).values())
    after = await shop.server.ask("query ($v: ID!) { visitor(id: $v) { profileVersion visits } }", v=visitor)
    assert after == before
