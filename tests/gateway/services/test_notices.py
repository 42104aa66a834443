import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import StoreUnavailable
from gateway.services import notices as module
from gateway.services.notices import Notices


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.02)
    monkeypatch.setattr(module, "ELSEWHERE_SECONDS", 0.01)


class Watcher:
    """Looks at a number, again after each change."""

    def __init__(self, notices: Notices, visitor: str, state: list[int]) -> None:
        self.watch = notices.watch(visitor)
        self.state = state
        self.seen: list[int] = []

    async def run(self) -> None:
        with self.watch:
            while True:
                self.seen.append(self.state[0])
                await self.watch.change()


@asynccontextmanager
async def watching(notices: Notices, *visitors: str) -> AsyncIterator[tuple[list[int], list[Watcher]]]:
    state = [0]
    watchers = [Watcher(notices, visitor, state) for visitor in visitors]
    tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]
    await until(lambda: all(watcher.seen for watcher in watchers))
    yield state, watchers
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110  # what is awaited says nothing by itself
            await asyncio.sleep(0.001)


async def test_a_watcher_looks_at_once_and_after_each_change() -> None:
    notices = Notices()
    async with watching(notices, "v") as (state, (watcher,)):
        for number in (1, 2, 3):
            state[0] = number
            notices.moved("v")
            await until(lambda: watcher.seen[-1] == state[0])
    assert watcher.seen == [0, 1, 2, 3]


async def test_of_a_burst_few_looks_come_and_the_last_sees_all_of_it() -> None:
    notices = Notices()
    async with watching(notices, "v") as (state, (watcher,)):
        for number in range(1, 1_001):
            state[0] = number
            notices.moved("v")
            if number % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: watcher.seen[-1] == 1_000)
        await asyncio.sleep(3 * module.PAUSE)
    assert len(watcher.seen) <= 4


async def test_somebody_elses_change_wakes_nobody_but_a_publication_wakes_all() -> None:
    notices = Notices()
    async with watching(notices, "v", "w") as (_, (v, w)):
        notices.moved("w")
        await until(lambda: len(w.seen) == 2)
        assert len(v.seen) == 1
        notices.published()
        await until(lambda: len(v.seen) == 2 and len(w.seen) == 3)


async def test_a_publication_wakes_one_in_each_turn_of_the_loop() -> None:
    notices = Notices()
    async with watching(notices, *(f"v{n}" for n in range(50))) as (_, watchers):
        notices.published()
        most, before = 0, 0
        while before < 50:
            await asyncio.sleep(0)
            after = sum(len(watcher.seen) - 1 for watcher in watchers)
            most, before = max(most, after - before), after
    assert most == 1


async def test_two_publications_while_some_wait_for_their_turn_are_one_for_them() -> None:
    notices = Notices()
    async with watching(notices, *(f"v{n}" for n in range(30))) as (state, watchers):
        notices.published()
        await asyncio.sleep(0)
        state[0] = 1
        notices.published()
        await until(lambda: all(watcher.seen[-1] == 1 for watcher in watchers))
    assert sum(watcher.seen == [0, 1] for watcher in watchers) >= 28  # all but who had his turn just then


async def test_a_change_during_a_look_is_seen_by_the_next() -> None:
    notices = Notices()
    with notices.watch("v") as watch:
        notices.moved("v")
        await asyncio.wait_for(watch.change(), 5)
        notices.published()
        await asyncio.wait_for(watch.change(), 5)


async def test_profiles_are_read_before_a_turn_and_a_store_that_is_away_delays_nobody() -> None:
    asked: list[Collection[str]] = []

    async def read(visitors: Collection[str]) -> None:
        asked.append(sorted(visitors))
        raise StoreUnavailable("away")

    notices = Notices(read)
    visitors = [f"v{n:03}" for n in range(module.BATCH + 1)]
    async with watching(notices, *visitors) as (_, watchers):
        notices.published()
        await until(lambda: all(len(watcher.seen) == 2 for watcher in watchers))
    assert asked == [visitors[: module.BATCH]]  # and not asked again in this round


async def test_what_other_processes_change_wakes_who_watches_it_and_nobody_asks_without_watchers() -> None:
    touched: list[str] = ["v"]
    asked = 0

    async def elsewhere() -> Collection[str]:
        nonlocal asked
        asked += 1
        return [touched.pop()] if touched else []

    notices = Notices(elsewhere=elsewhere)
    async with watching(notices, "v", "w") as (_, (v, w)):
        await until(lambda: len(v.seen) == 2)
        assert len(w.seen) == 1
    asked_then = asked
    await asyncio.sleep(0.05)
    assert asked == asked_then


async def test_a_watcher_may_look_again_by_itself() -> None:
    notices = Notices()
    with notices.watch("v") as watch:
        await asyncio.wait_for(watch.change(within=0.01), 5)


async def test_who_stops_watching_leaves_nothing_behind() -> None:
    notices = Notices()
    async with watching(notices, "v", "v", "w"):
        assert notices.watching == 3
        notices.published()
    assert notices.watching == 0
    await asyncio.sleep(0.01)
    assert {task for task in asyncio.all_tasks() if task.get_name().startswith("notices")} == set()


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from(["v moved", "w moved", "published", "loop"]),
        max_size=40,
    )
)
async def test_whatever_happens_everybody_sees_the_last_state(steps: list[str]) -> None:
    notices = Notices()
    async with watching(notices, "v", "w", "v") as (state, watchers):
        for step in [*steps, "v moved", "w moved"]:
            if step == "loop":
                await asyncio.sleep(0)
                continue
            state[0] += 1
            if step == "published":
                notices.published()
            else:
                notices.moved(step[0])
        state[0] += 1
        notices.moved("v")
        notices.moved("w")
        await until(lambda: all(watcher.seen[-1] == state[0] for watcher in watchers))
        assert all(watcher.seen == sorted(watcher.seen) for watcher in watchers)
