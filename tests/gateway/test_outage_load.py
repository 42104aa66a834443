"""The store goes away while it is used, and while every request asks for its token anew."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.services import tokens
from gateway.storage.embedded import EmbeddedEngine
from schemas.vocabulary import Scope
from tests.engine import OTHER_SERVER
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.skipif(
    bool(OTHER_SERVER), reason="stops the embedded engine; another server is named"
)

FIRST = 2.5  # seconds that a page may take while the store is away
TEN_MORE = 4.0  # for ten pages after it; each would take half a second if it waited for its token
BUNDLE: dict[str, Any] = {
    "blocks": [{"key": "text", "type": "RichText", "tags": {"calm": 1.0}, "data": {"body": "A calm text"}}],
    "pages": [
        {"slug": "home", "title": "Home", "slots": [{"name": "main", "strategy": "rules", "block": "text"}]}
    ],
}
PAGE = 'query($v: ID) { page(slug: "home", visitor: $v) { basis } }'
TRACK = """mutation($id: ID!, $v: ID!) { track(events: [{id: $id, type: "view", visitor: $v, block: "text"}])
    { accepted duplicates rejected { code } } }"""
VIEWS = "query($v: ID!) { visitor(id: $v) { engagement { pageViews } } }"
PERSONAL = {"data": {"page": {"basis": "PERSONAL"}}}
DEGRADED = {"data": {"page": {"basis": "CONTEXTUAL"}}, "extensions": {"degraded": ["profile"]}}


@asynccontextmanager
async def on_own_engine(folder: Path, alone: bool) -> AsyncIterator[tuple[Live, int]]:
    """The gateway and its engine's process."""
    engine = EmbeddedEngine(folder)
    url = await engine.start()
    assert engine.pid
    try:
        async with live(url, "outage", alone=alone) as found:
            await found.load(BUNDLE)
            yield found, engine.pid
    finally:
        await engine.stop()


async def timed(client: Client, visitor: str) -> tuple[dict[str, Any], float]:
    started = time.monotonic()
    return await client.post(PAGE, v=visitor), time.monotonic() - started


async def acknowledged(client: Client, event: str, visitor: str) -> int:
    """Send it until it is acknowledged; how often it was refused."""
    for refusals in range(200):
        answer = await client.post(TRACK, id=event, v=visitor)
        if answer.get("data"):
            assert answer["data"]["track"]["rejected"] == []
            return refusals
        error = answer["errors"][0]["extensions"]
        assert (error["code"], error["retryable"]) == ("STORE_UNAVAILABLE", True)
        await asyncio.sleep(0.05)
    raise AssertionError("the store did not come back")


async def until(answers: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    deadline = time.monotonic() + 10
    while (found := await answers()) != wanted:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def test_a_known_token_and_a_page_without_profile_outlive_a_frozen_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "FRESH", 0.0)
    async with on_own_engine(tmp_path, alone=False) as (found, engine):
        client = await found.client(Scope.DELIVERY, Scope.EVENTS, Scope.PROFILES)
        await acknowledged(client, "before", "ann")
        assert await client.post(PAGE, v="ann") == PERSONAL
        os.kill(engine, signal.SIGSTOP)
        try:
            answer, took = await timed(client, "bob")
            assert (answer, took < FIRST) == (DEGRADED, True), took
            started = time.monotonic()
            for number in range(10):
                assert await client.post(PAGE, v=f"visitor {number}") == DEGRADED
            assert time.monotonic() - started < TEN_MORE
            unknown = await found.bearing("bls_of_nobody_that_is_known").refused(PAGE, v="ann")
            assert (unknown["code"], unknown["retryable"]) == ("STORE_UNAVAILABLE", True)
        finally:
            os.kill(engine, signal.SIGCONT)
        await until(lambda: client.post(PAGE, v="bob"), PERSONAL)
        assert await client.post(PAGE, v="ann") == PERSONAL


async def test_no_page_fails_and_no_acknowledged_event_is_missing_when_the_store_dies_under_load(
    tmp_path: Path,
) -> None:
    async with on_own_engine(tmp_path, alone=True) as (found, engine):
        client = await found.client(Scope.DELIVERY, Scope.EVENTS, Scope.PROFILES)
        refusals = 0
        for number in range(40):
            if number == 15:
                os.kill(engine, signal.SIGKILL)
            event = asyncio.create_task(acknowledged(client, f"e{number}", "ann"))
            pages = 0
            while not event.done():
                answer, took = await timed(client, f"visitor {number} {pages}")
                assert answer in (PERSONAL, DEGRADED)
                assert took < FIRST
                pages += 1
            refusals += await event
        assert refusals
        seen = {"data": {"visitor": {"engagement": {"pageViews": 40}}}}
        assert await client.post(VIEWS, v="ann") == seen
