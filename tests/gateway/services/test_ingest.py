import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.consent import answered
from gateway.core.memory import blank
from gateway.core.terms import Terms
from gateway.errors import Overloaded, StoreUnavailable, TooLarge
from gateway.services.ingest import ERASED, MOST_EVENTS, MOST_WAITING, NOT_AGREED
from gateway.services.recovery import recover
from gateway.storage.failures import InDoubt
from schemas.vocabulary import Purpose
from tests.gateway.services.processes import AT_ONCE, LEARNING, NOW, process, view

EVER = datetime(2100, 1, 1, tzinfo=UTC)
START = datetime(2000, 1, 1, tzinfo=UTC)


async def logged(space) -> list[str]:
    return sorted(event.id for bucket in await space.events.since(START, EVER) for event in bucket.events)


async def views_stored(space, visitor: str = "ann") -> int:
    async with process(space, "reader") as reader:
        return await reader.views(visitor)


# --- exactly once ---


async def test_an_event_is_durable_and_in_the_profile_when_it_is_acknowledged(space):
    async with process(space) as p:
        taken = await p.track(view(1, block="travel"))
        assert (taken.accepted, taken.duplicates, taken.refused) == (1, 0, {})
        assert taken.profiles["ann"].usual == {"travel": 1.0}
        assert taken.profiles["ann"].version == "p-1"
        assert await logged(space) == ["e1"]
        assert p.profiles.cached("ann") is None  # another process may have moved it meanwhile
    async with process(space, "q", alone=False) as q:
        assert (await q.profiles.get("ann")).usual == {"travel": 1.0}


async def test_a_repeated_event_changes_nothing(space):
    async with process(space) as p:
        first = await p.track(view(1), view(1), view(2))
        assert (first.accepted, first.duplicates) == (2, 1)
        again = await p.track(view(2), view(3), view(1))
        assert (again.accepted, again.duplicates) == (1, 2)
        assert again.profiles["ann"].memory.page_views == 3
        both = await asyncio.gather(p.track(view(4)), p.track(view(4)))
        assert sorted(taken.accepted for taken in both) == [0, 1]
    assert await logged(space) == ["e1", "e2", "e3", "e4"]
    assert await views_stored(space) == 4


async def test_an_event_that_another_process_took_is_a_duplicate(space):
    async with process(space, "p") as p, process(space, "q") as q:
        await p.track(view(1), view(2))
        taken = await q.track(view(1), view(3), view(2, "bob"))
        assert (taken.accepted, taken.duplicates) == (1, 2)
        assert taken.profiles["ann"].memory.page_views == 3
        assert taken.profiles["bob"].memory.page_views == 0
        await asyncio.gather(p.profiles.fold(), q.profiles.fold())
        assert [await one.views() for one in (p, q)] == [3, 3]
    assert await logged(space) == ["e1", "e2", "e3"]


async def test_two_processes_that_race_for_the_same_events_take_each_once(space):
    async with process(space, "p") as p, process(space, "q") as q:
        numbers = list(range(40))
        taken = await asyncio.gather(
            *(one.track(*(view(n) for n in numbers[at : at + 4])) for at in range(0, 40, 4) for one in (p, q))
        )
        assert sum(one.accepted for one in taken) == sum(one.duplicates for one in taken) == 40
        assert [await one.views() for one in (p, q)] == [40, 40]
        await asyncio.gather(p.profiles.fold(), q.profiles.fold())
        await asyncio.gather(p.profiles.fold(), q.profiles.fold())  # whoever lost the race tries again
    assert await views_stored(space) == 40
    assert len(await logged(space)) == 40
    assert await space.events.open_moves(["ann"]) == {}


