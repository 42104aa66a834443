import asyncio
from datetime import UTC, datetime

from gateway.storage.profiles import ProfileChange, StoredProfile

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def profile(version=1, clock=None, body=b"sums", forgotten=None):
    return StoredProfile(version, clock or {"p": version}, body, NOON, forgotten)


def change(visitor, expected, **fields):
    return ProfileChange(visitor, expected, profile(expected + 1, **fields))


async def test_what_was_written_is_read_whole(space):
    gone = profile(clock={"p": 3, "q.with.dots": 1}, forgotten=NOON)
    lost = await space.profiles.write([change("ann", 0), ProfileChange("$bob.", 0, gone)])
    assert lost == set()
    assert await space.profiles.get_many(["ann", "$bob.", "nobody"]) == {"ann": profile(), "$bob.": gone}
    assert await space.profiles.get_many(["ann"]) == {"ann": profile()}
    assert await space.profiles.get_many(["nobody"]) == {}


async def test_new_and_moved_profiles_go_together(space):
    await space.profiles.write([change("ann", 0), change("bob", 0)])
    assert await space.profiles.write([change("ann", 1), change("cid", 0), change("bob", 1)]) == set()
    found = await space.profiles.get_many(["ann", "bob", "cid"])
    assert {visitor: p.version for visitor, p in found.items()} == {"ann": 2, "bob": 2, "cid": 1}


async def test_only_the_losers_are_named(space):
    await space.profiles.write([change("ann", 0), change("bob", 0)])
    await space.profiles.write([change("ann", 1, body=b"theirs")])
    mine = [change("ann", 1, body=b"mine"), change("bob", 1, body=b"mine"), change("ann2", 0)]
    assert await space.profiles.write(mine) == {"ann"}
    found = await space.profiles.get_many(["ann", "bob", "ann2"])
    assert {v: p.body for v, p in found.items()} == {"ann": b"theirs", "bob": b"mine", "ann2": b"sums"}


async def test_a_profile_that_appeared_meanwhile_is_not_overwritten(space):
    await space.profiles.write([change("ann", 0, body=b"theirs")])
    assert await space.profiles.write([change("ann", 0, body=b"mine"), change("bob", 0)]) == {"ann"}
    assert (await space.profiles.get_many(["ann"]))["ann"].body == b"theirs"


async def test_a_vanished_profile_is_lost(space):
    assert await space.profiles.write([change("ann", 4)]) == {"ann"}
    assert await space.profiles.get_many(["ann"]) == {}


async def test_of_many_writers_one_wins_each_version(space):
    async def once(name: bytes) -> bool:
        return not await space.profiles.write([change("ann", 0, body=name)])

    won = await asyncio.gather(*(once(b"%d" % i) for i in range(8)))
    assert sum(won) == 1
    assert (await space.profiles.get_many(["ann"]))["ann"].body == b"%d" % won.index(True)


async def test_writing_nothing_is_fine(space):
    assert await space.profiles.write([]) == set()
    assert await space.profiles.get_many([]) == {}
