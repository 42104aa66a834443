import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_blocks.blocks import BlockFilter
from gateway.core.catalogue import compile_catalogue, page_of_feed, where_of
from gateway.core.editions import Edition
from gateway.core.personalize import choose_page
from gateway.core.signals import Signals
from tests.gateway.core.made import (
    NOW,
    SMALL_TYPE,
    asking,
    card,
    catalogue,
    entries,
    entry,
    feed,
    fixed,
    liking,
    page,
    visitor,
)

MOBILE = {
    "key": "mobile",
    "when": {"device.type": "mobile"},
    "patch": {"headline": "Small"},
    "tags": {"city": 1},
}
HERO = card("hero", MOBILE, tags={"travel": 1.0}, boost=0.25, published="2026-11-01T00:00:00Z")


def test_an_empty_catalogue_has_nothing_and_breaks_nothing():
    empty = compile_catalogue(0, ())
    assert (empty.blocks, empty.pages, empty.segments) == ((), {}, ())
    assert empty.rows(BlockFilter()).tolist() == []
    assert empty.features("hero", None) is None


def test_a_block_is_compiled_with_its_default_last():
    block = catalogue(block=[HERO]).by_key["hero"]
    assert [variant.key for variant in block.variants] == ["mobile", "default"]
    assert block.default.data == {"headline": "hero"}
    assert block.variant("mobile").data == {"headline": "Small"}
    assert block.variant("mobile").tags == {"travel": 1.0, "city": 1}
    assert block.default.tags == {"travel": 1.0}
    assert block.variant("other") is None
    assert (block.type, block.boost, block.published) == ("Card", 0.25, 1_793_491_200.0)


def test_blocks_stand_in_the_order_of_their_keys():
    found = catalogue(block=[card("b"), card("a"), card("c")])
    assert [block.key for block in found.blocks] == ["a", "b", "c"]
    assert found.rows(BlockFilter(keys=frozenset({"c", "a"}))).tolist() == [0, 2]


def test_an_event_teaches_what_was_shown():
    found = catalogue(block=[HERO, card("other", tags={"sea": 1.0})])
    shown = found.by_key["hero"]
    assert found.features("hero", "mobile") == found.vector(shown.variants[0])
    assert found.features("hero", None) == found.features("hero", "gone") == found.vector(shown.default)
    assert found.features("hero", "mobile").keys() >= {"travel", "city", "text:small"}
    assert found.features("gone", None) is None
    assert found.features(None, None) is None
    assert sum(weight**2 for weight in found.features("hero", "mobile").values()) == pytest.approx(1.0)


def test_nearness_is_the_cosine_with_each_variant():
    found = catalogue(block=[HERO, card("other", tags={"sea": 1.0})])
    hero = found.by_key["hero"]
    taste = found.vector(hero.variants[0])
    mobile, default = found.nearness(taste, hero)
    dot = sum(weight * found.vector(hero.default).get(name, 0.0) for name, weight in taste.items())
    assert mobile == pytest.approx(1.0)
    assert default == pytest.approx(dot)
    assert found.nearness({"unheard": 1.0}, hero) == (0.0, 0.0)


def test_a_page_knows_its_blocks_rows_and_capacity():
    slots = [
        fixed("top", "hero"),
        fixed("gone", "gone"),
        feed(limit=3),
        feed("other", where={"type": "None"}),
    ]
    found = catalogue(block=[HERO, card("a")], page=[page(*slots)]).pages["home"]
    top, gone, cards, none = found.slots
    assert (top.block.key, gone.block, cards.block) == ("hero", None, None)
    assert (cards.rows.tolist(), none.rows.tolist()) == ([0, 1], [])
    assert [slot.fixed for slot in found.slots] == [True, False, False, False]
    assert found.capacity == 1 + 1 + 3 + 10


def test_the_filter_of_a_page_made_on_the_spot_can_be_written_down():
    found = catalogue(block=[HERO], page=[page(fixed("top", "hero"))])
    where = {"type": ["Card"], "exclude": ["a", "b"]}
    made = page_of_feed(found, BlockFilter.from_document(where))
    assert where_of(made) == where
    assert where_of(page_of_feed(found, BlockFilter())) == {}
    assert where_of(found.pages["home"]) is None


