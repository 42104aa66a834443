from dataclasses import replace

import pytest

from content_blocks.blocks import BlockFilter
from gateway.core.dependence import HOUR
from gateway.core.editions import Edition, query_of
from gateway.core.memos import OF_A_PROFILE, OF_STRANGERS
from gateway.core.profiles import moved, stranger
from gateway.core.signals import Signals
from tests.gateway.core.made import LEARNING, NOW, card, catalogue, edition, liking, visitor

TASTES = {"a": {"travel": 1.0}, "b": {"city": 1.0}, "c": {"sea": 1.0}}
CARDS = [card(key, tags=tags) for key, tags in TASTES.items()]
LOVED = Signals(shown={"a": 99.0, "b": 99.0, "c": 99.0}, won={"c": 90.0, "b": 10.0})


def order(found: Edition, profile=None, at=NOW, weights=None, diversity=0.0, length=3, name="feed"):
    rows = found.catalogue.rows(BlockFilter())
    ranked = found.order(name, rows, weights or {}, diversity, length, profile, at)
    return [found.catalogue.blocks[row].key for row, _ in ranked]


def test_the_revision_is_of_content_and_signals():
    assert edition(replace(LOVED, version=7), block=CARDS).revision == "1.7"


def test_strangers_see_what_others_like_and_visitors_what_they_like():
    found = edition(LOVED, block=CARDS)
    assert order(found) == ["c", "b", "a"]
    assert order(found, stranger("eve", LEARNING)) == ["c", "b", "a"]
    assert order(found, visitor(liking(NOW, "purchase", travel=1.0)))[0] == "a"


def test_all_strangers_share_one_order():
    found = edition(LOVED, block=CARDS)
    order(found)
    order(found, stranger("eve", LEARNING))
    order(found, stranger("bob", LEARNING), at=NOW + 1)
    assert len(found.memo(None)) == 1


def test_an_order_stands_for_the_hour():
    found = edition(LOVED, block=CARDS)
    start = NOW // HOUR * HOUR
    order(found, at=start)
    order(found, at=start + HOUR - 1)
    assert len(found.memo(None)) == 1
    order(found, at=start + HOUR)
    assert len(found.memo(None)) == 2


def test_orders_of_strangers_stay_bounded():
    found = edition(LOVED, block=CARDS)
    for number in range(2 * OF_STRANGERS):
        order(found, name=number)
    assert len(found.memo(None)) == OF_STRANGERS


def test_what_a_profile_remembers_stays_bounded():
    found, profile = edition(LOVED, block=CARDS), visitor(liking(travel=1.0))
    for number in range(2 * OF_A_PROFILE):
        order(found, profile, name=number)
    assert len(found.memo(profile)) == OF_A_PROFILE


def test_editions_of_one_revision_never_mix():
    """Unpublished drafts are laid over the revision that is served."""
    profile = visitor(liking(travel=1.0))
    served = edition(LOVED, block=CARDS)
    drafted = edition(LOVED, block=[card("0", tags={"travel": 1.0}), *CARDS])
    assert served.revision == drafted.revision
    assert [order(found, profile)[0] for found in (served, drafted, served)] == ["a", "0", "a"]


def test_a_moved_profile_is_ranked_anew():
    found, before = edition(LOVED, block=CARDS), visitor(liking(NOW, travel=1.0))
    assert order(found, before)[0] == "a"
    after = moved(before, "p", [(2, liking(NOW, "purchase", sea=1.0))])
    assert order(found, after)[0] == "c"
    assert order(found, before)[0] == "a"


def test_the_weights_of_a_slot_count():
    found, profile = edition(LOVED, block=CARDS), visitor(liking(NOW, "purchase", travel=1.0))
    assert order(found, profile, weights={"now": 0.0, "usual": 0.0}, name="popular")[0] == "c"
    with pytest.raises(ValueError, match="no part of the score"):
        found.blend({"magic": 1.0})


def test_an_editor_can_push_a_block():
    pushed = edition(LOVED, block=[CARDS[0], {**CARDS[1], "boost": 2.0}, CARDS[2]])
    assert order(pushed)[0] == "b"


def test_the_newer_of_two_comes_first():
    old, new = "2020-01-01T00:00:00Z", "2026-12-01T00:00:00Z"
    found = edition(block=[card("a", published=old), card("b", published=new), card("c")])
    assert order(found)[0] == "b"


def test_diversity_keeps_likeness_apart():
    twins = [card("a", tags={"travel": 1.0}), card("b", tags={"travel": 1.0}), card("c", tags={"sea": 1.0})]
    liked = Signals(shown=dict.fromkeys("abc", 50.0), won={"a": 40.0, "b": 39.0, "c": 10.0})
    found = edition(liked, block=twins)
    assert order(found, diversity=0.0) == ["a", "b", "c"]
    assert order(found, diversity=0.8, name="diverse") == ["a", "c", "b"]


def test_nothing_to_rank_is_an_empty_order():
    assert order(edition()) == []


def test_the_same_is_asked_all_hour_long():
    profile, start = visitor(liking(NOW, travel=1.0)), NOW // HOUR * HOUR
    assert query_of(profile, start) == query_of(profile, start + HOUR - 1)
    late = query_of(profile, NOW + 86_400)
    assert (late.now_vector, late.usual_vector) == ({}, profile.memory.usual.sums)
    assert query_of(None, NOW).usual_vector == {}


def test_a_catalogue_may_be_served_with_other_signals():
    content = catalogue(block=CARDS)
    assert order(Edition(content, LOVED))[0] == "c"
    assert order(Edition(content, Signals()))[0] == "a"
