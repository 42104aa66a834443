"""One person with several ids: before and after a log-in, and on several devices."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACK = """mutation($e: [EventInput!]!) { track(events: $e) {
  accepted rejected { code } visitors { id profileVersion engagement { conversions } } } }"""
IDENTIFY = """mutation($v: ID!, $k: ID, $t: JSON!) { identify(visitor: $v, known: $k, traits: $t) {
  id engagement { conversions } interests(first: 9) { tag } } }"""
ALIAS = "mutation($v: ID!, $k: ID!) { alias(previous: $v, known: $k) { id engagement { conversions } } }"
PART = "mutation($v: ID!, $k: ID!) { part(visitor: $v, known: $k) { id engagement { conversions } } }"
VISITOR = """query($v: ID!) { visitor(id: $v) {
  id consent engagement { conversions } interests(first: 9) { tag } } }"""
PAGE = """query($v: ID!, $at: String) { page(slug: "home", visitor: $v, atLeast: $at) {
  basis slots { name blocks { key variant } } } }"""
CONSENT = """mutation($v: ID!, $p: [ConsentPurpose!]!, $g: Boolean!) {
  consent(visitor: $v, purposes: $p, granted: $g) { consent } }"""
FORGET = "mutation($v: ID!) { forget(visitor: $v) { profiles events } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(engine_url: str) -> AsyncIterator[Live]:
    async with live(
        engine_url, f"t{uuid4().hex[:12]}", alone=True, consent="opt-out", blocked_ids=["Kiosk"]
    ) as found:
        await found.load_shop()
        yield found


async def bought(client: Client, visitor: str, block: str = "mantel-shoes") -> Any:
    return (await client.ask(TRACK, e=[{"type": "purchase", "visitor": visitor, "block": block}]))["track"]


async def conversions(client: Client, *visitors: str) -> list[int]:
    found = [(await client.ask(VISITOR, v=visitor))["visitor"] for visitor in visitors]
    return [one["engagement"]["conversions"] if one else 0 for one in found]


async def test_after_a_login_the_person_has_what_the_device_did_and_the_page_shows_it(shop: Live) -> None:
    client = await shop.client()
    await bought(client, "one-phone")
    before = (await client.ask(PAGE, v="one-phone"))["page"]
    said = (await client.ask(IDENTIFY, v="one-phone", k="one", t={"plan": "gold"}))["identify"]
    assert (said["id"], said["engagement"]) == ("one-phone", {"conversions": 1})
    assert [(await client.ask(PAGE, v=id_))["page"] for id_ in ("one-phone", "one")] == [before] * 2
    taken = await bought(client, "one-laptop", "eider-kayak")
    assert taken["visitors"][0]["engagement"]["conversions"] == 1
    await client.ask(ALIAS, v="one-laptop", k="one")
    taken = await bought(client, "one-laptop")
    assert taken["visitors"][0]["engagement"]["conversions"] == 3
    version = taken["visitors"][0]["profileVersion"]
    assert (await client.ask(PAGE, v="one-phone", at=version))["page"]["basis"] == "PERSONAL"
    assert await conversions(client, "one", "one-phone", "one-laptop") == [3, 3, 3]


async def test_after_parting_each_has_its_own(shop: Live) -> None:
    client = await shop.client()
    await bought(client, "two-phone")
    await bought(client, "two")
    await client.ask(ALIAS, v="two-phone", k="two")
    assert await conversions(client, "two", "two-phone") == [2, 2]
    parted = (await client.ask(PART, v="two-phone", k="two"))["part"]
    assert parted == {"id": "two-phone", "engagement": {"conversions": 1}}
    assert await conversions(client, "two", "two-phone") == [1, 1]
    assert (await client.refused(PART, v="two-phone", k="two"))["code"] == "NOT_FOUND"


async def test_joining_and_parting_stand_in_the_audit_log(shop: Live) -> None:
    client = await shop.client()
    await client.ask(ALIAS, v="noted-phone", k="noted")
    await client.ask(PART, v="noted-phone", k="noted")
    log = "{ audit(first: 2, kinds: [JOINED, PARTED]) { edges { node { kind actor subject } } } }"
    found = [edge["node"] for edge in (await client.ask(log))["audit"]["edges"]]
    phone = (await shop.gateway.space("main")).key("noted-phone")
    assert found == [{"kind": kind, "actor": "test", "subject": phone} for kind in ("PARTED", "JOINED")]


async def test_traits_told_with_a_login_are_the_persons(shop: Live) -> None:
    client = await shop.client()
    for person in ("three-a", "three-b", "three-c", "three-d"):
        await client.ask(IDENTIFY, v="three-tablet", k=person, t={"plan": person})
    space = await shop.gateway.space("main")
    found = await space.people.get_many([space.key(id_) for id_ in ("three-tablet", "three-a", "three-d")])
    assert [
        {name: trait.value for name, trait in profile.memory.traits.items()} for profile in found.values()
    ] == [{}, {"plan": "three-a"}, {"plan": "three-d"}]


@pytest.mark.parametrize("nobody", ["undefined", "NULL", "test@test.com", "[object Object]", "kiosk"])
async def test_an_id_that_names_nobody_is_refused(shop: Live, nobody: str) -> None:
    client = await shop.client()
    for ids in ({"v": nobody, "k": "four"}, {"v": "four-phone", "k": nobody}):
        assert (await client.refused(IDENTIFY, t={"plan": "gold"}, **ids))["code"] == "BAD_IDENTITY"
        assert (await client.refused(ALIAS, **ids))["code"] == "BAD_IDENTITY"
    assert (await client.ask(VISITOR, v=nobody))["visitor"] is None


async def test_a_person_of_too_many_devices_takes_no_more(shop: Live) -> None:
    client = await shop.client()
    for place in range(20):
        await client.ask(ALIAS, v=f"five-{place}", k="five")
    assert (await client.refused(ALIAS, v="five-more", k="five"))["code"] == "IDENTITY_LIMIT"


async def test_who_lets_nothing_be_kept_is_not_joined(shop: Live) -> None:
    client = await shop.client()
    await client.ask(CONSENT, v="six", p=["ANALYTICS", "PERSONALIZATION"], g=False)
    assert (await client.refused(ALIAS, v="six-phone", k="six"))["code"] == "CONSENT_REQUIRED"


async def test_consent_of_the_person_holds_on_all_devices_and_withdrawing_unlearns_all(shop: Live) -> None:
    client = await shop.client()
    await bought(client, "seven-phone")
    await client.ask(ALIAS, v="seven-phone", k="seven")
    assert (await client.ask(VISITOR, v="seven"))["visitor"]["interests"]
    await client.ask(CONSENT, v="seven", p=["ANALYTICS", "PERSONALIZATION"], g=False)
    taken = await bought(client, "seven-phone")
    assert (taken["accepted"], taken["rejected"]) == (0, [{"code": "CONSENT_REQUIRED"}])
    assert (await client.ask(PAGE, v="seven-phone"))["page"]["basis"] == "CONTEXTUAL"
    agreed = await client.ask(CONSENT, v="seven-phone", p=["ANALYTICS", "PERSONALIZATION"], g=True)
    assert agreed["consent"]["consent"] == [
        "ANALYTICS", "PERSONALIZATION", "EXPERIMENTATION", "MARKETING",
    ]  # fmt: skip
    assert (await client.ask(VISITOR, v="seven"))["visitor"]["interests"] == []
    await client.ask(PART, v="seven-phone", k="seven")
    assert (await client.ask(VISITOR, v="seven-phone"))["visitor"]["interests"] == []


async def test_forgetting_a_person_erases_all_ids_but_a_shared_device(shop: Live) -> None:
    client = await shop.client()
    for person in ("eight", "eight-b", "eight-c", "eight-d"):
        await client.ask(ALIAS, v="eight-tablet", k=person)
    for visitor in ("eight", "eight-phone", "eight-tablet"):
        await bought(client, visitor)
    await client.ask(ALIAS, v="eight-phone", k="eight")
    assert (await client.ask(FORGET, v="eight-phone"))["forget"] == {"profiles": 2, "events": 2}
    assert await conversions(client, "eight", "eight-phone", "eight-tablet") == [0, 0, 1]
    await client.ask(ALIAS, v="eight-phone", k="eight")
    await bought(client, "eight-phone")
    assert await conversions(client, "eight", "eight-phone") == [1, 1]


async def test_joining_and_parting_need_the_right_to_profiles(shop: Live) -> None:
    client = await shop.client(Scope.EVENTS)
    for query in (ALIAS, PART):
        assert (await client.refused(query, v="nine-phone", k="nine"))["code"] == "FORBIDDEN"


async def test_the_same_variant_is_shown_before_and_after_a_login(shop: Live) -> None:
    client = await shop.client()
    space = await shop.gateway.space("main")
    key = space.key("ten-phone")
    origin = (await space.people.get(key)).origin
    await bought(client, "ten-phone")
    await client.ask(ALIAS, v="ten-phone", k="ten")
    await client.ask(ALIAS, v="ten-laptop", k="ten")
    ids = [space.key(id_) for id_ in ("ten", "ten-phone", "ten-laptop")]
    assert {profile.origin for profile in (await space.people.get_many(ids)).values()} == {origin}
