"""What visitors notice when the store stands still or dies under a gateway that runs, and when it is back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from gateway.storage.embedded import EmbeddedEngine
from tests.gateway.api.test_bad_input import BUNDLE
from tests.gateway.live import Client, Live, live

FIRST = 3.0  # seconds that the first page may wait for a store that does not answer
FAST = 0.25  # seconds for those after it: no store is asked
OUTAGE = 6.0  # longer than a token is believed without asking
PATIENCE = 30.0  # seconds until everything works again

PAGE = '{ page(slug: "home", visitor: "%s") { basis slots { blocks { key } } } }'
SHOWN = [{"blocks": [{"key": "card"}]}]


@asynccontextmanager
async def gateway_on_its_own_engine(folder: Path) -> AsyncIterator[tuple[EmbeddedEngine, Live, Client]]:
    engine = EmbeddedEngine(folder)
    url = await engine.start()
    try:
        async with live(url, "outage", alone=True) as found:
            await found.load(BUNDLE)
            yield engine, found, await found.client()
    finally:
        await engine.stop()


@contextmanager
def stopped(engine: EmbeddedEngine) -> Iterator[None]:
    """The engine stands still: connections stay open, and nothing is answered."""
    assert engine.pid
    os.kill(engine.pid, signal.SIGSTOP)
    os.waitpid(engine.pid, os.WUNTRACED)  # until it does
    try:
        yield
    finally:
        os.kill(engine.pid, signal.SIGCONT)


async def track(client: Client, number: int, visitor: str = "ann") -> dict[str, Any]:
    event = f'{{id: "e{number}", type: "view", visitor: "{visitor}", block: "card"}}'
    return await client.post(f"mutation {{ track(events: [{event}]) {{ accepted duplicates }} }}")


async def page(client: Client, visitor: str) -> tuple[dict[str, Any], float]:
    """The whole answer, and the seconds it took."""
    started = time.monotonic()
    answer = await client.post(PAGE % visitor)
    return answer, time.monotonic() - started


def degraded() -> dict[str, Any]:
    return {
        "data": {"page": {"basis": "CONTEXTUAL", "slots": SHOWN}},
        "extensions": {"degraded": ["profile"]},
    }


async def notices(client: Client) -> None:
    answer, took = await page(client, "stranger")
    assert (answer, took < FIRST) == (degraded(), True)


async def serves_quickly(client: Client, seconds: float) -> None:
    """Pages for visitors that are not in memory; for those that are, as ever. Tokens are asked for anew once."""
    begun = time.monotonic()
    waits: list[float] = []
    while time.monotonic() < begun + seconds:
        answer, took = await page(client, f"stranger{len(waits)}")
        assert answer == degraded()
        waits.append(took)
        answer, took = await page(client, "ann")
        assert answer["data"]["page"]["basis"] == "PERSONAL"
        waits.append(took)
        await asyncio.sleep(0.05)
    assert (sum(took > FAST for took in waits) <= 2, max(waits) < FIRST) == (True, True), waits


async def refuses_events(client: Client, number: int) -> None:
    answer = await track(client, number)
    extensions = answer["errors"][0]["extensions"]
    assert (extensions["code"], extensions["retryable"]) == ("STORE_UNAVAILABLE", True)


async def until(well: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await well():  # noqa: ASYNC110 - nothing tells when an engine is back
            await asyncio.sleep(0.05)


async def works_again(client: Client, number: int) -> None:
    """By itself; what was acknowledged is there, and what was refused may be sent again."""

    async def taken() -> bool:
        return "errors" not in await track(client, number)

    async def personal() -> bool:
        answer, _ = await page(client, "newcomer")
        return "extensions" not in answer and answer["data"]["page"]["basis"] == "PERSONAL"

    await until(taken)
    await until(personal)
    seen = await client.ask('{ visitor(id: "ann") { engagement { pageViews } } }')
    assert seen == {"visitor": {"engagement": {"pageViews": number}}}
    for before in range(1, number + 1):
        assert (await track(client, before))["data"] == {"track": {"accepted": 0, "duplicates": 1}}


async def test_a_store_that_stands_still_costs_no_page_and_loses_no_event(tmp_path: Path) -> None:
    async with gateway_on_its_own_engine(tmp_path) as (engine, found, client):
        assert (await track(client, 1))["data"] == {"track": {"accepted": 1, "duplicates": 0}}
        with stopped(engine):
            await notices(client)
            await asyncio.gather(refuses_events(client, 2), serves_quickly(client, OUTAGE))
            assert (await found.http.get("/health")).json()["status"] == "degraded"
        await works_again(client, 2)
        assert (await found.http.get("/health")).json()["status"] == "ok"


async def test_a_store_that_is_killed_costs_no_page_and_loses_no_event(tmp_path: Path) -> None:
    async with gateway_on_its_own_engine(tmp_path) as (engine, _, client):
        assert (await track(client, 1))["data"] == {"track": {"accepted": 1, "duplicates": 0}}
        killed = engine.pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        await notices(client)
        await works_again(client, 2)
        assert engine.pid != killed
