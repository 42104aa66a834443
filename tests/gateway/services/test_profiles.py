import asyncio
import time

import pytest

from gateway.core.memory import blank, remember
from gateway.core.profiles import read_version
from gateway.errors import StoreUnavailable
from tests.gateway.services.processes import LEARNING, NOW, process, view


async def until(holds) -> None:
    """The loop goes on until it holds; whoever waits for ever is stopped by the test run."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


# --- reading ---


async def test_nobody_is_a_stranger(space):
    async with process(space) as p:
        profile = await p.profiles.get("nobody")
        assert (profile.id, profile.version, profile.known) == ("nobody", "", False)


async def test_a_process_that_is_alone_reads_a_visitor_once(space):
    async with process(space, alone=True) as p:
        await p.track(view(block="travel"))
        first = await p.profiles.get("ann")
        assert p.profiles.cached("ann") is first
        assert first.usual == {"travel": 1.0}


async def test_beside_other_processes_memory_is_trusted_for_a_moment_only(space):
    async with process(space, "p", max_age=0.4) as p, process(space, "q") as q:
        await p.profiles.get("ann")
        await q.track(view())
        assert p.profiles.cached("ann").memory.page_views == 0
        start = time.monotonic()
        await until(lambda: p.profiles.cached("ann") is None)
        assert time.monotonic() - start < 1.0
        assert await p.views() == 1


async def test_who_passes_a_version_is_served_at_least_that(space):
    async with process(space, "p", max_age=600.0) as p, process(space, "q", max_age=600.0) as q:
        assert await p.views() == 0
        version = read_version((await q.track(view(), view())).profiles["ann"].version)
        assert await p.views() == 0
        assert p.profiles.cached("ann", version) is None
        assert (await p.profiles.get("ann", version)).memory.page_views == 2
        assert await p.views() == 2


async def test_many_are_read_at_once(space):
    async with process(space, "p") as p, process(space, "q") as q:
        await p.track(*(view(visitor=f"v{n}") for n in range(5)))
        found = await q.profiles.get_many([f"v{n}" for n in range(6)])
        assert [found[f"v{n}"].memory.page_views for n in range(6)] == [1] * 5 + [0]


async def test_the_answer_of_a_write_holds_the_write_however_stale_memory_is(space):
    async with process(space, max_age=0.0) as p:
        for count in range(1, 6):
            taken = await p.track(view())
            assert (taken.profiles["ann"].memory.page_views, taken.profiles["ann"].clock) == (
                count,
                {"p": count},
            )


# --- folding ---


async def test_folding_writes_each_visitor_once_and_closes_the_buckets(space):
    async with process(space) as p:
        for _ in range(3):
            await p.track(view(), view(visitor="bob"))
        assert p.profiles.backlog == 2
        assert await p.profiles.fold() == 2
        assert (p.profiles.backlog, await p.profiles.fold()) == (0, 0)
        assert await space.events.open_moves(["ann", "bob"]) == {}
        stored = await space.profiles.get_many(["ann", "bob"])
        assert [(one.version, one.clock) for one in stored.values()] == [(1, {"p": 3})] * 2
        assert await p.views() == 3


async def test_what_arrives_while_folding_is_folded_next(space):
    async with process(space) as p:
        await p.track(view())
        folding = asyncio.ensure_future(p.profiles.fold())
        await p.track(view())
        await folding
        await p.profiles.fold()
        assert (p.profiles.backlog, await p.views()) == (0, 2)
        assert (await space.profiles.get_many(["ann"]))["ann"].clock == {"p": 2}


async def test_whoever_loses_a_folding_tries_again_and_both_count(space):
    async with process(space, "p", max_age=600.0) as p, process(space, "q", max_age=600.0) as q:
        await asyncio.gather(p.profiles.get("ann"), q.profiles.get("ann"))  # both hold the same base
        await p.track(view())
        await q.track(view())
        assert [await p.profiles.fold(), await q.profiles.fold()] == [1, 0]
        assert await q.profiles.fold() == 1
        assert (await space.profiles.get_many(["ann"]))["ann"].clock == {"p": 1, "q": 1}
        for one in (p, q):
            assert (await one.profiles.get("ann", {"p": 1, "q": 1})).memory.page_views == 2


class Deaf:
    """A profile store that writes, and whose answer is lost."""

    def __init__(self, store) -> None:
        self._store = store
        self.lose = 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def write(self, changes):
        lost = await self._store.write(changes)
        if self.lose:
            self.lose -= 1
            raise StoreUnavailable("no answer came")
        return lost


async def test_a_folding_whose_answer_was_lost_counts_once(space):
    store = Deaf(space.profiles)
    async with process(space, store=store) as p:
        await p.track(view())
        store.lose = 1
        with pytest.raises(StoreUnavailable):
            await p.profiles.fold()
        await p.track(view())
        await p.profiles.fold()
        await p.profiles.fold()
        assert (p.profiles.backlog, await p.views()) == (0, 2)
    assert await space.events.open_moves(["ann"]) == {}
    async with process(space, "reader") as reader:
        assert await reader.views() == 2


async def test_settling_goes_on_until_the_store_holds_the_write(space):
    async with process(space, "p", max_age=600.0) as p, process(space, "q", max_age=600.0) as q:
        await asyncio.gather(p.profiles.get("ann"), q.profiles.get("ann"))
        await p.track(view())
        await q.track(view())
        await q.profiles.fold()  # p will lose its first attempt
        await p.profiles.settle("ann")
        assert (await space.profiles.get_many(["ann"]))["ann"].clock == {"p": 1, "q": 1}


class Rival:
    """A profile store in which somebody else is always faster."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def write(self, changes):
        return {change.visitor for change in changes}


