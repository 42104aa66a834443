import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Conflict
from gateway.storage.drafts import Draft, DraftChange

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def block(key, body=b"{}", state="draft"):
    return DraftChange("block", key, body, state)


async def save(space, *changes, at=NOON, by="eve", **expected):
    return await space.drafts.save(changes, by=by, at=at, **expected)


async def test_a_draft_is_read_as_it_was_saved(space):
    body = b'{"when": {"a.b": {"$in": ["\\u0000"]}}}'
    assert await save(space, block("he.ro:1$", body)) == [1]
    assert await space.drafts.get("block", "he.ro:1$") == Draft(
        "block", "he.ro:1$", body, 1, "draft", NOON, "eve"
    )
    assert await space.drafts.get("block", "other") is None


async def test_only_what_differs_gets_a_new_version(space):
    await save(space, block("a"), block("b"), block("c"))
    changes = (block("a"), block("b", b"[]"), block("c", state="review"), block("d"))
    assert await save(space, *changes, at=LATER, by="adam") == [1, 2, 2, 1]
    assert (await space.drafts.get("block", "a")).updated == NOON
    assert (await space.drafts.get("block", "c")).by == "adam"


async def test_a_draft_at_another_version_is_left_alone(space):
    await save(space, block("a"), expect_version=0)
    await save(space, block("a", b"1"), expect_version=1)
    for stale in (0, 1, 7):
        with pytest.raises(Conflict, match="block 'a' was changed by somebody else"):
            await save(space, block("a", b"2"), expect_version=stale)
    assert (await space.drafts.get("block", "a")).body == b"1"


async def test_of_two_editors_who_expect_the_same_version_one_wins(space):
    await save(space, block("a"))

    async def edit(body: bytes) -> bool:
        try:
            await save(space, block("a", body), expect_version=1)
        except Conflict:
            return False
        return True

    bodies = [b"%d" % i for i in range(6)]
    won = await asyncio.gather(*map(edit, bodies))
    assert sum(won) == 1
    assert (await space.drafts.get("block", "a")).body == bodies[won.index(True)]


async def test_editors_without_expectations_all_come_through(space):
    await asyncio.gather(*(save(space, block("a", b"%d" % i), block(f"own{i}")) for i in range(3)))
    assert (await space.drafts.get("block", "a")).version == 3
    assert len(await space.drafts.page("block")) == 4


async def test_drafts_are_paged_by_kind_and_key(space):
    await save(
        space, block("b"), block("a"), DraftChange("blockType", "Hero", b""), DraftChange("page", "home", b"")
    )
    everything = [("block", "a"), ("block", "b"), ("blockType", "Hero"), ("page", "home")]
    assert [(d.kind, d.key) for d in await space.drafts.page()] == everything
    assert [d.key for d in await space.drafts.page("block")] == ["a", "b"]
    assert [d.key for d in await space.drafts.page("block", limit=1)] == ["a"]
    assert [d.key for d in await space.drafts.page("block", after=("block", "a"))] == ["b"]
    assert [d.key for d in await space.drafts.page(after=("block", "b"))] == ["Hero", "home"]
    assert [d.key for d in await space.drafts.page("block", keys=["b", "z"])] == ["b"]


async def test_a_deleted_draft_is_gone(space):
    await save(space, block("a"))
    with pytest.raises(Conflict):
        await space.drafts.delete("block", "a", expect_version=2)
    assert await space.drafts.delete("block", "a", expect_version=1)
    assert not await space.drafts.delete("block", "a")
    assert await space.drafts.get("block", "a") is None
    assert await save(space, block("a")) == [1]
