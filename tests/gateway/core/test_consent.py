from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.consent import Answer, answered, latest
from gateway.core.terms import Terms
from schemas.vocabulary import Purpose

ANALYTICS, PERSONALIZATION = Purpose.ANALYTICS, Purpose.PERSONALIZATION
words = st.builds(
    answered, st.sets(st.sampled_from(Purpose), min_size=1), st.booleans(), st.integers(0, 3).map(float)
)


@given(st.lists(words, max_size=5), st.randoms(use_true_random=False))
def test_the_last_word_counts_in_whatever_order_it_arrives(said, chance):
    shuffled = [*said, *said[:1]]
    chance.shuffle(shuffled)
    assert reduce(latest, shuffled, {}) == reduce(latest, said, {})


def test_the_later_word_stands():
    yes, no = answered([ANALYTICS], True, 5.0), answered([ANALYTICS], False, 4.0)
    assert latest(yes, no) == latest(no, yes) == {ANALYTICS: Answer(True, 5.0)}


def test_at_the_same_instant_a_refusal_stands():
    said = [answered([ANALYTICS], granted, 5.0) for granted in (True, False, True)]
    for order in permutations(said):
        assert reduce(latest, order, {}) == {ANALYTICS: Answer(False, 5.0)}


def test_purposes_do_not_touch_each_other():
    said = latest(answered([ANALYTICS], True, 1.0), answered([PERSONALIZATION], False, 2.0))
    assert said == {ANALYTICS: Answer(True, 1.0), PERSONALIZATION: Answer(False, 2.0)}


@pytest.mark.parametrize(
    ("said", "default", "gpc", "expected"),
    [
        (None, True, False, True),
        (None, False, False, False),
        (None, True, True, False),  # the browser objects
        (True, False, True, True),  # but here the visitor agreed
        (False, True, False, False),
        (True, False, False, True),
    ],
)
def test_what_the_visitor_said_comes_before_the_browser_and_the_default(said, default, gpc, expected):
    consents = {} if said is None else answered([ANALYTICS], said, 1.0)
    terms = Terms(default, gpc)
    assert terms.allow(consents, ANALYTICS) is expected
    assert (ANALYTICS in terms.granted(consents)) is expected
