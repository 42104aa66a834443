import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import Event
from gateway.core.memory import Learning, remember
from gateway.core.profiles import (
    CLOCK_ENTRIES,
    VERSION_ENTRIES,
    Profile,
    moved,
    read_version,
    stranger,
    trimmed,
)
from recommenders.interests import cosine, normalised
from tests.gateway.core.made import LEARNING, NOW, liking, visitor

clocks = st.dictionaries(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=14),
    st.integers(0, 10**12),
    max_size=CLOCK_ENTRIES,
)


def views(profile: Profile) -> int:
    return profile.memory.page_views


@given(st.lists(st.tuples(st.sampled_from("pqr"), st.integers(1, 5)), max_size=25))
def test_each_numbered_write_counts_once_and_in_order(writes):
    profile = stranger("ann", LEARNING)
    taken: dict[str, int] = {}
    for process, number in writes:
        profile = moved(profile, process, [(number, liking(type="view", travel=1.0))])
        taken.setdefault(process, 0)
    newest: dict[str, int] = {}
    counted = 0
    for process, number in writes:
        if number > newest.get(process, 0):
            newest[process] = number
            counted += 1
    assert (views(profile), profile.clock) == (counted, newest)


def test_many_writes_at_once_are_the_same_as_one_by_one():
    moves = [(number, liking(NOW + number, travel=1.0)) for number in (1, 2, 3)]
    one_by_one = stranger("ann", LEARNING)
    for move in moves:
        one_by_one = moved(one_by_one, "p", [move])
    assert moved(stranger("ann", LEARNING), "p", moves) == one_by_one
    assert moved(one_by_one, "p", moves[:2]) == one_by_one


def test_moving_leaves_the_earlier_state_as_it_was():
    before = visitor(liking(travel=1.0))
    usual = before.usual
    moved(before, "p", [(2, liking(city=1.0))])
    assert (before.usual, before.clock) == (usual, {"p": 1})


def test_a_clock_that_is_cut_forgets_the_oldest_processes_that_have_nothing_open():
    profile = stranger("ann", LEARNING)
    names = [f"{n:03}" for n in range(CLOCK_ENTRIES + 3)]
    for name in names:
        profile = moved(profile, name, [(1, liking(type="view", travel=1.0))])
    assert (sorted(profile.clock), views(profile)) == (names, len(names))
    assert sorted(trimmed(profile.clock, ())) == names[3:]
    assert sorted(trimmed(profile.clock, {"001", "002"})) == ["001", "002", *names[5:]]
    assert trimmed(profile.clock, set(names)) == profile.clock
    assert trimmed({"p": 1}, ()) == {"p": 1}


@given(clocks)
def test_a_version_reads_back_as_its_clock(clock):
    assert read_version(Profile("ann", visitor().memory, clock, LEARNING).version) == clock


@pytest.mark.parametrize(
    "text", ["p", "p-", "-3", "p-x", "p-1.", ".p-1", "p--1", "p 1-2", "p-1,q-2", "p-١", "p-+1", "p-1.5e3"]
)
def test_what_is_no_version_is_refused(text):
    assert read_version(text) is None


def test_a_version_of_too_many_processes_is_refused():
    names = [f"p{n}-1" for n in range(VERSION_ENTRIES + 1)]
    assert read_version(".".join(names)) is None
    assert read_version(".".join(names[1:])) is not None


def test_a_version_of_too_many_digits_is_refused():
    assert read_version("p-" + "9" * 5_000) is None


def test_a_state_includes_what_its_clock_has_passed():
    profile = Profile("ann", visitor().memory, {"p": 3, "q": 1}, LEARNING)
    assert profile.includes({})
    assert profile.includes({"p": 3})
    assert profile.includes({"p": 2, "q": 1})
    assert not profile.includes({"p": 4})
    assert not profile.includes({"r": 1})


def test_a_stranger_is_unknown_and_has_no_version():
    nobody = stranger("ann", LEARNING)
    assert (nobody.known, nobody.version, nobody.usual, nobody.engagement_score(NOW)) == (False, "", {}, 0.0)
    assert read_version("") == {}
    assert visitor(liking(travel=1.0)).known


def test_interests_are_of_this_session_while_it_lasts():
    learning = Learning(half_life_now=600.0)
    older = remember([(Event("1", "like", "ann", NOW - 86_400), {"city": 1.0})], learning)
    newer = remember([(Event("2", "like", "ann", NOW), {"travel": 1.0})], learning)
    profile = moved(stranger("ann", learning), "p", [(1, older), (2, newer)])
    assert profile.active(NOW + 3_599)
    assert not profile.active(NOW + 3_601)
    assert profile.interests(1.0, NOW) == pytest.approx(profile.now)
    assert profile.interests(0.5, NOW + 3_601) == profile.usual
    assert cosine(profile.interests(0.5, NOW), {"travel": 1.0}) > profile.usual["travel"]
    assert profile.interests(0.5, NOW) == pytest.approx(normalised(profile.interests(0.5, NOW)))


def test_engagement_grows_saturates_and_fades():
    scores = [
        visitor(*(liking(NOW, "purchase", travel=1.0) for _ in range(count))).engagement_score(NOW)
        for count in (0, 1, 3, 100)
    ]
    assert scores == [0.0, 25.0, 50.0, pytest.approx(97.09)]
    keen = visitor(liking(NOW, "purchase", travel=1.0))
    assert keen.engagement_score(NOW + LEARNING.half_life_usual) == pytest.approx(14.29)


def test_a_dislike_never_makes_engagement_negative():
    assert visitor(liking(NOW, "dismiss", travel=1.0)).engagement_score(NOW) == 0.0


def test_engagement_can_be_asked_for_any_moment():
    hourly = Learning(half_life_usual=3_600.0)
    memory = remember([(Event("1", "purchase", "ann", NOW), {"city": 1.0})], hourly)
    keen = moved(stranger("ann", hourly), "p", [(1, memory)])
    assert keen.engagement_score(0.0) == keen.engagement_score(NOW) == 25.0
    assert keen.engagement_score(NOW * 10) == 0.0
