"""Recommendations, and any past choice made again and explained."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = """query($v: ID, $w: BlockFilter, $n: Int!, $a: String) {
  recommendations(visitor: $v, where: $w, first: $n, after: $a) {
    edges { cursor node { decision key variant position score data type tags } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
PAGE = """query($v: ID) { page(slug: "home", visitor: $v, context: {
    time: "2027-05-12T12:00:00Z", device: {type: "desktop"}, geo: {country: "GB"}}) {
  basis revision slots { name blocks { decision key variant position score data } } } }"""
DECISION = """query($d: ID!, $n: String!) { decision(id: $d) {
  id same page slot visitor basis revision block { key variant position score data reason { summary
    candidates { block variant chosen } } }
  whyNot(variant: $n) { block variant chosen eligible score summary failed { path operator expected actual } } } }"""
BUY = (
    'mutation($v: ID!) { track(events: [{type: "purchase", visitor: $v, block: "karst-rope"}]) { accepted } }'
)


@asynccontextmanager
async def opened(engine_url: str, prefix: str) -> AsyncIterator[Live]:
    async with live(engine_url, prefix, alone=True) as found:
        await found.load_shop()
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(engine_url: str) -> AsyncIterator[Live]:
    async with opened(engine_url, f"t{uuid4().hex[:12]}") as found:
        yield found


async def decision(client: Client, id_: str, why_not: str = "default") -> Any:
    return (await client.ask(DECISION, d=id_, n=why_not))["decision"]


async def listed(client: Client, **asked: Any) -> Any:
    return (await client.ask(LIST, **{"n": 10, **asked}))["recommendations"]


async def everything_shown(client: Client, visitor: str) -> list[tuple[str, Any]]:
    """Each block of a page and of recommendations, with the slot that shows it."""
    page = (await client.ask(PAGE, v=visitor))["page"]
    feed = await listed(client, v=visitor, w={"type": ["Article"]}, n=5)
    shown = [(slot["name"], block) for slot in page["slots"] for block in slot["blocks"]]
    return shown + [("recommendations", edge["node"]) for edge in feed["edges"]]


async def assert_same(client: Client, visitor: str, shown: list[tuple[str, Any]]) -> None:
    """All in one request."""
    fields = "{ same slot visitor block { key variant position score data } }"
    asked = [f'd{n}: decision(id: "{block["decision"]}") {fields}' for n, (_, block) in enumerate(shown)]
    found = await client.ask(f"{{ {' '.join(asked)} }}")
    for (slot, block), again in zip(shown, found.values(), strict=True):
        expected = {name: value for name, value in block.items() if name in again["block"]}
        assert (again["same"], again["visitor"], again["slot"]) == (True, visitor, slot)
        assert {**again["block"], **expected} == again["block"]


async def test_recommendations_are_paged_through_without_repeats(shop: Live) -> None:
    client = await shop.client()
    await client.ask(BUY, v="pager")
    whole = await listed(client, v="pager", n=100)
    seen: list[str] = []
    after, pages = None, 0
    while True:
        part = await listed(client, v="pager", n=7, a=after)
        seen += [edge["node"]["key"] for edge in part["edges"]]
        assert part["pageInfo"]["endCursor"] == part["edges"][-1]["cursor"]
        assert part["pageInfo"]["startCursor"] == part["edges"][0]["cursor"]
        assert part["pageInfo"]["hasPreviousPage"] == (pages > 0)
        after, pages = part["pageInfo"]["endCursor"], pages + 1
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert seen == [edge["node"]["key"] for edge in whole["edges"]]
    assert len(seen) == len(set(seen)) > 40
    assert seen[0] == "karst-rope"


async def test_recommendations_are_filtered(shop: Live) -> None:
    client = await shop.client()
    articles = await listed(client, w={"type": ["Article"]}, n=100)
    assert {edge["node"]["type"] for edge in articles["edges"]} == {"Article"}
    climbing = await listed(client, w={"type": ["Product"], "tags": ["climbing"]}, n=100)
    assert all("climbing" in edge["node"]["tags"] for edge in climbing["edges"])
    keys = [edge["node"]["key"] for edge in climbing["edges"]]
    two = await listed(client, w={"keys": keys[:3], "exclude": keys[:1]}, n=100)
    assert {edge["node"]["key"] for edge in two["edges"]} == set(keys[1:3])
    assert (await listed(client, w={"type": ["NoSuch"]}))["edges"] == []


@pytest.mark.parametrize("wrong", [{"n": -1}, {"n": 101}, {"a": "nonsense"}, {"a": "0.0:3"}, {"a": "1.0:-3"}])
async def test_a_wrong_page_of_recommendations_is_refused(shop: Live, wrong: dict[str, Any]) -> None:
    client = await shop.client()
    assert (await client.refused(LIST, **{"n": 3, **wrong}))["code"] == "BAD_INPUT"


async def test_every_choice_of_a_page_and_of_recommendations_can_be_made_again(shop: Live) -> None:
    client = await shop.client()
    await client.ask(BUY, v="ann")
    shown = await everything_shown(client, "ann")
    await client.ask(BUY, v="ann")  # what comes later does not touch what was decided
    await assert_same(client, "ann", shown)


async def test_a_choice_for_nobody_can_be_made_again(shop: Live) -> None:
    client = await shop.client()
    page = (await client.ask(PAGE))["page"]
    found = await decision(client, page["slots"][0]["blocks"][0]["decision"])
    assert (found["same"], found["visitor"], found["basis"]) == (True, None, "CONTEXTUAL")
    assert (found["page"], found["slot"], found["revision"]) == ("home", "notice", page["revision"])


async def test_why_not_tells_the_clause_that_failed_or_who_came_first(shop: Live) -> None:
    client = await shop.client()
    await client.ask(BUY, v="why")
    page = (await client.ask(PAGE, v="why"))["page"]
    by_slot = {slot["name"]: slot["blocks"][0]["decision"] for slot in page["slots"]}

    async def why_not(slot: str, name: str) -> Any:
        return (await decision(client, by_slot[slot], name))["whyNot"]

    hero = await why_not("hero", "mobile")
    assert (hero["block"], hero["variant"], hero["eligible"], hero["chosen"]) == (
        "hero",
        "mobile",
        False,
        False,
    )
    assert hero["failed"] == {
        "path": "device.type",
        "operator": "$eq",
        "expected": "mobile",
        "actual": "desktop",
    }
    assert await why_not("hero", "hero:mobile") == hero
    default = await why_not("hero", "default")
    assert (default["eligible"], default["failed"]) == (True, None)
    assert "climbers" in default["summary"]
    assert (await why_not("hero", "climbers"))["chosen"] is True
    assert "nearer" in (await why_not("promo", "default"))["summary"]
    shown = {block["key"] for slot in page["slots"] for block in slot["blocks"]}
    candidates = (await decision(client, by_slot["featured"]))["block"]["reason"]["candidates"]
    left = next(candidate["block"] for candidate in candidates if candidate["block"] not in shown)
    feed = await why_not("featured", left)
    assert (feed["block"], feed["eligible"], feed["chosen"]) == (left, True, False)
    assert "after those that are shown" in feed["summary"]
    for slot in ("hero", "featured"):
        stranger = await why_not(slot, "nothing-of-ours")
        assert (stranger["variant"], stranger["eligible"]) == ("nothing-of-ours", False)
        assert "no candidate" in stranger["summary"]


@pytest.mark.parametrize(
    "id_", ["", "nonsense", "a.b.c.d", "a-1.0.0.0", "1.2.3.4.5", "x" * 500, "p-1.0.99.0"]
)
async def test_an_id_that_is_none_of_ours_has_no_decision(shop: Live, id_: str) -> None:
    client = await shop.client()
    assert await decision(client, id_) is None


async def test_a_choice_is_told_even_when_its_block_type_is_gone(shop: Live) -> None:
    typed = {"name": "Passing", "schema": {"type": "object", "properties": {"body": {"type": "string"}}}}
    slots = [{"name": "s", "strategy": "rules", "block": "passing"}]
    bundle = {
        "blockTypes": [typed],
        "blocks": [{"key": "passing", "type": "Passing", "data": {"body": "was here"}}],
        "pages": [{"slug": "passing", "title": "Passing", "slots": slots}],
    }
    await shop.load(bundle)
    client = await shop.client()
    page = await client.ask('{ page(slug: "passing") { slots { blocks { decision } } } }')
    [block] = page["page"]["slots"][0]["blocks"]
    items = [("PAGE", "passing"), ("BLOCK", "passing"), ("BLOCK_TYPE", "Passing")]
    await client.ask(
        "mutation($i: [ContentRef!]!) { unpublish(items: $i) { removed } }",
        i=[{"kind": kind, "key": key} for kind, key in items],
    )
    found = await decision(client, block["decision"])
    assert (found["same"], found["block"]["data"]) == (True, {"body": "was here"})
    query = "query($d: ID!) { decision(id: $d) { block { content { __typename } } } }"
    refused = await client.refused(query, d=block["decision"])
    assert (refused["code"], "Passing" in refused["message"]) == ("CONFLICT", True)


async def test_a_choice_stands_when_what_all_visitors_do_has_moved_the_ranking(engine_url: str) -> None:
    async with live(engine_url, f"t{uuid4().hex[:12]}", alone=True, signals_seconds=1) as found:
        await found.load_shop()
        client = await found.client()
        await client.ask(BUY, v="ann")
        shown = await everything_shown(client, "ann")
        revision = before = (await client.ask(PAGE))["page"]["revision"]
        async with asyncio.timeout(10):
            while revision == before:
                revision = (await client.ask(PAGE))["page"]["revision"]
        await assert_same(client, "ann", shown)


async def test_a_choice_stands_after_the_content_changed_and_after_a_restart(engine_url: str) -> None:
    prefix = f"t{uuid4().hex[:12]}"
    hero = {"key": "hero", "type": "RichText", "data": {"body": "another hero"}}
    journal = [{"name": "only", "strategy": "rules", "block": "hero"}]
    async with opened(engine_url, prefix) as found:
        client = await found.client()
        await client.ask(BUY, v="ann")
        shown = await everything_shown(client, "ann")
        await found.load({"blocks": [hero], "pages": [{"slug": "home", "title": "New", "slots": journal}]})
        now = (await client.ask(PAGE, v="ann"))["page"]
        assert [slot["name"] for slot in now["slots"]] == ["only"]
        await assert_same(client, "ann", shown)
    async with live(engine_url, prefix, alone=True) as found:
        client = await found.client()
        await assert_same(client, "ann", shown)
