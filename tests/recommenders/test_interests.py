import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommenders.interests import Interests, because, blend, cosine, learned, normalised

MINUTE, HOUR, DAY, YEAR = 60.0, 3_600.0, 86_400.0, 31_557_600.0
Y1990, Y2026, Y2100 = 631_152_000.0, 1_767_225_600.0, 4_102_444_800.0

names = st.sampled_from(["travel", "family", "sale", "text:tent", "text:rope"])
features = st.dictionaries(names, st.floats(0.01, 1.0), min_size=1, max_size=4)
likes = st.floats(0.05, 1.0)
times = st.floats(Y1990, Y2100)
half_lives = st.sampled_from([MINUTE, HOUR, DAY, 30 * DAY, YEAR])
streams = st.lists(st.tuples(features, likes, times), min_size=1, max_size=12)


def history(half_life, events):
    return learned(Interests.empty(half_life, Y2026), events)


def assert_same(one, other):
    assert {name for name, value in one.items() if abs(value) > 1e-9} == {
        name for name, value in other.items() if abs(value) > 1e-9
    }
    assert one == pytest.approx({name: other.get(name, 0.0) for name in one}, rel=1e-9, abs=1e-12)


def test_an_event_of_one_half_life_ago_weighs_half():
    interests = history(DAY, [({"travel": 1.0}, 1.0, Y2026), ({"sale": 1.0}, 1.0, Y2026 + DAY)])
    unit = interests.unit()
    assert list(unit) == ["sale", "travel"]
    assert unit["travel"] / unit["sale"] == pytest.approx(0.5)
    assert math.hypot(*unit.values()) == pytest.approx(1.0)


def test_a_late_event_counts_as_if_it_had_come_in_time():
    early, late = ({"travel": 1.0}, 1.0, Y2026 - 3 * DAY), ({"sale": 1.0}, 1.0, Y2026)
    assert_same(history(DAY, [late, early]).unit(), history(DAY, [early, late]).unit())


def test_the_first_event_may_be_much_older_than_the_landmark():
    assert history(MINUTE, [({"travel": 2.0}, 0.1, Y1990)]).unit() == {"travel": 1.0}


def test_a_dismissal_makes_an_interest_negative_and_last():
    interests = history(DAY, [({"travel": 0.2, "sale": 1.0}, 1.0, Y2026), ({"sale": 1.0}, -2.0, Y2026)])
    assert list(interests.unit()) == ["travel", "sale"]
    assert interests.unit()["sale"] < 0


def test_an_event_without_weight_changes_nothing_however_late_it_comes():
    interests = history(MINUTE, [({"travel": 1.0}, 1.0, Y2026)])
    assert interests.learn({"sale": 1.0}, 0.0, Y2100) == interests
    assert interests.learn({}, 1.0, Y2100) == interests


def test_learning_leaves_the_old_value_alone():
    before = history(DAY, [({"travel": 1.0}, 1.0, Y2026)])
    before.learn({"travel": 1.0}, 1.0, Y2026)
    assert before.sums == {"travel": 1.0}


def test_nothing_learned_is_no_direction():
    assert Interests.empty(DAY, Y2026).unit() == {}


