import random
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import WEIGHTS, Event
from gateway.core.memory import Learning, remember
from gateway.core.percentiles import POINTS, SAMPLE, Sample, percentile, quantiles_of, sampled
from tests.gateway.core.made import NOW

HALF_LIFE = Learning().half_life_usual
events = st.lists(
    st.builds(
        lambda who, kind, at: Event("e", kind, f"v{who}", NOW + at),
        st.integers(0, 900),
        st.sampled_from(["view", "purchase", "impression", "dismiss", "unknown"]),
        st.integers(0, 90 * 86_400),
    ),
    max_size=60,
)


def taken(found: list[Event], before: Sample | None = None) -> Sample:
    return sampled(before or {}, found, WEIGHTS, HALF_LIFE)


def ahead(sample: Sample, *mine: Event, half_life: float = HALF_LIFE) -> float | None:
    memory = remember([(event, None) for event in mine], Learning(half_life_usual=half_life))
    return percentile(quantiles_of(sample), memory.activity, WEIGHTS)


@given(events, st.randoms(use_true_random=False))
def test_the_sample_does_not_care_about_order_and_grouping(found, chance):
    whole = taken(found)
    shuffled = chance.sample(found, len(found))
    one_by_one = reduce(lambda sample, event: taken([event], sample), shuffled, taken([]))
    assert one_by_one == pytest.approx(whole)


def test_the_sample_is_bounded_and_keeps_whom_it_has():
    crowd = [Event("e", "view", f"v{number}", NOW) for number in range(3 * SAMPLE)]
    some = taken(crowd[: 2 * SAMPLE])
    more = taken(crowd[2 * SAMPLE :], some)
    assert (len(some), len(more), len(quantiles_of(more))) == (SAMPLE, SAMPLE, POINTS)
    assert more.items() == taken(crowd).items()


def test_who_did_more_or_did_it_later_is_ahead():
    crowd = [Event("e", "view", f"v{number}", NOW + 3_600 * number) for number in range(100)]
    sample = taken(crowd)
    assert ahead(sample, Event("e", "view", "me", NOW + 3_600 * 75)) == 75.0
    assert ahead(sample, Event("e", "purchase", "me", NOW)) == 100.0
    assert ahead(sample, Event("e", "view", "me", NOW - 3_600)) == 0.0
    assert ahead(sample) == ahead(sample, Event("e", "impression", "me", NOW)) == 0.0


def test_of_many_visitors_a_sample_is_enough():
    chance = random.Random(7)
    amounts = [chance.randint(1, 60) for _ in range(4_000)]
    crowd = [Event("e", "view", f"v{who}", NOW) for who, views in enumerate(amounts) for _ in range(views)]
    mine = [Event("e", "view", "me", NOW)] * 45
    below = 100 * sum(amount < 45 for amount in amounts) / len(amounts)
    assert ahead(taken(crowd), *mine) == pytest.approx(below, abs=5)


def test_without_others_there_is_nothing_to_be_ahead_of():
    assert ahead({}, Event("e", "purchase", "me", NOW)) is None


def test_a_short_half_life_overflows_nothing():
    sample = sampled({}, [Event("e", "view", "a", NOW), Event("e", "view", "b", NOW + 1e9)], WEIGHTS, 3_600.0)
    assert ahead(sample, Event("e", "view", "me", NOW + 5), half_life=3_600.0) == 50.0
