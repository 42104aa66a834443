from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.links import KEPT, NO_MEMBERS, Link, Members, Origin, joined, last_words, words_after

links = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.builds(Link, st.integers(1, 4).map(float), st.booleans())
)
members = st.builds(
    Members, links, st.none() | st.builds(Origin, st.integers(1, 4).map(float), st.sampled_from(["a", "b"]))
)


@given(members, members, members)
def test_last_words_are_the_same_in_any_order_and_grouping(one, two, three):
    assert one.merge(two) == two.merge(one)
    assert one.merge(two).merge(three) == one.merge(two.merge(three))
    assert one.merge(one) == one.merge(NO_MEMBERS) == NO_MEMBERS.merge(one) == one


@given(members)
def test_members_survive_storage(found):
    assert Members.from_json(found.to_json()) == found


def test_at_the_same_instant_a_parting_stands():
    said = {"a": Link(5.0, True)}, {"a": Link(5.0, False)}
    assert last_words(*said) == last_words(*said[::-1]) == {"a": Link(5.0, False)}


def test_the_first_origin_stays():
    first, later = Members(origin=Origin(1.0, "b")), Members(origin=Origin(2.0, "a"))
    assert first.merge(later) == later.merge(first) == first


@given(st.permutations(range(KEPT + 20)))
def test_the_newest_words_are_kept_whatever_their_order(order):
    words = [{f"id{at}": Link(float(at), True)} for at in order]
    kept = reduce(last_words, words)
    assert kept == {f"id{at}": Link(float(at), True) for at in range(20, KEPT + 20)}


def test_what_was_said_up_to_a_moment_is_taken_away():
    found = Members({"a": Link(1.0, True), "b": Link(3.0, True)}, Origin(1.0, "a"))
    assert found.after(1.0) == Members({"b": Link(3.0, True)})
    assert words_after(found.links, 3.0) == {}


def test_the_latest_joined_comes_first():
    assert joined({"a": Link(1.0, True), "b": Link(3.0, True), "c": Link(9.0, False)}) == ["b", "a"]
