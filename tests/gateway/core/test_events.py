import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import (
    FUTURE,
    MAX_DEPTH,
    MAX_PROPERTIES,
    MAX_VALUE,
    PAST,
    Event,
    Refusal,
    deeper_than,
    event_problem,
    timely,
    weight_of,
)

NOW = 1_796_500_000.0


def event(**fields) -> Event:
    return Event(**{"id": "e1", "type": "view", "visitor": "ann", "at": NOW, **fields})


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_an_event_survives_storage():
    full = event(
        block="b", variant="v", decision="d", page="home", value=2.5, properties={"size": ["M", None]}
    )
    assert Event.from_bytes("e1", "ann", full.to_bytes()) == full
    assert Event.from_bytes("e1", "ann", event().to_bytes()) == event()
    assert b"ann" not in full.to_bytes()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "add_to_cart"},
        {"type": "x" * 64},
        {"id": "x" * 200},
        {"value": MAX_VALUE},
        {"value": -1.5},
        {"properties": {}},
        {"properties": nested(MAX_DEPTH)},
        {"block": "Ærø"},
    ],
)
def test_what_is_right_is_taken(fields):
    assert event_problem(event(**fields)) is None


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"type": "consent"}, "BAD_INPUT", "the consent mutation"),
        ({"type": "identify"}, "BAD_INPUT", "the identify mutation"),
        ({"type": ""}, "BAD_INPUT", "word"),
        ({"type": "x" * 65}, "BAD_INPUT", "word"),
        ({"type": "1st"}, "BAD_INPUT", "word"),
        ({"type": "view\n"}, "BAD_INPUT", "word"),
        ({"id": ""}, "BAD_INPUT", "id has 1 to 200"),
        ({"id": "x" * 201}, "BAD_INPUT", "id has 1 to 200"),
        ({"visitor": "a\nb"}, "BAD_INPUT", "visitor has 1 to 200"),
        ({"page": "x" * 2_001}, "BAD_INPUT", "page has 1 to 2000"),
        ({"value": math.nan}, "BAD_INPUT", "value must be"),
        ({"value": math.inf}, "BAD_INPUT", "value must be"),
        ({"value": MAX_VALUE * 2}, "BAD_INPUT", "value must be"),
        ({"properties": [1]}, "BAD_INPUT", "an object"),
        ({"properties": nested(MAX_DEPTH + 1)}, "TOO_LARGE", "levels deep"),
        ({"properties": {"n": 2**70}}, "BAD_INPUT", "64 bits"),
        ({"properties": {"n": "x" * MAX_PROPERTIES}}, "TOO_LARGE", "bytes of JSON"),
    ],
)
def test_what_is_wrong_is_said(fields, code, said):
    refusal = event_problem(event(**fields))
    assert refusal is not None
    assert refusal.code == code
    assert said in refusal.message


@given(st.integers(0, 40), st.integers(0, 40))
def test_depth_is_counted_exactly(levels, allowed):
    assert deeper_than(nested(levels), allowed) is (levels > allowed)


def test_very_deep_properties_are_refused_without_following_them():
    refusal = event_problem(event(properties=nested(100_000)))
    assert refusal is not None
    assert refusal.code == "TOO_LARGE"


@pytest.mark.parametrize(
    ("type", "value", "weight"),
    [
        ("view", None, 0.1),
        ("impression", None, 0.0),
        ("dismiss", None, -0.5),
        ("dwell", None, 0.2),
        ("dwell", 15.0, 0.1),
        ("dwell", 1e9, 0.2),
        ("dwell", -5.0, 0.0),
        ("scroll", 0.5, 0.05),
        ("purchase", 99.0, 1.0),
        ("something_else", None, 0.0),
    ],
)
def test_an_event_weighs_what_its_type_and_value_say(type, value, weight):  # noqa: A002
    assert weight_of(event(type=type, value=value)) == pytest.approx(weight)


def test_weights_can_be_set():
    assert weight_of(event(type="wave"), {"wave": 0.4}) == 0.4


def test_a_clock_slightly_ahead_is_set_back_to_ours():
    assert timely(NOW + FUTURE, NOW) == NOW
    assert timely(NOW - PAST, NOW) == NOW - PAST


@pytest.mark.parametrize(("at", "said"), [(NOW + FUTURE + 1, "future"), (NOW - PAST - 1, "30 days ago")])
def test_times_that_cannot_be_right_are_refused(at, said):
    refusal = timely(at, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "BAD_TIME"
    assert said in refusal.message


def test_old_events_may_be_allowed():
    assert timely(0.0, NOW, past=NOW) == 0.0