async def test_settling_gives_up_where_others_are_always_faster(space):
    async with process(space, store=Rival(space.profiles)) as p:
        await p.profiles.settle("ann")  # nothing is open
        await p.track(view())
        with pytest.raises(StoreUnavailable, match="repeat it in a moment"):
            await p.profiles.settle("ann")
        assert p.profiles.backlog == 1


# --- both at once ---


@pytest.mark.parametrize("alone", [True, False])
async def test_a_folding_never_hides_an_event_from_a_reader(space, alone):
    """Readers without end beside a writer and a folder: what a reader sees never becomes less."""
    others = ["p"] if alone else ["p", "q"]
    done = asyncio.Event()
    seen: dict[str, int] = {}

    async def read(one, acknowledged) -> None:
        newest = 0
        while not done.is_set():
            at_least = dict(acknowledged)
            profile = await one.profiles.get("ann", at_least)
            assert profile.includes(at_least)
            assert profile.memory.page_views >= newest
            newest = profile.memory.page_views
            seen[one.name] = newest
            await asyncio.sleep(0)

    async def fold(one) -> None:
        while not done.is_set():
            await one.profiles.fold()
            await asyncio.sleep(0)

    async with process(space, "p", alone=alone, gather=0.0) as p, process(space, "q", gather=0.0) as q:
        acknowledged: dict[str, int] = {}
        processes = [one for one in (p, q) if one.name in others]
        work = [read(one, acknowledged) for one in processes for _ in range(4)] + [
            fold(one) for one in processes
        ]
        tasks = [asyncio.create_task(one) for one in work]
        for number in range(30):
            one = processes[number % len(processes)]
            acknowledged |= (await one.track(view())).profiles["ann"].clock
        await until(lambda: all(seen.get(name) == 30 for name in others) or any(t.done() for t in tasks))
        done.set()
        await asyncio.gather(*tasks)
        for _ in range(2):
            for one in processes:
                await one.profiles.fold()
    async with process(space, "reader") as reader:
        assert await reader.views() == 30
    assert await space.events.open_moves(["ann"]) == {}


@pytest.mark.parametrize("alone", [True, False])
async def test_a_small_cache_never_loses_what_is_open(space, alone):
    visitors = [f"v{n}" for n in range(12)]
    async with process(space, alone=alone, capacity=2, gather=0.0) as p:

        async def visit(visitor: str) -> None:
            for count in range(1, 5):
                taken = await p.track(view(visitor=visitor))
                assert taken.profiles[visitor].memory.page_views == count
                assert await p.views(visitor) == count

        async def fold() -> None:
            while not done.is_set():
                await p.profiles.fold()
                await asyncio.sleep(0)

        done = asyncio.Event()
        folding = asyncio.create_task(fold())
        await asyncio.gather(*map(visit, visitors))
        done.set()
        await folding
        await p.profiles.fold()
        assert p.profiles.backlog == 0
        assert [await p.views(visitor) for visitor in visitors] == [4] * 12
        assert len(p.profiles._entries) <= 2 + len(visitors)
        await p.profiles.get_many([f"w{n}" for n in range(12)])
        assert len(p.profiles._entries) <= 2
    async with process(space, "reader") as reader:
        assert [await reader.views(visitor) for visitor in visitors] == [4] * 12


async def test_a_profile_that_vanished_is_made_anew_from_what_is_open(space):
    """It expired in the store, or somebody deleted it by hand."""
    async with process(space, alone=True) as p:
        await p.track(view())
        await p.profiles.fold()
        p.profiles._entries["ann"].base.version = 7
        await p.track(view())
        assert await p.profiles.fold() == 0
        assert await p.profiles.fold() == 1
        assert await p.views() == 2


# --- taking over ---


async def test_a_taken_over_bucket_reaches_readers_and_later_foldings(space):
    move = remember([(view(block="city"), {"city": 1.0})], LEARNING)
    async with process(space, alone=True) as p:
        assert await p.views() == 0
        assert await p.profiles.take_over("dead", {"ann": [(3, move), (4, move)]})
        assert await p.profiles.take_over("dead", {"ann": [(4, move)]})  # once more changes nothing
        assert await p.views() == 2
        await p.track(view())
        await p.profiles.fold()
        assert (await space.profiles.get_many(["ann"]))["ann"].clock == {"dead": 4, "p": 1}
        assert await p.views() == 3


async def test_what_cannot_be_taken_over_is_said(space):
    async with process(space, store=Rival(space.profiles)) as p:
        assert not await p.profiles.take_over("dead", {"ann": [(1, blank(LEARNING))]})


async def test_a_stored_profile_says_when_it_was_last_touched(space):
    async with process(space) as p:
        await p.track(view(at=NOW))
        await p.profiles.fold()
    stored = (await space.profiles.get_many(["ann"]))["ann"]
    assert (stored.seen.timestamp(), stored.forgotten) == (NOW, None)
