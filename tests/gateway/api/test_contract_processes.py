"""Several gateways on one store behave as one."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEW = """mutation($v: ID!, $n: ID) {
  track(events: [{id: $n, type: "view", visitor: $v, block: "eider-kayak"}]) {
    accepted duplicates visitors { profileVersion } } }"""
PAGE = """query($v: ID!, $a: String) { page(slug: "home", visitor: $v, atLeast: $a) {
  revision slots { name blocks { key variant score } } } }"""
WITHIN = 2.0  # the second that is promised, and one for a busy machine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(engine_url: str) -> AsyncIterator[tuple[Live, Live]]:
    """Two gateways that fold seldom, so that events are seen through the log."""
    prefix = f"t{uuid4().hex[:12]}"
    async with live(engine_url, prefix, fold_seconds=5) as one, live(engine_url, prefix) as other:
        await one.load_shop()
        yield one, other


@pytest_asyncio.fixture(loop_scope="module")
async def clients(pair: tuple[Live, Live]) -> tuple[Client, Client]:
    one, other = pair
    client = await one.client()
    return client, other.bearing(client.headers["authorization"].split()[1])


async def within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> None:
    start = time.monotonic()
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert time.monotonic() - start <= seconds


async def first_products(client: Client, visitor: str, at_least: str | None = None) -> list[str]:
    page = (await client.ask(PAGE, v=visitor, a=at_least))["page"]
    return [block["key"] for slot in page["slots"] if slot["name"] == "featured" for block in slot["blocks"]]


async def test_a_publication_is_seen_by_the_other_within_a_second(
    pair: tuple[Live, Live], clients: tuple[Client, Client]
) -> None:
    one, _ = pair
    slots = [{"name": "s", "strategy": "rules", "block": "news"}]
    pages = [{"slug": "news", "title": "News", "slots": slots}]
    for body in ("first", "second"):
        await one.load(
            {"blocks": [{"key": "news", "type": "RichText", "data": {"body": body}}], "pages": pages}
        )

        async def seen(body: str = body) -> bool:
            page = (await clients[1].ask('{ page(slug: "news") { slots { blocks { data } } } }'))["page"]
            return bool(page and page["slots"] == [{"blocks": [{"data": {"body": body}}]}])

        await within(WITHIN, seen)


async def test_a_block_type_published_by_one_is_in_the_schema_of_the_other(
    pair: tuple[Live, Live], clients: tuple[Client, Client]
) -> None:
    schema = {"type": "object", "properties": {"who": {"type": "string"}}}
    await pair[0].load({"blockTypes": [{"name": "Quote", "schema": schema}]})

    async def seen() -> bool:
        answer = await clients[1].ask('{ __type(name: "Quote") { fields { name } } }')
        return bool(answer["__type"] == {"fields": [{"name": "who"}]})

    await within(2 * WITHIN, seen)  # the schema is built anew


async def test_a_page_that_asks_for_a_version_is_served_it_by_any_process(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    visitor = "travels"
    await first_products(other, visitor)  # the other has an older state in memory
    for _ in range(5):
        for here, there in ((one, other), (other, one)):
            answer = (await here.ask(VIEW, v=visitor))["track"]
            version = answer["visitors"][0]["profileVersion"]
            assert (await first_products(there, visitor, version))[0] == "eider-kayak"
            views = await there.ask(
                "query($v: ID!) { visitor(id: $v) { engagement { pageViews } profileVersion } }", v=visitor
            )
            assert views["visitor"]["profileVersion"] == version
    assert views["visitor"]["engagement"]["pageViews"] == 10


async def test_without_asking_the_other_sees_an_event_within_a_second(clients: tuple[Client, Client]) -> None:
    one, other = clients
    visitor = "unhurried"
    assert (await first_products(other, visitor))[0] != "eider-kayak"
    await one.ask(VIEW, v=visitor)

    async def seen() -> bool:
        return (await first_products(other, visitor))[0] == "eider-kayak"

    await within(WITHIN, seen)


async def test_one_event_sent_to_both_counts_once(clients: tuple[Client, Client]) -> None:
    one, other = clients
    answers = await asyncio.gather(
        *(client.ask(VIEW, v="both", n=f"e{n}") for n in range(5) for client in (one, other))
    )
    taken = [answer["track"] for answer in answers]
    assert sum(each["accepted"] for each in taken) == 5
    assert sum(each["duplicates"] for each in taken) == 5

    async def agree() -> bool:
        query = 'query { visitor(id: "both") { profileVersion engagement { pageViews } } }'
        found = [(await client.ask(query))["visitor"] for client in clients]
        return bool(found[0] == found[1] and found[0]["engagement"]["pageViews"] == 5)

    await within(WITHIN, agree)


async def test_both_choose_the_same_page_for_the_same_state(clients: tuple[Client, Client]) -> None:
    one, other = clients
    version = (await one.ask(VIEW, v="same"))["track"]["visitors"][0]["profileVersion"]
    pages = [(await client.ask(PAGE, v="same", a=version))["page"] for client in (one, other)]
    assert pages[0] == pages[1]


async def test_what_one_forgets_is_forgotten_by_the_other(clients: tuple[Client, Client]) -> None:
    one, other = clients
    await one.ask(VIEW, v="left")
    await other.ask(VIEW, v="left")
    await one.ask('mutation { forget(visitor: "left") { profiles } }')

    async def gone() -> bool:
        return (await other.ask('{ visitor(id: "left") { id } }'))["visitor"] is None

    await within(WITHIN, gone)
    assert (await one.ask('{ visitor(id: "left") { id } }'))["visitor"] is None


async def test_a_consent_given_to_one_holds_at_the_other(clients: tuple[Client, Client]) -> None:
    one, other = clients
    refuse = """mutation { consent(visitor: "no", purposes: [ANALYTICS, PERSONALIZATION], granted: false) {
                  profileVersion } }"""
    version = (await one.ask(refuse))["consent"]["profileVersion"]
    query = 'query($a: String) { page(slug: "home", visitor: "no", atLeast: $a) { basis } }'
    assert (await other.ask(query, a=version))["page"]["basis"] == "CONTEXTUAL"


async def test_a_decision_of_one_is_explained_by_the_other(clients: tuple[Client, Client]) -> None:
    one, other = clients
    page = await one.ask(PAGE.replace("{ key", "{ decision key"), v="told")
    decision = page["page"]["slots"][0]["blocks"][0]["decision"]

    async def found() -> bool:
        answer = await other.ask("query($d: ID!) { decision(id: $d) { same } }", d=decision)
        return bool(answer["decision"] == {"same": True})

    await within(1 + WITHIN, found)  # decisions are stored once a second
