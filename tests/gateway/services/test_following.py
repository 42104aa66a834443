"""What is in memory holds while nobody is heard to have changed it, and no longer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from gateway.core.memory import remember, to_bytes
from gateway.errors import StoreUnavailable
from gateway.services.following import Following
from gateway.storage.client import SpaceStore
from gateway.storage.following import NoChangeStreams, Written
from tests.gateway.services.processes import LEARNING, Process, process, view


async def until(holds: Callable[[], bool]) -> None:
    """The loop goes on until it holds; whoever waits for ever is stopped by the test run."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def remembered(one: Process, visitor: str = "ann") -> None:
    """Read until memory is believed: by then, it follows."""
    while one.profiles.cached(visitor) is None:
        await one.profiles.get(visitor)
        await asyncio.sleep(0.001)


@asynccontextmanager
async def following(space: SpaceStore, name: str = "p", **more: Any) -> AsyncIterator[Process]:
    """A process that believes its memory only as far as it hears of the others."""
    async with process(space, name, max_age=0.0, **more) as one:
        task = asyncio.create_task(one.profiles.follow())
        try:
            yield one
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_who_is_not_heard_of_is_read_once(space: SpaceStore) -> None:
    async with following(space) as p, process(space, "q") as q:
        await remembered(p)
        first = p.profiles.cached("ann")
        heard: list[str] = []
        p.profiles.on_moved = heard.append
        for _ in range(3):
            await q.track(view(visitor="bob"))
        await until(lambda: len(heard) == 3)
        assert (p.profiles.cached("ann"), heard) == (first, ["bob"] * 3)


async def test_what_another_process_writes_is_heard_and_seen(space: SpaceStore) -> None:
    async with following(space) as p, process(space, "q") as q:
        for count in range(1, 4):
            await remembered(p)
            await q.track(view())
            await until(lambda: p.profiles.cached("ann") is None)
            assert await p.views() == count


async def test_an_erasure_is_heard_although_the_log_says_nothing_any_more(space: SpaceStore) -> None:
    async with process(space, "q") as q:
        await q.track(view())
    async with following(space) as p, process(space, "r") as q:
        await remembered(p)
        heard: list[str] = []
        p.profiles.on_moved = heard.append
        await q.track(view())
        await q.profiles.settle("ann")
        await space.events.erase("ann")
        await until(lambda: heard == ["ann"])
        assert await p.views() == 1  # of q nothing was folded


async def test_ones_own_writes_are_no_news(space: SpaceStore) -> None:
    async with following(space) as p, process(space, "q") as q:
        heard: list[str] = []
        await remembered(p)
        await p.track(view())
        assert p.profiles.cached("ann") is not None
        p.profiles.on_moved = heard.append
        await q.track(view(visitor="bob"))
        await until(lambda: bool(heard))
        assert heard == ["bob"]


class Telling:
    """An event store whose change stream is what a test says."""

    def __init__(self, store: Any, error: Exception | None = None) -> None:
        self._store = store
        self._error = error
        self.more = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def written(self) -> AsyncIterator[Written | None]:
        yield None
        await self.more.wait()
        if self._error:
            raise self._error
        yield Written("q", ["ann"])
        await asyncio.Event().wait()


async def test_without_change_streams_memory_is_believed_for_its_age_alone(space: SpaceStore) -> None:
    events = Telling(space.events, NoChangeStreams("a standalone server"))
    events.more.set()
    async with process(space, events=events, max_age=0.0) as p:
        await p.profiles.follow()
        await p.profiles.follow()
        await p.profiles.get("ann")
        assert p.profiles.cached("ann") is None


async def test_when_the_stream_breaks_nothing_is_believed(space: SpaceStore) -> None:
    events = Telling(space.events, StoreUnavailable("gone"))
    async with process(space, events=events, max_age=0.0) as p:
        task = asyncio.create_task(p.profiles.follow())
        await remembered(p)
        events.more.set()
        with pytest.raises(StoreUnavailable):
            await task
        assert p.profiles.cached("ann") is None


async def test_a_reading_that_news_overtook_is_not_believed(space: SpaceStore) -> None:
    """The news came between its question and its answer."""
    events = Telling(space.events)

    class Slow:
        def __init__(self) -> None:
            self.asked, self.answer = asyncio.Event(), asyncio.Event()

        def __getattr__(self, name: str) -> Any:
            return getattr(space.profiles, name)

        async def get_many(self, visitors: Any) -> Any:
            found = await space.profiles.get_many(visitors)
            self.asked.set()
            await self.answer.wait()
            return found

    store = Slow()
    async with process(space, events=events, store=store, max_age=0.0) as p:
        task = asyncio.create_task(p.profiles.follow())
        reading = asyncio.create_task(p.profiles.get("ann"))
        await store.asked.wait()
        heard: list[str] = []
        p.profiles.on_moved = heard.append
        events.more.set()
        await until(lambda: heard == ["ann"])
        store.answer.set()
        await reading
        assert p.profiles.cached("ann") is None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_moves_without_their_bucket_are_neither_counted_nor_believed(space: SpaceStore) -> None:
    """A repeated event, refused a moment later, or a flush that is just being written."""
    body = to_bytes(remember([(view(), None)], LEARNING))
    moves = {
        "_id": "~q-000000000001",
        "p": "q",
        "n": 1,
        "at": None,
        "open": ["ann"],
        "moves": [{"v": "ann", "d": body}],
    }
    await space._db["events"].insert_one(moves)
    async with process(space, max_age=600.0) as p:
        assert (await p.views(), p.profiles.cached("ann")) == (0, None)
        bucket = {"_id": "q-000000000001", "p": "q", "n": 1, "at": None, "who": ["ann"]}
        await space._db["events"].insert_one(bucket)
        assert await p.views() == 1
        assert p.profiles.cached("ann") is not None


def test_nothing_is_believed_before_anything_was_heard() -> None:
    assert not Following().holds(1.0, 1.0)