def test_the_signature_tells_whether_block_types_changed():
    wider = {**SMALL_TYPE, "schema": {"type": "object"}}
    assert catalogue().types_signature == catalogue(block=[HERO]).types_signature
    assert catalogue().types_signature != catalogue(blockType=[wider]).types_signature


def test_what_did_not_change_is_taken_over():
    first = compile_catalogue(1, entries(block=[HERO, card("a")]))
    changed = entry("block", card("a", tags={"sea": 1.0}), 2)
    kept = [old for old in first.entries.values() if old.key != "a"]
    second = compile_catalogue(2, [*kept, changed], previous=first)
    assert second.by_key["hero"] is first.by_key["hero"]
    assert second.by_key["a"] is not first.by_key["a"]
    assert second.by_key["a"].tags == {"sea": 1.0}


def test_after_a_change_of_types_or_groups_everything_is_compiled_anew():
    first = compile_catalogue(1, entries(block=[HERO]))
    typed = [old for old in first.entries.values() if old.kind != "blockType"]
    wider = entry("blockType", {**SMALL_TYPE, "schema": {"type": "object"}}, 2)
    assert compile_catalogue(2, [*typed, wider], previous=first).by_key["hero"] is not first.by_key["hero"]
    staff = entry("segment", {"key": "staff", "members": ["ann"]}, 2)
    grouped = compile_catalogue(2, [*first.entries.values(), staff], previous=first)
    assert grouped.by_key["hero"] is not first.by_key["hero"]


def test_a_group_that_grows_reaches_the_variants_that_ask_for_it():
    insider = {"key": "insider", "when": {"visitor.id": {"$inGroup": "staff"}}}
    documents = {"block": [card("hero", insider)], "page": [page(fixed("top", "hero"))]}
    nobody = catalogue(segment=[{"key": "staff", "members": ["bob"]}], **documents)
    grown = entry("segment", {"key": "staff", "members": ["ann", "bob"]}, 2)
    after = compile_catalogue(2, {**nobody.entries, ("segment", "staff"): grown}.values(), previous=nobody)
    shown = []
    for found in (nobody, after):
        edition = Edition(found, Signals())
        picks = choose_page(edition, found.pages["home"], asking(edition, visitor(liking(travel=1.0)))).picks
        shown.append(picks["top"][0].variant.key)
    assert shown == ["default", "insider"]


tags = st.dictionaries(st.sampled_from(["travel", "city", "sea"]), st.floats(0.1, 1.0), max_size=2)
variants = st.lists(
    st.builds(
        lambda key, device, tags: {"key": key, "when": {"device.type": device}, "tags": tags},
        st.sampled_from("uvw"),
        st.sampled_from(["mobile", "desktop"]),
        tags,
    ),
    max_size=3,
    unique_by=lambda variant: variant["key"],
)
cards = st.builds(
    lambda key, variants, tags, boost: card(key, *variants, tags=tags, boost=boost),
    st.sampled_from("abcdef"),
    variants,
    tags,
    st.sampled_from([0.0, 0.5]),
)
publications = st.lists(
    st.tuples(
        st.lists(cards, max_size=4, unique_by=lambda block: block["key"]), st.sets(st.sampled_from("abc"))
    ),
    max_size=4,
)


@given(publications)
def test_following_publications_is_the_same_as_loading_what_they_leave(publications):
    home = page(fixed("top", "a", "interest"), fixed("side", "b"), feed(limit=3))
    held = {(one.kind, one.key): one for one in entries(page=[home])}
    followed = compile_catalogue(1, held.values())
    for revision, (put, removed) in enumerate(publications, 2):
        held |= {("block", document["key"]): entry("block", document, revision) for document in put}
        for key in removed:
            held.pop(("block", key), None)
        followed = compile_catalogue(revision, held.values(), previous=followed)
    loaded = compile_catalogue(len(publications) + 1, held.values())
    assert chosen(followed) == chosen(loaded)


def chosen(found) -> list:
    edition = Edition(found, Signals())
    asks = [
        asking(edition, profile, device={"type": device})
        for profile in (None, visitor(liking(NOW, travel=1.0, sea=0.5)))
        for device in ("mobile", "desktop")
    ]
    pages = [choose_page(edition, found.pages["home"], ask).picks for ask in asks]
    return [
        {
            name: [(one.block_key, one.variant.key, one.variant.data, one.score) for one in picked]
            for name, picked in picks.items()
        }
        for picks in pages
    ]
