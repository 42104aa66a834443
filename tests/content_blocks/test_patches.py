import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.patches import merge, stale

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
keys = st.sampled_from("abc")
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(keys, values, max_size=3)

# The cases of RFC 7386, appendix A.
CASES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("base", "patch", "merged"), CASES)
def test_a_merge_patch_works_as_its_rfc_says(base: Any, patch: Any, merged: Any) -> None:
    assert merge(base, patch) == merged


@given(values, objects)
@settings(max_examples=50)
def test_merging_changes_neither_base_nor_patch(base: Any, patch: Any) -> None:
    before = copy.deepcopy((base, patch))
    merge(base, patch)
    assert (base, patch) == before


@given(values, objects)
@settings(max_examples=50)
def test_merging_twice_is_merging_once(base: Any, patch: Any) -> None:
    assert merge(merge(base, patch), patch) == merge(base, patch)


@given(objects, objects)
@settings(max_examples=50)
def test_nothing_is_stale_under_a_base_that_did_not_move(base: Any, patch: Any) -> None:
    assert stale(base, copy.deepcopy(base), patch) == []


@given(objects, objects)
@settings(max_examples=50)
def test_an_empty_patch_is_never_stale(old: Any, new: Any) -> None:
    assert stale(old, new, {}) == []


def test_a_patch_is_stale_where_the_base_moved_under_it() -> None:
    old = {"title": "Old", "body": "Same", "cta": {"label": "Buy", "href": "/"}, "tags": ["a"]}
    new = {"title": "New", "body": "Same", "cta": {"label": "Shop", "href": "/"}, "tags": ["a", "b"]}
    patch = {"title": "Mine", "body": "Mine", "cta": {"label": "Go", "href": "/x"}, "tags": None}
    assert stale(old, new, patch) == ["/title", "/cta/label", "/tags"]


def test_a_patch_is_stale_where_the_base_lost_or_gained_what_it_overrides() -> None:
    assert stale({"a": 1}, {"b": 1}, {"a": 2, "b": 2, "c": 2}) == ["/a", "/b"]
    assert stale({"a": {"b": 1}}, {"a": "text"}, {"a": {"b": 2}}) == ["/a"]


def test_true_in_place_of_one_is_a_move() -> None:
    assert stale({"a": [{"b": 1}]}, {"a": [{"b": True}]}, {"a": []}) == ["/a"]
    assert stale({"a": 1}, {"a": 1.0}, {"a": 2}) == []