@settings(max_examples=60)
@given(half_lives, streams, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_direction(half_life, events, rng):
    shuffled = rng.sample(events, len(events))
    assert_same(history(half_life, events).unit(), history(half_life, shuffled).unit())


@settings(max_examples=60)
@given(half_lives, streams, st.lists(st.integers(0, 2), min_size=12, max_size=12), st.permutations([0, 1, 2]))
def test_any_partition_merged_in_any_order_gives_the_same_direction(half_life, events, owners, order):
    parts = [
        history(half_life, [e for e, owner in zip(events, owners, strict=False) if owner == i])
        for i in range(3)
    ]
    a, b, c = (parts[i] for i in order)
    whole = history(half_life, events).unit()
    assert_same(whole, a.merge(b).merge(c).unit())
    assert_same(whole, a.merge(b.merge(c)).unit())


@settings(max_examples=60)
@given(half_lives, st.lists(st.tuples(features, st.floats(-1.0, 1.0), st.floats(0, 300))), st.randoms())
def test_with_dislikes_the_sums_commute_too(half_life, events, rng):
    events = [(f, w, Y2026 + steps * half_life / 10) for f, w, steps in events]
    landed = Interests(half_life, Y2026, {"origin": 1.0})
    one, other = learned(landed, events).sums, learned(landed, rng.sample(events, len(events))).sums
    scale = 1e-12 * 2.0**30 * (len(events) + 1)
    assert one == pytest.approx({name: other[name] for name in one}, rel=1e-9, abs=scale)


@settings(max_examples=60)
@given(
    half_lives,
    st.lists(st.tuples(features, likes, st.floats(0, 60)), min_size=1),
    st.floats(0, 900),
    features,
)
def test_rebasing_changes_neither_the_direction_nor_what_is_learned_later(half_life, events, gap, new):
    interests = history(half_life, [(f, w, Y2026 + steps * half_life) for f, w, steps in events])
    moved = interests.rebased(interests.landmark + gap * half_life)
    assert_same(interests.unit(), moved.unit())
    later = Y2026 + 61 * half_life
    assert_same(interests.learn(new, 1.0, later).unit(), moved.learn(new, 1.0, later).unit())


def test_rebasing_never_goes_back():
    interests = history(DAY, [({"travel": 1.0}, 1.0, Y2026)])
    assert interests.rebased(Y1990) is interests


@settings(max_examples=60)
@given(half_lives, st.lists(st.tuples(features, st.floats(-1.0, 1.0), times), max_size=30), half_lives)
def test_no_time_or_half_life_ever_overflows(half_life, events, other_half_life):
    interests = history(half_life, events)
    merged = history(other_half_life, events).merge(interests)
    for vector in (interests.sums, interests.unit(), merged.sums, merged.unit()):
        assert all(map(math.isfinite, vector.values()))


@settings(max_examples=40)
@given(half_lives, half_lives, streams, st.floats(0, 500), features)
def test_merging_another_half_life_does_not_depend_on_its_landmark(mine, others, events, gap, own):
    interests = Interests.empty(mine, Y2026).learn(own, 1.0, Y2026)
    theirs = history(others, events)
    moved = theirs.rebased(theirs.landmark + gap * others)
    assert_same(interests.merge(theirs).unit(), interests.merge(moved).unit())
    assert interests.merge(theirs).half_life == mine


def test_another_half_life_merges_as_one_event():
    brief = Interests(
        MINUTE, Y2026, {"sale": 3.0, "travel": 4.0}
    )  # weighs 5: as much as 1 at log2(5) minutes
    merged = Interests.empty(DAY, Y2026).merge(brief)
    assert merged.landmark == pytest.approx(Y2026 + math.log2(5) * MINUTE)
    assert merged.sums == pytest.approx({"sale": 0.6, "travel": 0.8})


def test_what_cancelled_out_merges_as_nothing():
    nothing = Interests(MINUTE, Y2026, {"sale": 0.0})
    interests = Interests(DAY, Y2026, {"travel": 1.0})
    assert interests.merge(nothing) == interests


def test_merging_with_nothing_changes_nothing():
    interests = history(DAY, [({"travel": 1.0}, 1.0, Y2026)])
    nothing = Interests.empty(DAY, Y2100)
    assert interests.merge(nothing) == nothing.merge(interests) == interests


def test_pruning_keeps_the_strongest_likes_and_dislikes_with_ties_by_name():
    interests = Interests(DAY, Y2026, {"d": 1.0, "c": -3.0, "b": 1.0, "a": 0.5, "e": 2.0})
    assert interests.pruned(3) == Interests(DAY, Y2026, {"c": -3.0, "e": 2.0, "b": 1.0})
    assert interests.pruned(5) is interests
    assert interests.pruned(0).sums == {}


def test_equal_interests_come_by_name():
    shuffled = list("fbdaec")
    random.Random(1).shuffle(shuffled)
    assert list(Interests(DAY, Y2026, dict.fromkeys(shuffled, 1.0)).unit()) == list("abcdef")


def test_cosine_ignores_length_and_knows_opposites():
    a = {"travel": 3.0, "sale": 4.0}
    assert cosine(a, {"travel": 0.3, "sale": 0.4}) == pytest.approx(1.0)
    assert cosine(a, {"travel": -3.0, "sale": -4.0}) == pytest.approx(-1.0)
    assert cosine(a, {"family": 1.0}) == 0.0
    assert cosine(a, {}) == 0.0
    assert cosine(a, {"travel": 1.0}) == pytest.approx(0.6)


@given(features, features)
def test_cosine_is_symmetric_and_bounded(a, b):
    assert cosine(a, b) == pytest.approx(cosine(b, a))
    assert 0.0 <= cosine(a, b) <= 1.0


def test_a_blend_is_a_unit_vector_between_its_two():
    mixed = blend({"travel": 1.0}, {"sale": 1.0}, 0.75)
    assert mixed == pytest.approx(normalised({"travel": 3.0, "sale": 1.0}))


def test_a_blend_with_nothing_is_the_other():
    assert blend({}, {"sale": 1.0}, 0.9) == {"sale": 1.0}
    assert blend({"travel": 1.0}, {}, 0.1) == {"travel": 1.0}
    assert blend({}, {}, 0.5) == {}


def test_because_names_what_made_two_vectors_similar():
    query = {"travel": 0.8, "sale": 0.5, "family": 0.1, "rain": -0.4}
    item = {"travel": 0.5, "sale": 0.8, "family": 0.9, "rain": 0.3, "other": 1.0}
    assert because(query, item, first=2) == [("sale", 0.4), ("travel", 0.4)]
    assert [name for name, _ in because(query, item, first=9)] == ["sale", "travel", "family"]
    assert because({}, item) == []
