from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.storage.events import Bucket, DuplicateEvents, Erased, LoggedEvent, Move, OpenMove

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def bucket(process="p", seq=1, at=NOON, visitors=("ann", "bob"), moved=None):
    """One event and one move for each visitor, told apart by process and number."""
    events = tuple(LoggedEvent(f"{process}{seq}-{v}", v, b"event of " + v.encode()) for v in visitors)
    moves = tuple(Move(v, f"{process}{seq}".encode()) for v in (visitors if moved is None else moved))
    return Bucket(process, seq, at, events, moves)


async def test_what_was_appended_can_be_tailed(space):
    first, second = bucket(), bucket(seq=2, at=NOON + seconds(1))
    await space.events.append(second)
    await space.events.append(first)
    assert await space.events.since(NOON, NOON + seconds(2)) == [
        Bucket(first.process, 1, first.at, first.events),
        Bucket(second.process, 2, second.at, second.events),
    ]
    assert [b.seq for b in await space.events.since(NOON + seconds(1), NOON + seconds(2))] == [2]
    assert await space.events.since(NOON, NOON) == []
    assert [b.seq for b in await space.events.since(NOON, NOON + seconds(2), limit=1)] == [1]


async def test_the_same_bucket_again_changes_nothing(space):
    for _ in range(3):
        await space.events.append(bucket())
    assert len(await space.events.since(NOON, NOON + seconds(1))) == 1


async def test_a_bucket_with_a_known_event_is_refused_whole(space):
    await space.events.append(bucket())
    mixed = Bucket("q", 7, NOON, (*bucket().events, LoggedEvent("new", "cid", b"")))
    with pytest.raises(DuplicateEvents) as refused:
        await space.events.append(mixed)
    assert refused.value.ids == {"p1-ann", "p1-bob"}
    assert await space.events.known(["new", "p1-bob", "never"]) == {"p1-bob"}


async def test_buckets_without_events_live_side_by_side(space):
    for seq in (1, 2):
        await space.events.append(Bucket("p", seq, NOON, (), (Move("ann", b"consent"),)))
    assert [m.seq for m in (await space.events.open_moves(["ann"]))["ann"]] == [1, 2]


async def test_open_moves_are_those_that_were_not_closed(space):
    for seq in (1, 2, 3):
        await space.events.append(bucket(seq=seq, at=NOON + seconds(seq)))
    await space.events.close(["p-000000000001", "p-000000000003"])
    assert await space.events.open_moves(["ann", "nobody"]) == {
        "ann": [OpenMove("p", 2, NOON + seconds(2), b"p2")]
    }


async def test_open_moves_come_in_the_order_of_time_over_processes(space):
    for process, seq, second in (("p", 1, 1), ("q", 1, 2), ("p", 2, 3)):
        await space.events.append(bucket(process, seq, NOON + seconds(second)))
    moves = (await space.events.open_moves(["ann"]))["ann"]
    assert [move.body for move in moves] == [b"p1", b"q1", b"p2"]


async def test_a_clock_set_back_never_turns_the_order_of_one_process(space):
    for process, seq, second in (("p", 1, 50), ("p", 2, 10), ("q", 1, 20)):
        await space.events.append(bucket(process, seq, NOON + seconds(second)))
    moves = (await space.events.open_moves(["ann"]))["ann"]
    assert [m.seq for m in moves if m.process == "p"] == [1, 2]


async def test_orphans_are_what_silent_processes_left_open(space):
    for process, second in (("me", 0), ("dead", 0), ("alive", 60)):
        for seq in (1, 2):
            await space.events.append(bucket(process, seq, NOON + seconds(second * (seq - 1))))
    orphans = [replace(bucket("dead", seq, NOON), events=()) for seq in (1, 2)]
    assert await space.events.orphans(NOON + seconds(30), "me") == orphans
    assert await space.events.orphans(NOON + seconds(30), "me", limit=1) == orphans[:1]
    await space.events.close(["dead-000000000001", "dead-000000000002"])
    assert await space.events.orphans(NOON + seconds(30), "me") == []


async def test_moves_whose_bucket_was_never_written_count_for_nothing(space):
    """A crash between the two documents of a flush leaves the first, of which nobody was told."""
    await space.events.append(bucket("dead", 1, NOON))
    await space._db["events"].delete_one({"_id": "dead-000000000001"})
    assert await space.events.orphans(NOON + seconds(30), "me") == []
    assert await space.events.open_moves(["ann"]) == {}


async def test_a_flush_interrupted_after_its_moves_is_whole_when_it_is_repeated(space):
    await space.events.append(bucket("p", 1, NOON))
    await space._db["events"].delete_one({"_id": "p-000000000001"})
    await space.events.append(bucket("p", 1, NOON))
    assert [event.id for _, event in await space.events.of_visitor("ann")] == ["p1-ann"]
    assert len((await space.events.open_moves(["ann"]))["ann"]) == 1


async def test_refused_duplicates_leave_no_moves_behind(space):
    await space.events.append(bucket("p", 1, NOON))
    again = replace(bucket("q", 1, NOON), events=bucket("p", 1, NOON).events)
    with pytest.raises(DuplicateEvents):
        await space.events.append(again)
    assert [move.process for move in (await space.events.open_moves(["ann"]))["ann"]] == ["p"]


async def test_the_events_of_a_visitor_come_newest_first(space):
    for seq in (1, 2, 3):
        await space.events.append(bucket(seq=seq, at=NOON + seconds(seq)))
    assert await space.events.of_visitor("ann", limit=2) == [
        (NOON + seconds(3), LoggedEvent("p3-ann", "ann", b"event of ann")),
        (NOON + seconds(2), LoggedEvent("p2-ann", "ann", b"event of ann")),
    ]


async def test_an_erased_visitor_leaves_nothing_and_nobody_else_is_touched(space):
    await space.events.append(bucket(seq=1))
    await space.events.append(bucket(seq=2, visitors=("ann",)))
    await space.events.append(bucket(seq=3, visitors=("ann",)))
    await space.events.append(bucket(seq=4, visitors=("bob",)))
    assert await space.events.erase("ann") == Erased(events=3, buckets=3)
    assert await space.events.of_visitor("ann") == []
    assert await space.events.open_moves(["ann"]) == {}
    assert await space.events.known(["p1-ann", "p1-bob", "p2-ann"]) == {"p1-bob"}
    assert [m.seq for m in (await space.events.open_moves(["bob"]))["bob"]] == [1, 4]
    assert await space.events.erase("ann") == Erased(0, 0)


async def test_two_visitors_of_one_bucket_can_both_be_erased(space):
    for seq in (1, 2):
        await space.events.append(bucket(seq=seq))
    await space.events.erase("ann")
    assert await space.events.erase("bob") == Erased(events=2, buckets=2)
    assert await space.events.since(NOON, NOON + seconds(1)) == []
