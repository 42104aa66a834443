import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.catalogue import Entry
from gateway.core.signals import Signals
from gateway.services.shelf import KEPT, Shelf
from gateway.services.signals import SignalKeeper
from gateway.storage import content
from tests.gateway.core.made import card, entries, entry, feed, fixed, page
from tests.gateway.services.processes import LEARNING, chosen

HOME = page(fixed("top", "a"), feed(limit=3))


def shelf_of(space) -> Shelf:
    keeper = SignalKeeper(space.events, space.states, space.decisions, LEARNING)
    return Shelf(space.content, keeper, ())


async def publish(space, *documents: Entry, removed: tuple[str, ...] = ()) -> int:
    put = [content.Entry(one.kind, one.key, one.body) for one in documents]
    gone = [content.Entry("block", key, None) for key in removed]
    return await space.content.publish([*put, *gone], by="eve")


async def test_before_anything_is_published_there_is_an_empty_edition(space):
    shelf = shelf_of(space)
    assert (await shelf.refresh()).revision == "0.0"
    assert shelf.edition.catalogue.blocks == ()


async def test_what_is_published_is_served_whole(space):
    shelf = shelf_of(space)
    await publish(space, *entries(block=[card("a"), card("b")], page=[HOME]))
    edition = await shelf.refresh()
    assert edition is shelf.edition
    assert edition.revision == "1.0"
    assert chosen(edition) == {"top": [("a", "default")], "feed": [("b", "default")]}
    assert await shelf.refresh() is edition


blocks = st.builds(
    lambda key, tag, phone: card(
        key, *([{"key": "v", "when": {"device.type": "unknown"}}] if phone else []), tags=tag
    ),
    st.sampled_from("abcd"),
    st.dictionaries(st.sampled_from(["travel", "city"]), st.just(1.0), max_size=1),
    st.booleans(),
)
steps = st.lists(
    st.tuples(
        st.lists(blocks, max_size=3, unique_by=lambda block: block["key"]), st.sets(st.sampled_from("bcd"))
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.integers(0, 10**9))
async def test_following_publications_shows_what_loading_shows(storage, steps, salt):
    space = storage.space(f"f{abs(hash((str(steps), salt))):x}"[:20])
    await space.prepare()
    following = shelf_of(space)
    await publish(space, *entries(block=[card("a")], page=[HOME]))
    for put, removed in steps:
        named = {document["key"] for document in put}
        await publish(space, *(entry("block", document) for document in put), removed=tuple(removed - named))
        await following.refresh()
        loading = shelf_of(space)
        await loading.refresh()
        held = [
            {ref: one.body for ref, one in one.edition.catalogue.entries.items()}
            for one in (following, loading)
        ]
        assert held[0] == held[1]
        assert chosen(following.edition) == chosen(loading.edition)
        assert following.edition.revision == loading.edition.revision


async def test_two_shelves_follow_one_store(space):
    one, other = shelf_of(space), shelf_of(space)
    for key in "ab":
        await publish(space, *entries(block=[card(key)], page=[page(feed())]))
        assert chosen(await one.refresh()) == chosen(await other.refresh())
    assert [block.key for block in other.edition.catalogue.blocks] == ["a", "b"]


async def test_an_earlier_edition_is_had_from_memory_or_made_again(space):
    shelf = shelf_of(space)
    for number in range(1, KEPT + 4):
        await publish(space, *entries(block=[card(f"b{number}")], page=[page(feed(limit=9))]))
        await shelf.refresh()
    newest = shelf.edition
    assert await shelf.at(newest.revision) is newest
    kept = await shelf.at(f"{KEPT + 2}.0")
    assert kept is await shelf.at(f"{KEPT + 2}.0")
    for revision in (2, 1):  # long gone from memory
        again = await shelf.at(f"{revision}.0")
        assert again.revision == f"{revision}.0"
        assert chosen(again)["feed"] == [(f"b{number}", "default") for number in range(1, revision + 1)]
        assert await shelf.at(f"{revision}.0") is again
    assert shelf.edition is newest


async def test_an_edition_whose_signals_have_expired_is_gone(space):
    assert await shelf_of(space).at("0.7") is None


async def test_signals_move_the_edition_and_not_the_content(space):
    shelf = shelf_of(space)
    await publish(space, *entries(block=[card("a"), card("b")], page=[page(feed(limit=1))]))
    before = await shelf.refresh()
    await shelf.show(Signals(version=3, won={"b": 5.0}))
    assert (shelf.edition.revision, shelf.edition.catalogue) == ("1.3", before.catalogue)
    assert [chosen(one)["feed"] for one in (before, shelf.edition)] == [
        [("a", "default")],
        [("b", "default")],
    ]
    after = shelf.edition
    await shelf.show(Signals(version=3))
    assert shelf.edition is after


async def test_drafts_are_laid_over_what_is_served_and_serve_nobody(space):
    shelf = shelf_of(space)
    await publish(space, *entries(block=[card("a")], page=[HOME]))
    served = await shelf.refresh()
    drafted = await shelf.with_drafts([entry("block", card("b"), -1)])
    assert chosen(drafted)["feed"] == [("b", "default")]
    assert shelf.edition is served
    assert chosen(served)["feed"] == []


async def test_whoever_must_be_ready_is_told_before_an_edition_is_served(space):
    shelf = shelf_of(space)
    told = []

    async def ready(edition) -> None:
        told.append((edition.revision, shelf.edition.revision))

    await shelf.before(ready)
    await publish(space, *entries(block=[card("a")]))
    await shelf.refresh()
    assert told == [("0.0", "0.0"), ("1.0", "0.0")]


async def test_an_edition_for_which_somebody_cannot_get_ready_is_not_served(space):
    shelf = shelf_of(space)

    async def refuses(edition) -> None:
        if edition.catalogue.blocks:
            raise ValueError("not this one")

    await shelf.before(refuses)
    await publish(space, *entries(block=[card("a")]))
    with pytest.raises(ValueError, match="not this one"):
        await shelf.refresh()
    assert shelf.edition.revision == "0.0"
