from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.names import NAMES, as_word, changed, meaning_of
from gateway.core.events import Event, event_problem
from gateway.errors import BadInput


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Product Added", "product_added"),
        ("  product   added ", "product_added"),
        ("add_to_cart", "add_to_cart"),
        ("$where", "where"),
        ("__proto__", "proto"),
        ("2nd Visit", "nd_visit"),
        ("a.b", "a.b"),
        ("?!", "other"),
        ("x" * 5000, "x" * 64),
    ],
)
def test_names_are_compared_as_words(name: str, word: str) -> None:
    assert as_word(name) == word


def test_every_name_of_the_table_is_a_word_and_every_type_may_be_kept() -> None:
    assert [name for name in NAMES if as_word(name) != name] == []
    assert [event_problem(Event("i", meaning.type, "v", 0.0)) for meaning in NAMES.values()] == [None] * len(
        NAMES
    )


@given(st.text(max_size=200))
def test_any_name_becomes_a_type_that_may_be_kept(name: str) -> None:
    kind = meaning_of(name, NAMES).type
    problem = event_problem(Event("i", kind, "v", 0.0))
    assert problem is None or kind in {"consent", "identify"}


def test_a_name_may_be_called_like_another() -> None:
    names = changed({"Basket Filled": "add_to_cart", "Thing Done": "thing"})
    assert names["basket_filled"] == NAMES["add_to_cart"]
    assert names["thing_done"].type == "thing"
    assert "basket_filled" not in NAMES


def test_a_name_may_be_taken_away() -> None:
    assert meaning_of("Product Added", changed({"Product Added": None})).type == "product_added"


@pytest.mark.parametrize(
    ("over", "place"),
    [
        ({"X": 5}, "/X"),
        ({"X": ""}, "/X"),
        ({"X": {"value": ["a"]}}, "/X"),
        ({"X": {"type": "a", "values": []}}, "/X/values"),
        ({"X": {"type": "a", "block": "sku"}}, "/X/block"),
        ({"X": {"type": "a", "scale": "1"}}, "/X/scale"),
        ({"X": "two words"}, "/X"),
        ({"X": "consent"}, "/X"),
    ],
)
def test_a_change_that_cannot_be_right_says_where(over: Any, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        changed(over)
    assert [problem.path for problem in refused.value.problems] == [place]
