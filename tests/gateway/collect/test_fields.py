from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.fields import BAD_TIME, at, moment, number, occurred, path, text

NOW = 1_800_000_000.0
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
)


@pytest.mark.parametrize(
    ("value", "read"), [("a", "a"), ("", None), (7, "7"), (True, None), (1.5, None), ([], None)]
)
def test_an_id_is_a_text_or_a_whole_number(value: Any, read: str | None) -> None:
    assert text(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1, 1.0),
        ("1.5", 1.5),
        ("x", None),
        ("nan", None),
        ("1e999", None),
        (10**400, None),
        (True, None),
        (None, None),
    ],
)
def test_a_number_is_finite(value: Any, read: float | None) -> None:
    assert number(value) == read


def test_a_place_leads_through_objects_and_lists() -> None:
    found = {"products": [{"sku": "a"}, {"sku": "b"}]}
    assert at(found, path("products.1.sku")) == "b"
    assert at(found, path("products.2.sku")) is None
    assert at(found, path("products.sku")) is None


@given(JSON, st.lists(st.text(min_size=1), min_size=1).map(".".join))
def test_a_place_may_be_looked_for_in_anything(value: Any, dotted: str) -> None:
    at(value, path(dotted))


@pytest.mark.parametrize(
    ("said", "sent", "expected"),
    [
        (None, None, NOW),
        ("2027-01-15T08:00:00Z", None, NOW),
        ("2027-01-15T08:00:00", None, NOW),
        ("2027-01-15T10:00:00.5+02:00", None, NOW + 0.5),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:01:00Z", NOW - 60),
        ("2027-01-15T08:00:00Z", "nonsense", NOW),
        ("nonsense", None, BAD_TIME),
        (5, None, BAD_TIME),
    ],
)
def test_a_time_is_told_by_our_clock(said: Any, sent: Any, expected: Any) -> None:
    assert occurred(said, sent, NOW) == expected


def test_a_moment_beyond_the_calendar_is_none() -> None:
    assert moment("9999-99-99") is None
