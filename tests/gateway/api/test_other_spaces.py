"""A token belongs to one space, and nothing of another space is seen, changed or heard with it."""

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTENT = {
    "blockTypes": [
        {"name": "Poster", "schema": {"type": "object", "properties": {"headline": {"type": "string"}}}}
    ],
    "blocks": [{"key": "rope", "type": "Poster", "tags": {"climbing": 1}, "data": {"headline": "A rope"}}],
    "pages": [
        {"slug": "home", "title": "Home", "slots": [{"name": "s", "strategy": "rules", "block": "rope"}]}
    ],
}
BUY = 'mutation { track(events: [{id: "e", type: "purchase", visitor: "v", block: "rope"}]) { accepted duplicates } }'
VISITOR = '{ visitor(id: "v") { visits engagement { conversions } interests(first: 1) { tag } } }'
BOUGHT = {"visits": 1, "engagement": {"conversions": 1}, "interests": [{"tag": "climbing"}]}


@dataclass(frozen=True)
class Spaces:
    """`home` has the content and a visitor; `away` is another space, with nothing."""

    found: Live
    home: Client
    away: Client
    decision: str


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def spaces(engine_url: str) -> AsyncIterator[Spaces]:
    async with live(engine_url, f"t{uuid.uuid4().hex[:12]}", alone=True) as found:
        await found.load(CONTENT)
        await found.gateway.create_space("away")
        home, away = await found.client(), await found.client(space="away")
        assert (await home.ask(BUY))["track"] == {"accepted": 1, "duplicates": 0}
        page = await home.ask('{ page(slug: "home", visitor: "v") { slots { blocks { decision } } } }')
        await home.ask(
            'mutation { saveBlock(block: {key: "draft", type: "Poster", data: {}}) { item { key } } }'
        )
        yield Spaces(found, home, away, page["page"]["slots"][0]["blocks"][0]["decision"])


NOTHING: Mapping[str, Any] = {
    '{ page(slug: "home", visitor: "v") { title } }': {"page": None},
    '{ page(slug: "home", preview: {drafts: true}) { title } }': {"page": None},
    '{ recommendations(visitor: "v") { edges { node { key } } } }': {"recommendations": {"edges": []}},
    '{ recommendations(where: {keys: ["rope"]}) { edges { node { key } } } }': {"recommendations": {"edges": []}},
    '{ visitor(id: "v") { id } }': {"visitor": None},
    "query ($d: ID!) { decision(id: $d) { visitor } }": {"decision": None},
    "{ content(kind: BLOCK) { edges { node { key } } } }": {"content": {"edges": []}},
    '{ contentItem(kind: BLOCK, key: "rope") { state } }': {"contentItem": None},
    '{ contentItem(kind: BLOCK, key: "draft") { state } }': {"contentItem": None},
    "{ revisions { revision } }": {"revisions": []},
    '{ __type(name: "Poster") { name } }': {"__type": None},
    'mutation { forget(visitor: "v") { profiles events decisions } }': {
        "forget": {"profiles": 0, "events": 0, "decisions": 0}
    },
    'mutation { discardDraft(item: {kind: BLOCK, key: "draft"}) }': {"discardDraft": False},
}  # fmt: skip


@pytest.mark.parametrize("call", NOTHING)
async def test_another_space_has_nothing_of_this_one(spaces: Spaces, call: str) -> None:
    variables = {"d": spaces.decision} if "$d" in call else {}
    assert await spaces.away.ask(call, **variables) == NOTHING[call]
    if not call.startswith("mutation"):
        assert await spaces.home.ask(call, **variables) != NOTHING[call], "it is there to be seen"


async def test_what_another_space_does_leaves_this_one_as_it_was(spaces: Spaces) -> None:
    assert (await spaces.away.ask(BUY))["track"] == {"accepted": 1, "duplicates": 0}
    await spaces.away.ask('mutation { forget(visitor: "v") { profiles } }')
    await spaces.away.ask('mutation { identify(visitor: "v", traits: {plan: "gold"}) { id } }')
    assert (await spaces.home.ask(VISITOR))["visitor"] == BOUGHT
    decision = "query ($d: ID!) { decision(id: $d) { visitor same } }"
    assert await spaces.home.ask(decision, d=spaces.decision) == {"decision": {"visitor": "v", "same": True}}
    assert (await spaces.home.ask(BUY))["track"] == {"accepted": 0, "duplicates": 1}
    assert await spaces.home.ask('{ contentItem(kind: BLOCK, key: "draft") { state } }') == {
        "contentItem": {"state": "draft"}
    }


async def test_tokens_of_another_space_are_neither_listed_nor_revoked(spaces: Spaces) -> None:
    [ours] = [one["id"] for one in (await spaces.home.ask("{ tokens { id } }"))["tokens"]]
    [theirs] = [one["id"] for one in (await spaces.away.ask("{ tokens { id } }"))["tokens"]]
    assert ours != theirs
    refused = await spaces.away.refused("mutation ($id: ID!) { revokeToken(id: $id) }", id=ours)
    assert refused["code"] == "NOT_FOUND"
    await spaces.home.ask("{ __typename }")


async def test_a_token_made_through_the_api_belongs_to_the_space_of_its_maker(spaces: Spaces) -> None:
    call = 'mutation { createToken(name: "made", scopes: ["admin"]) { token info { id } } }'
    made = (await spaces.away.ask(call, {"blockloom-space": "away"}))["createToken"]
    assert await spaces.found.bearing(made["token"]).ask('{ page(slug: "home") { title } }') == {"page": None}
    await spaces.away.ask("mutation ($id: ID!) { revokeToken(id: $id) }", id=made["info"]["id"])


@pytest.mark.parametrize("named", ["main", "MAIN", "away, main", "", "nowhere", "blockloom", "../main"])
async def test_naming_a_space_that_is_not_the_tokens_is_refused(spaces: Spaces, named: str) -> None:
    headers = {"blockloom-space": named}
    for call in ("{ __typename }", '{ page(slug: "home") { title } }', BUY):
        assert (await spaces.away.refused(call, headers))["code"] == "FORBIDDEN"
    stream = {**spaces.away.headers, **headers, "accept": "text/event-stream"}
    streamed = await spaces.found.http.post(
        "/graphql", json={"query": 'subscription { visitor(id: "v") { id } }'}, headers=stream
    )
    assert streamed.status_code == 403


async def test_naming_its_own_space_changes_nothing(spaces: Spaces) -> None:
    assert await spaces.home.ask('{ page(slug: "home") { title } }', {"blockloom-space": "main"}) == {
        "page": {"title": "Home"}
    }


async def test_a_subscription_hears_of_its_own_space_alone(spaces: Spaces) -> None:
    query = 'subscription { visitor(id: "heard") { engagement { conversions pageViews } } }'
    headers = {**spaces.away.headers, "accept": "text/event-stream"}
    act = 'mutation { track(events: [{type: "TYPE", visitor: "heard"}]) { accepted } }'
    async with spaces.found.http.stream("POST", "/graphql", json={"query": query}, headers=headers) as stream:
        data = (line.removeprefix("data:") async for line in stream.aiter_lines() if line.startswith("data:"))
        told = [json.loads(await anext(data))]
        await spaces.home.ask(act.replace("TYPE", "purchase"))
        await spaces.away.ask(act.replace("TYPE", "view"))
        told.append(json.loads(await anext(data)))
    assert [one["data"]["visitor"]["engagement"] for one in told] == [
        {"conversions": 0, "pageViews": 0},
        {"conversions": 0, "pageViews": 1},
    ]
