"""A sketch never tells too little, fades, and is as large as it was."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.sketch import Pace, Sketch

DONE = st.lists(st.tuples(st.integers(0, 50), st.floats(0.5, 20.0), st.floats(0.0, 30.0)), max_size=60)


@settings(max_examples=40, deadline=None)
@given(DONE)
def test_what_is_told_is_what_was_done_faded(done: list[tuple[int, float, float]]) -> None:
    sketch, true, last, now = Sketch(10.0), Counter[int](), 0.0, 0.0
    for key, amount, pause in done:
        now += pause
        for known in true:
            true[known] *= 0.5 ** ((now - last) / 10.0)  # type: ignore[assignment]
        last = now
        true[key] += amount  # type: ignore[assignment]
        assert sketch.add(key, amount, now) == pytest.approx(true[key])


def test_a_sketch_never_tells_too_little_and_seldom_too_much() -> None:
    sketch, much = Sketch(1e9), 0
    for key in range(30_000):
        sketch.add(("visitor", key), 1.0, 0.0)
    for key in range(30_000):
        told = sketch.add(("visitor", key), 1.0, 0.0)
        assert told > 2.0 - 1e-6
        much += told > 2.5
    assert much < 300


def test_numbers_do_not_outgrow_a_float() -> None:
    sketch = Sketch(1.0)
    for now in range(0, 5_000, 7):
        assert sketch.add("steady", 1.0, float(now)) == pytest.approx(1.0 / (1.0 - 2.0**-7), rel=0.02)
    assert sketch.add("steady", 1.0, 1e9) == 1.0


def test_what_was_allowed_comes_at_once_or_steadily_and_no_more() -> None:
    pace = Pace(100, 10.0)
    assert sum(pace.wait("burst", 0.0) == 0.0 for _ in range(1_000)) == 100
    steady = sum(pace.wait("steady", n * 0.05) == 0.0 for n in range(20 * 100))
    assert steady == pytest.approx(1_000, rel=0.15)  # 100 at once, then 10 a second for 100 s


@pytest.mark.parametrize("amount", [1, 10, 1_000])
def test_the_seconds_told_are_those_to_wait(amount: int) -> None:
    pace = Pace(amount, 60.0)
    while not (wait := pace.wait("v", 5.0)):
        pass
    assert pace.wait("v", 5.0 + wait - 0.01) > 0.0
    assert pace.wait("v", 5.0 + wait + 0.01) == 0.0


def test_who_goes_on_stays_beyond_and_who_stops_is_forgiven() -> None:
    pace = Pace(10, 10.0)
    beyond = [pace.beyond("v", 1.0, n * 0.1) for n in range(100)]
    assert (beyond[:10], beyond[50:]) == ([False] * 10, [True] * 50)
    assert not pace.beyond("v", 1.0, 60.0)
    assert not pace.beyond("another", 1.0, 10.0)
