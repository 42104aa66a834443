import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import BadInput, BlockloomError, Conflict
from gateway.storage.client import connect
from gateway.storage.content import Changes, ContentStore, Entry, Revision, Row
from gateway.storage.pointer import Pointer

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Clock:
    """Noon, until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def content(space, clock) -> ContentStore:
    return ContentStore(space._db, clock=clock)


def put(key, body=b"{}"):
    return Entry("block", key, body)


def gone(key):
    return Entry("block", key, None)


async def publish(content, *entries, **more):
    return await content.publish(entries, by="eve", **more)


async def seen(content, revision):
    return {row.key: row.body for row in await content.load(revision)}


async def test_nothing_is_published_at_first(content):
    assert await content.current() == 0
    assert await content.load(0) == []
    assert await content.revisions() == []
    await content.tidy()


async def test_every_revision_stays_as_it_was(content):
    assert await publish(content, put("a", b"1"), put("b", b"1")) == 1
    assert await publish(content, put("a", b"2"), put("c", b"2")) == 2
    assert await publish(content, gone("b"), put("c", b"3")) == 3
    for _ in range(2):
        assert [await seen(content, number) for number in (0, 1, 2, 3)] == [
            {},
            {"a": b"1", "b": b"1"},
            {"a": b"2", "b": b"1", "c": b"2"},
            {"a": b"2", "c": b"3"},
        ]
        await content.tidy()  # and tidying changes nothing of it


async def test_rows_come_in_the_order_of_kind_and_key(content):
    await publish(content, Entry("page", "home", b"p"), put("b", b"b"), put("a", b"a"))
    await publish(content, put("b", b"b2"))
    assert await content.load(2) == [
        Row("block", "a", 1, b"a"),
        Row("block", "b", 2, b"b2"),
        Row("page", "home", 1, b"p"),
    ]


async def test_changes_turn_one_revision_into_a_later_one(content):
    await publish(content, put("a"), put("b"), put("c"))
    await publish(content, put("a", b"2"), gone("b"), put("d", b"2"))
    await publish(content, put("b", b"3"), gone("c"), gone("d"))
    assert await content.changes(1, 3) == Changes(
        (Row("block", "a", 2, b"2"), Row("block", "b", 3, b"3")), (("block", "c"), ("block", "d"))
    )
    assert await content.changes(3, 3) == Changes((), ())


async def test_publishing_nothing_new_makes_no_revision(content):
    await publish(content, put("a"))
    assert await publish(content, put("a"), gone("never")) == 1
    assert await publish(content) == 1
    assert await publish(content, put("a", b"new")) == 2


async def test_a_publication_of_very_many_finds_what_differs_too(content, monkeypatch):
    monkeypatch.setattr("gateway.storage.content._READ_WHOLE_FROM", 3)
    await publish(content, *(put(key) for key in "abcd"))
    await publish(content, gone("a"), put("b", b"2"), put("c"), put("d"))
    await content.tidy()
    assert await publish(content, gone("a"), put("b", b"2"), put("c"), put("d")) == 2
    assert await publish(content, put("a"), put("b", b"3"), put("c"), put("d")) == 3
    assert await content.changes(2, 3) == Changes(
        (Row("block", "a", 3, b"{}"), Row("block", "b", 3, b"3")), ()
    )


async def test_naming_a_thing_twice_is_refused(content):
    with pytest.raises(BadInput, match="name each thing once"):
        await publish(content, put("a"), gone("a"))
    assert await publish(content, put("a")) == 1


async def test_history_tells_of_removals_too(content):
    for entry in (put("a", b"1"), gone("a"), put("a", b"3"), put("b")):
        await publish(content, entry)
    await content.tidy()
    assert await content.history("block", "a") == [
        Row("block", "a", 3, b"3"),
        Row("block", "a", 2, None),
        Row("block", "a", 1, b"1"),
    ]


async def test_revisions_say_who_and_what(content, clock):
    await publish(content, put("a"), put("b"), note="first")
    clock.now += timedelta(hours=1)
    await publish(content, gone("a"), put("c"), put("b"))
    assert await content.revisions() == [
        Revision(2, NOON + timedelta(hours=1), "eve", "", put=1, removed=1),
        Revision(1, NOON, "eve", "first", put=2, removed=0),
    ]
    assert [revision.number for revision in await content.revisions(limit=1)] == [2]


async def test_progress_ends_with_everything_done(content):
    heard = []
    await publish(content, *(put(f"b{i}") for i in range(450)), on_progress=lambda *step: heard.append(step))
    assert heard == [(450, 450)]
    await publish(
        content, *(put(f"b{i}", b"2") for i in range(150)), on_progress=lambda *step: heard.append(step)
    )
    assert heard[1:] == [(0, 150), (0, 150), (150, 150)]


KEYS = st.sampled_from("abcd")
PUBLICATION = st.dictionaries(KEYS, st.one_of(st.none(), st.binary(min_size=1, max_size=1)), min_size=1)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(publications=st.lists(st.tuples(PUBLICATION, st.booleans()), max_size=5), data=st.data())
def test_load_is_the_fold_of_all_publications(engine_url, publications, data):
    async def check() -> None:
        storage = connect(engine_url, "t" + datetime.now(UTC).strftime("%H%M%S%f"))
        space = storage.space("law")
        await space.prepare()
        states: list[dict[str, bytes]] = [{}]
        for publication, tidied in publications:
            await space.content.publish([Entry("block", k, b) for k, b in publication.items()], by="eve")
            merged = states[-1] | publication
            now = {key: body for key, body in merged.items() if body is not None}
            if now != states[-1]:
                states.append(now)
            if tidied:
                await space.content.tidy()
        assert await space.content.current() == len(states) - 1
        old = data.draw(st.integers(0, len(states) - 1))
        for new, state in enumerate(states):
            assert await seen(space.content, new) == state
        changes = await space.content.changes(old, len(states) - 1)
        patched = states[old] | {row.key: row.body for row in changes.put}
        for _, key in changes.removed:
            patched.pop(key, None)
        assert patched == states[-1]
        storage.close()

    asyncio.run(check())


# The steps of 1,100 changes: 100 are compared at once, 1,000 inserted.
COMPARED, INSERTED = range(11), range(11, 13)


@pytest.mark.parametrize("step", [COMPARED[0], COMPARED[-1], INSERTED[0], INSERTED[-1]])
async def test_a_crash_at_any_step_leaves_readers_where_they_were(engine_url, prefix, content, clock, step):
    before = [put(f"b{i:03}", b"old") for i in range(1_100)]
    await publish(content, *before[:300])
    dying = connect(engine_url, prefix)
    theirs = ContentStore(dying.space("main")._db, clock=clock)
    steps = iter(range(100))

    def die(done: int, total: int) -> None:
        if next(steps) == step:
            dying.close()  # from here on not even a clean-up gets through

    changes = [put(entry.key, b"new") for entry in before[1:]] + [gone("b000")]
    with pytest.raises(BlockloomError):
        await publish(theirs, *changes, on_progress=die)
    assert await content.current() == 1
    assert await content.load(1) == [Row("block", e.key, 1, b"old") for e in before[:300]]

    clock.now += timedelta(minutes=1)  # their lease is over
    number = await publish(content, put("b001", b"mine"), gone("b002"))
    for _ in range(2):
        shown = await seen(content, number)
        assert (shown["b000"], shown["b001"], len(shown)) == (b"old", b"mine", 299)
        assert (await content.changes(1, number)).removed == (("block", "b002"),)
        assert [revision.number for revision in await content.revisions()] == [number, 1]
        await content.tidy()
    assert await content._rows._published.count_documents({"from": {"$nin": [1, number]}}) == 0


async def test_a_failed_publication_makes_way_at_once(content):
    def fail(done: int, total: int) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        await publish(content, put("a"), on_progress=fail)
    assert await publish(content, put("b")) == 2
    assert await seen(content, 2) == {"b": b"{}"}


async def test_concurrent_publications_come_one_after_the_other(content):
    numbers = await asyncio.gather(*(publish(content, put("a", b"%d" % i), put(f"own{i}")) for i in range(3)))
    assert sorted(numbers) == [1, 2, 3]
    assert await seen(content, 3) == {
        "a": b"%d" % numbers.index(3),
        "own0": b"{}",
        "own1": b"{}",
        "own2": b"{}",
    }


async def test_whoever_lost_the_claim_shows_nothing(space, clock):
    pointer = Pointer(space._db, clock)
    content = ContentStore(space._db, pointer, clock)
    sleeper = await pointer.claim()
    clock.now += timedelta(minutes=1)
    assert await publish(content, put("a", b"mine")) == sleeper.number + 1
    for late in (pointer.renew(sleeper), pointer.flip(sleeper, NOON), pointer.release(sleeper, void=True)):
        with pytest.raises(Conflict, match="took over"):
            await late
    await content._rows.insert(
        [{"_id": "late", "ref": "block:a", "from": sleeper.number, "to": 2**53, "body": b"late"}]
    )
    assert await seen(content, 2) == {"a": b"mine"}


async def test_a_publication_that_takes_too_long_is_not_waited_for(space):
    pointer = Pointer(space._db, lambda: datetime.now(UTC), patience=timedelta(0))
    await pointer.claim()
    with pytest.raises(Conflict, match="still running"):
        await pointer.claim()


async def test_replaced_rows_expire_and_visible_ones_do_not(content, clock):
    await publish(content, put("a", b"1"), put("b", b"1"), put("c"))
    await publish(content, put("a", b"2"), gone("b"))
    await content.tidy(keep=timedelta(days=3))
    rows = await content._rows._published.find({}).to_list(None)
    assert {(row["_id"], row.get("expires")) for row in rows} == {
        ("block:a@1", NOON + timedelta(days=3)),
        ("block:b@1", NOON + timedelta(days=3)),
        ("block:b@2", NOON + timedelta(days=3)),
        ("block:a@2", None),
        ("block:c@1", None),
    }
