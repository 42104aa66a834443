from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import WEIGHTS, Event
from gateway.core.signals import HALF_LIFE, REBASE, Signals, folded, from_bytes, to_bytes

NOW = 1_796_500_000.0
BLOCKS = {"hero", "feed", "promo"}


def event(type: str, block: str | None = "hero", at: float = NOW) -> Event:  # noqa: A002
    return Event("e", type, "ann", at, block=block)


def fold(signals: Signals, *events: Event, upto: float = NOW) -> Signals:
    return folded(signals, events, WEIGHTS, upto, BLOCKS)


def counts(signals: Signals) -> tuple[dict[str, float], dict[str, float]]:
    """As of `upto`: where the landmark happens to be does not matter."""
    fade = 2.0 ** ((signals.landmark - signals.upto) / HALF_LIFE)
    return (
        {key: pytest.approx(count * fade) for key, count in signals.shown.items()},
        {key: pytest.approx(count * fade) for key, count in signals.won.items()},
    )


def test_impressions_are_shown_and_what_weighs_is_won():
    found = fold(Signals(), event("impression"), event("click"), event("click", "feed"), event("view", None))
    assert counts(found) == ({"hero": 1.0}, {"hero": 0.3, "feed": 0.3})
    assert (found.version, found.upto) == (1, NOW)


def test_a_dismissal_wins_nothing():
    assert counts(fold(Signals(), event("dismiss"), event("something"))) == ({}, {})


def test_only_published_blocks_are_counted():
    assert counts(fold(Signals(), event("click", "x" * 200))) == ({}, {})


def test_counts_fade_with_age():
    first = fold(Signals(), event("impression"))
    later = fold(first, event("impression", at=NOW + HALF_LIFE), upto=NOW + HALF_LIFE)
    assert counts(later) == ({"hero": 1.5}, {})


def test_after_years_of_silence_the_counts_are_brought_forward():
    first = fold(Signals(), event("impression"))
    years = NOW + 10 * REBASE * HALF_LIFE
    later = fold(first, event("impression", "feed", at=years), upto=years)
    assert later.landmark == years
    assert counts(later) == ({"hero": 0.0, "feed": 1.0}, {})


stream = st.lists(
    st.tuples(st.sampled_from(["impression", "click"]), st.sampled_from(sorted(BLOCKS)), st.integers(0, 99)),
    max_size=20,
).map(lambda found: [event(kind, block, NOW + day * 86_400) for kind, block, day in found])


@given(stream, stream)
def test_folding_in_two_steps_is_folding_once(first, second):
    end = NOW + 100 * 86_400
    stepwise = fold(fold(Signals(), *first, upto=NOW), *second, upto=end)
    at_once = fold(Signals(), *first, *second, upto=end)
    assert counts(stepwise) == counts(at_once)


@given(stream)
def test_signals_survive_storage(events):
    signals = fold(Signals(), *events)
    assert from_bytes(to_bytes(signals)) == signals


def test_columns_stand_in_the_order_of_the_keys():
    shown, won = Signals(shown={"a": 4.0, "b": 2.0}, won={"b": 1.0, "c": 3.0}).columns(["c", "b", "a", "d"])
    assert won.tolist() == [3.0, 1.0, 0.0, 0.0]
    assert shown.tolist() == [3.0, 2.0, 4.0, 0.0]  # what was won was shown, recorded or not


def test_without_impressions_all_were_shown_alike():
    shown, won = Signals(won={"a": 1.0, "b": 3.0}).columns(["a", "b", "c"])
    assert shown.tolist() == [4.0, 4.0, 4.0]
    assert won.tolist() == [1.0, 3.0, 0.0]
    nothing = replace(Signals()).columns([])
    assert [column.tolist() for column in nothing] == [[], []]
