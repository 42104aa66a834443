import math
from dataclasses import fields, replace
from functools import reduce

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.attribution import CONVERTED, TOUCHES, Touch
from gateway.core.behaviour import PATH, Behaviour, Orders, behaviour_of, from_json, page_of, to_json
from gateway.core.events import Event
from gateway.core.spells import KEPT
from gateway.core.tallies import DAYS, TYPES

START = 1_790_000_000.0
TYPES_SEEN = (
    "view", "page_view", "impression", "dwell", "scroll", "click", "add_to_cart", "purchase", "signup",
    *(f"own_{number}" for number in range(TYPES)),
)  # fmt: skip
CONTEXTS = (
    None,
    {"url": "https://shop.example/a?utm_source=news&utm_campaign=may"},
    {"url": "https://shop.example/b", "referrer": "https://search.example/?q=x"},
    {"url": "https://shop.example/c", "referrer": "https://shop.example/b"},
    {"campaign": {"source": "ads", "medium": "cpc"}},
)

# Mostly within a few hours of each other, sometimes weeks apart: sessions meet, and days fall out.
times = st.one_of(
    st.integers(0, 6 * 3_600).map(lambda seconds: START + seconds),
    st.integers(0, 50 * 86_400 * 1_000).map(lambda milliseconds: START + milliseconds / 1_000),
    st.integers(0, 50 * 4).map(lambda number: START + 900.0 * 24 * number),
)
events = st.builds(
    lambda at, kind, value, block, page, context: Event(
        "e", kind, "ann", at, block=block, page=page, value=value,
        properties=context and {"context": context},
    ),
    times,
    st.sampled_from(TYPES_SEEN),
    st.none() | st.floats(-10.0, 10_000.0),
    st.none() | st.just("hero"),
    st.none() | st.sampled_from(["home", "/shoes", "https://shop.example/cart?x=1"]),
    st.sampled_from(CONTEXTS),
)  # fmt: skip
streams = st.lists(events, max_size=80)


def same(one: Behaviour, other: Behaviour) -> bool:
    """Exactly, but for the rounding of a sum of money."""
    exact = [f.name for f in fields(Behaviour) if f.name != "orders"]
    return (
        all(getattr(one, name) == getattr(other, name) for name in exact)
        and math.isclose(one.orders.total, other.orders.total, rel_tol=1e-9, abs_tol=1e-6)
        and one.orders._replace(total=0.0) == other.orders._replace(total=0.0)
    )


def tree(found: list[Behaviour], chance) -> Behaviour:
    """Merged in any order and any grouping."""
    found = list(found)
    while len(found) > 1:
        one, other = (found.pop(chance.randrange(len(found))) for _ in range(2))
        found.append(one.merge(other))
    return found[0] if found else Behaviour()


@settings(max_examples=200, deadline=None)
@given(streams, st.randoms(use_true_random=False), st.integers(1, 80))
def test_any_order_and_partition_of_a_stream_gives_the_same(stream, chance, parts):
    whole = behaviour_of(stream)
    moves: list[list[Event]] = [[] for _ in range(parts)]
    for event in stream:
        moves[chance.randrange(parts)].append(event)
    assert same(tree([behaviour_of(move) for move in moves], chance), whole)


@settings(max_examples=50, deadline=None)
@given(st.lists(events, min_size=1, max_size=60), events)
def test_an_event_that_comes_late_counts_as_if_it_had_come_in_time(stream, late):
    in_time = reduce(Behaviour.merge, [behaviour_of([each]) for each in [late, *stream]])
    assert same(behaviour_of(stream).merge(behaviour_of([late])), in_time)


@settings(max_examples=100, deadline=None)
@given(streams)
def test_it_survives_storage(stream):
    found = behaviour_of(stream)
    stored = orjson.dumps(to_json(found))
    assert from_json(orjson.loads(stored)) == found


@given(streams)
def test_nothing_adds_nothing(stream):
    found = behaviour_of(stream)
    assert found.merge(Behaviour()) == found == Behaviour().merge(found)
    assert to_json(Behaviour()) == {}


@settings(max_examples=50, deadline=None)
@given(st.lists(events, min_size=60, max_size=200))
def test_it_stays_small(stream):
    found = behaviour_of(stream)
    assert len(found.spells) <= KEPT
    assert len(found.tallies) <= TYPES
    assert all(len(tally.days) <= DAYS for tally in found.tallies.values())
    assert (len(found.path) <= PATH, len(found.touches) <= TOUCHES, len(found.conversions) <= CONVERTED) == (
        True, True, True,
    )  # fmt: skip


def test_the_worst_that_anybody_can_send_stays_bounded():
    long = "x" * 2_000
    found = behaviour_of(
        Event(
            f"{number}", f"t{number % 400:063}", "ann", START + 1_801 * number, page=long, value=1e12,
            properties={"context": {"campaign": {"source": long + str(number), "medium": long, "campaign": long}}},
        )
        for number in range(4_000)
    )  # fmt: skip
    views = behaviour_of(
        Event(f"{number}", kind, "ann", START + 1_801 * number, page=long, value=1e12)
        for number in range(4_000)
        for kind in ("page_view", "purchase")
    )
    assert len(orjson.dumps(to_json(found.merge(views)))) < 20_000


def test_the_parts_are_what_the_events_say():
    found = behaviour_of([
        Event("1", "page_view", "ann", START, page="home", properties={"context": CONTEXTS[1]}),
        Event("2", "purchase", "ann", START + 10.5, value=20.0),
        Event("3", "purchase", "ann", START + 5.0, value=30.0),
    ])  # fmt: skip
    at = int(START * 1_000)
    assert found.path == ((at, "home"),)
    assert found.touches == (Touch(at, "news", "", "may"),) == (found.first_touch,)
    assert found.orders == Orders(2, 50.0, at + 10_500, 20.0)
    assert [each.value for each in found.conversions] == [30.0, 20.0]
    assert {kind: (tally.total, tally.last) for kind, tally in found.tallies.items()} == {
        "page_view": (1, at),
        "purchase": (2, at + 10_500),
    }


@pytest.mark.parametrize(
    ("event", "page"),
    [
        (Event("e", "page_view", "ann", START, page="home"), "home"),
        (Event("e", "view", "ann", START, page="home"), "home"),
        (Event("e", "view", "ann", START, page="home", block="hero"), None),
        (Event("e", "click", "ann", START, page="home"), None),
        (Event("e", "page_view", "ann", START, page="https://shop.example/a/b?token=secret"), "/a/b"),
        (Event("e", "page_view", "ann", START, page="https://["), None),
        (Event("e", "page_view", "ann", START, properties={"context": CONTEXTS[2]}), "/b"),
        (Event("e", "page_view", "ann", START, properties={"context": {"url": 5}}), None),
        (Event("e", "page_view", "ann", START, properties={"context": "here"}), None),
        (Event("e", "page_view", "ann", START), None),
        (Event("e", "page_view", "ann", START, page="x" * 99), "x" * 64),
    ],
)
def test_a_page_is_its_name_or_the_path_of_its_address(event, page):
    assert page_of(event) == page


def test_a_purchase_without_a_value_is_an_order_of_nothing():
    found = behaviour_of([replace(Event("e", "purchase", "ann", START), value=None)])
    assert found.orders == Orders(1, 0.0, int(START * 1_000), 0.0)