plans = st.lists(
    st.tuples(
        st.sampled_from("pq"),
        st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["ann", "bob"])), min_size=1, max_size=5),
        st.sampled_from(["", "p", "q"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans, st.integers(0, 10**9))
async def test_whatever_is_sent_where_and_how_often_each_event_counts_once(storage, plan, salt):
    space = storage.space(f"s{abs(hash((str(plan), salt))):x}"[:20])
    await space.prepare()
    sent: dict[int, str] = {}
    async with process(space, "p") as p, process(space, "q") as q:
        ways = {"p": p, "q": q}
        for name, events, folds in plan:
            # An id belongs to one visitor: the first who used it.
            mine = [view(number, sent.setdefault(number, visitor)) for number, visitor in events]
            await ways[name].track(*mine)
            if folds:
                await ways[folds].profiles.fold()
        for visitor in ("ann", "bob"):
            expected = sum(owner == visitor for owner in sent.values())
            assert [await one.views(visitor) for one in (p, q)] == [expected, expected]


# --- consent ---


async def test_without_consent_nothing_is_kept(space):
    async with process(space, agreed=False) as p:
        taken = await p.track(view(1), view(2))
        assert (taken.accepted, taken.refused) == (0, {"e1": NOT_AGREED, "e2": NOT_AGREED})
        assert taken.profiles["ann"].clock == {}
    assert await logged(space) == []
    assert await space.events.open_moves(["ann"]) == {}


def said(granted: bool, *purposes: Purpose, at: float = NOW):
    return {"ann": replace(blank(LEARNING), consents=answered(purposes, granted, at))}


async def test_consent_counts_from_the_next_event_on(space):
    async with process(space, agreed=False) as p:
        await p.track(extra=said(True, Purpose.PERSONALIZATION))
        taken = await p.track(view(1, block="travel"))
        assert (taken.accepted, taken.profiles["ann"].usual) == (1, {"travel": 1.0})


async def test_who_agrees_to_analytics_alone_is_counted_but_not_learned_about(space):
    async with process(space, agreed=False) as p:
        await p.track(extra=said(True, Purpose.ANALYTICS))
        memory = (await p.track(view(1, block="travel"))).profiles["ann"].memory
        assert (memory.page_views, memory.usual.sums) == (1, {})


async def test_the_browsers_objection_holds_until_the_visitor_agrees(space):
    async with process(space, agreed=True) as p:
        assert (await p.track(view(1), terms=Terms(True, gpc=True))).refused == {"e1": NOT_AGREED}
        await p.track(extra=said(True, Purpose.PERSONALIZATION))
        assert (await p.track(view(1), terms=Terms(True, gpc=True))).accepted == 1


async def test_what_happened_before_an_erasure_is_refused(space):
    async with process(space) as p:
        await p.track(extra={"ann": replace(blank(LEARNING), forgotten=NOW)})
        taken = await p.track(view(1, at=NOW), view(2, at=NOW + 1))
        assert (taken.accepted, taken.refused) == (1, {"e1": ERASED})
    assert await logged(space) == ["e2"]


async def test_what_is_remembered_beside_events_needs_no_event(space):
    async with process(space) as p:
        taken = await p.track(extra=said(False, Purpose.MARKETING))
        assert (taken.accepted, taken.duplicates) == (0, 0)
        assert taken.profiles["ann"].memory.consents == answered([Purpose.MARKETING], False, NOW)
    assert await space.events.open_moves(["ann"]) != {}
    assert await logged(space) == []


# --- groups ---


async def test_requests_that_come_together_share_a_bucket(space):
    async with process(space, gather=0.05) as p:
        await p.track(*(view() for _ in range(30)))  # next time about as many are expected
        taken = await asyncio.gather(*(p.track(view(n, f"v{n}")) for n in range(30)))
        assert [one.accepted for one in taken] == [1] * 30
    buckets = await space.events.since(START, EVER)
    assert [len(bucket.events) for bucket in buckets] == [30, 30]


async def test_each_request_is_told_of_its_own_events_and_visitors(space):
    async with process(space, gather=0.05) as p:
        one, other = await asyncio.gather(
            p.track(view(1, "ann"), view(2, "bob")), p.track(view(2, "bob"), view(3, "bob"))
        )
    assert (one.accepted, one.duplicates, list(one.profiles)) == (2, 0, ["ann", "bob"])
    assert (other.accepted, other.duplicates, list(other.profiles)) == (1, 1, ["bob"])


async def test_a_bucket_has_a_limit(space):
    async with process(space, gather=0.05) as p:
        size = MOST_EVENTS // 2 + 1
        await asyncio.gather(*(p.track(*(view() for _ in range(size))) for _ in range(3)))
    assert [len(bucket.events) for bucket in await space.events.since(START, EVER)] == [size] * 3


async def test_too_much_waiting_is_refused_before_anything_is_taken(space):
    async with process(space, gather=0.1) as p:
        many = [view() for _ in range(MOST_WAITING // 2)]
        extras = {f"v{n}": blank(LEARNING) for n in range(MOST_WAITING // 2)}
        waiting = [
            asyncio.ensure_future(p.intake.submit(many)),
            asyncio.ensure_future(p.intake.submit((), extra=extras)),
        ]
        await asyncio.sleep(0)  # both stand in the queue now
        with pytest.raises(Overloaded, match="again in a few seconds"):
            await p.track(view(1))
        for one in waiting:
            one.cancel()
        p.intake.close()
    assert await logged(space) == []


async def test_a_backlog_of_foldings_is_bounded_too(space, monkeypatch):
    monkeypatch.setattr("gateway.services.ingest.MOST_BACKLOG", 2)
    async with process(space) as p:
        await p.track(*(view(n, f"v{n}") for n in range(3)))
        with pytest.raises(Overloaded):
            await p.track(view(9))
        await p.profiles.fold()
        assert (await p.track(view(9))).accepted == 1


async def test_one_request_that_is_too_large_does_not_take_others_along(space):
    big = {"text": "x" * 17_000_000}
    async with process(space, gather=0.05) as p:
        await p.track(*(view() for _ in range(20)))
        small = [p.track(view(n)) for n in range(5)]
        large = p.track(view(99, properties=big))
        *fine, refused = await asyncio.gather(*small, large, return_exceptions=True)
        assert [one.accepted for one in fine] == [1] * 5
        assert isinstance(refused, TooLarge)
        assert await p.views() == 25


# --- a store that fails ---


class Unsure:
    """The event log behind a line that breaks: the answer of an insert is lost, before or after it is done."""

    def __init__(self, events) -> None:
        self._events = events
        self.lose: list[str] = []

    def __getattr__(self, name):
        return getattr(self._events, name)

    async def append(self, bucket) -> None:
        how = self.lose.pop(0) if self.lose else ""
        if how != "before":
            await self._events.append(bucket)
        if how:
            raise InDoubt("no answer came")


@pytest.mark.parametrize("how", ["before", "after"])
async def test_a_write_in_doubt_is_settled_before_the_next(space, how):
    events = Unsure(space.events)
    async with process(space, events=events) as p:
        events.lose = [how]
        with pytest.raises(StoreUnavailable):
            await p.track(view(1))
        again = await p.track(view(1), view(2))
        assert (again.accepted, again.duplicates) == (1, 1)
        assert again.profiles["ann"].memory.page_views == 2
        assert again.profiles["ann"].clock["p"] > 1
        await p.profiles.fold()
    assert await logged(space) == ["e1", "e2"]
    assert await views_stored(space) == 2


async def test_a_write_stays_in_doubt_until_the_store_answers(space):
    events = Unsure(space.events)
    async with process(space, events=events) as p:
        events.lose = ["before", "before", "after"]
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await p.track(view(1))
        assert (await p.track(view(1))).duplicates == 1
        assert await p.views() == 1
    assert await logged(space) == ["e1"]


async def test_a_lost_write_whose_events_went_elsewhere_counts_once(space):
    events = Unsure(space.events)
    async with process(space, "p", events=events) as p, process(space, "q") as q:
        events.lose = ["before"]
        with pytest.raises(StoreUnavailable):
            await p.track(view(1))
        assert (await q.track(view(1))).accepted == 1  # the client tries another process
        taken = await p.track(view(1), view(2))
        assert (taken.accepted, taken.duplicates) == (1, 1)
        for one in (p, q, p):
            await one.profiles.fold()
    assert await views_stored(space) == 2


async def test_a_bucket_in_doubt_may_be_folded_by_another_process_first(space):
    events = Unsure(space.events)
    async with process(space, "p", events=events) as p, process(space, "q") as q:
        events.lose = ["after"]
        with pytest.raises(StoreUnavailable):
            await p.track(view(1))
        assert await recover(space.events, q.profiles, "q", AT_ONCE) == 1
        assert (await p.track(view(2))).profiles["ann"].memory.page_views == 2
        await p.profiles.fold()
        await p.profiles.fold()
    assert await views_stored(space) == 2


# --- an end ---


async def test_draining_waits_for_what_is_being_written(space):
    async with process(space) as p:
        asked = [asyncio.ensure_future(p.track(view(n))) for n in range(5)]
        while not p.intake._writing:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await p.intake.drain()
        assert [one.done() and one.result().accepted for one in asked] == [1] * 5


async def test_what_was_not_taken_up_is_refused_at_the_end(space):
    async with process(space) as p:
        pass
    asked = asyncio.ensure_future(p.track(view(1)))
    await asyncio.sleep(0)
    p.intake.close()
    with pytest.raises(Overloaded, match="shutting down"):
        await asked
