import math
from dataclasses import fields, replace
from functools import reduce

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.behaviour import Behaviour
from gateway.core.consent import answered
from gateway.core.events import Event
from gateway.core.memory import Learning, Memory, Trait, blank, from_bytes, merge, remember, to_bytes
from gateway.core.sessions import KEPT
from recommenders.interests import Interests
from schemas.vocabulary import Purpose
from tests.gateway.core.test_behaviour import same as same_behaviour

LEARNING = Learning()
START = 1_790_000_000.0
DAYS = 40

times = st.integers(0, DAYS * 86_400).map(lambda seconds: START + seconds)
types = st.sampled_from(["view", "dwell", "click", "purchase", "dismiss", "impression", "page_view"])
features = st.dictionaries(
    st.sampled_from(["travel", "climbing", "city", "text:tent"]), st.floats(0.01, 1.0), max_size=3
)
events = st.builds(
    lambda at, kind, value, features: (Event("e", kind, "ann", at, value=value), features),
    times,
    types,
    st.none() | st.floats(0.0, 1_000.0),
    st.none() | features,
)
consents = st.builds(answered, st.sets(st.sampled_from(Purpose), min_size=1), st.booleans(), times)
traits = st.dictionaries(
    st.sampled_from(["plan", "age"]),
    st.builds(Trait, st.integers(-(2**63), 2**63) | st.text(max_size=3), times),
)
memories = st.builds(
    lambda found, consents, traits: replace(remember(found, LEARNING), consents=consents, traits=traits),
    st.lists(events, max_size=5),
    consents,
    traits,
)


def merged(found: list[Memory]) -> Memory:
    return reduce(lambda one, other: merge(one, other, LEARNING.names), found, blank(LEARNING))


def same(one: Memory, other: Memory) -> bool:
    """Up to the rounding of sums; vectors as of one moment, what is nearly nothing beside the rest aside."""
    near = all(
        _near(getattr(one, name), getattr(other, name)) for name in ("now", "usual", "activity")
    ) and math.isclose(one.revenue, other.revenue, rel_tol=1e-9)
    summed = ("now", "usual", "activity", "revenue", "behaviour")
    exact = [f.name for f in fields(Memory) if f.name not in summed]
    return (
        near
        and same_behaviour(one.behaviour, other.behaviour)
        and all(getattr(one, name) == getattr(other, name) for name in exact)
    )


def _near(one: Interests, other: Interests) -> bool:
    landmark = max(one.landmark, other.landmark)
    ours, theirs = one.rebased(landmark).sums, other.rebased(landmark).sums
    largest = max((abs(value) for sums in (ours, theirs) for value in sums.values()), default=0.0)
    return all(
        math.isclose(ours.get(name, 0.0), theirs.get(name, 0.0), rel_tol=1e-9, abs_tol=1e-9 * largest)
        for name in ours.keys() | theirs.keys()
    )


@given(memories, memories)
def test_merging_does_not_care_who_comes_first(one, other):
    assert same(merge(one, other, 256), merge(other, one, 256))


@given(memories, memories, memories)
def test_merging_does_not_care_about_grouping(one, two, three):
    left = merge(merge(one, two, 256), three, 256)
    assert same(left, merge(one, merge(two, three, 256), 256))


@given(memories)
def test_a_blank_memory_adds_nothing(memory):
    assert same(merge(memory, blank(LEARNING), 256), memory)
    assert same(merge(blank(LEARNING), memory, 256), memory)


@given(st.lists(st.tuples(events, st.integers(0, 3)), max_size=12), st.randoms(use_true_random=False))
def test_a_stream_parted_over_processes_makes_the_same_memory(stream, chance):
    whole = remember([event for event, _ in stream], LEARNING)
    parts: dict[int, list] = {}
    for event, process in stream:
        parts.setdefault(process, []).append(event)
    moves = [remember(part, LEARNING) for part in parts.values()]
    chance.shuffle(moves)
    assert same(merged(moves), merge(blank(LEARNING), whole, 256))


@given(memories)
def test_a_memory_survives_storage(memory):
    memory = replace(memory, unlearned=START, forgotten=START - 1)
    assert from_bytes(to_bytes(memory)) == memory


def test_a_blank_memory_survives_storage():
    assert from_bytes(to_bytes(blank(LEARNING))) == blank(LEARNING)


def test_what_was_stored_before_behaviour_was_remembered_still_loads():
    memory = remember([(Event("e", "purchase", "ann", START, value=5.0), {"travel": 1.0})], LEARNING)
    stored = orjson.loads(to_bytes(memory))
    assert stored.pop("behaviour")
    old = from_bytes(orjson.dumps(stored))
    assert old == replace(memory, behaviour=Behaviour())
    assert merge(old, memory, 256).behaviour == memory.behaviour


def test_a_profile_stays_small():
    """A visitor of three months: a visit every third day, of six pages."""
    events = [
        Event(f"{day}-{n}", kind, "ann", START + 259_200 * day + 40 * n, block=block, page=page, value=20.0)
        for day in range(30)
        for n, (kind, block, page) in enumerate(
            [
                ("page_view", None, "home"),
                ("view", "shoes", None),
                ("scroll", None, "/shoes"),
                ("page_view", None, "/shoes"),
                ("add_to_cart", "shoes", None),
                ("purchase" if day % 5 == 0 else "click", "shoes", None),
            ]
        )
    ]
    memory = remember([(event, None) for event in events], LEARNING)
    assert len(to_bytes(memory)) - len(to_bytes(replace(memory, behaviour=Behaviour()))) < 3_000


def like(at: float, name: str, type: str = "like") -> Memory:  # noqa: A002
    return remember([(Event("e", type, "ann", at, value=5.0), {name: 1.0})], LEARNING)


MARK = START + 1_000.0
ERASURE = replace(blank(LEARNING), forgotten=MARK)
WITHDRAWAL = replace(
    blank(LEARNING), unlearned=MARK, consents=answered([Purpose.PERSONALIZATION], False, MARK)
)


def tree(found: list[Memory], chance) -> Memory:
    """Merged in any order and any grouping."""
    found = list(found)
    while len(found) > 1:
        one, other = (found.pop(chance.randrange(len(found))) for _ in range(2))
        found.append(merge(one, other, 256))
    return found[0]


before_and_after = (
    st.lists(st.floats(-900.0, 0.0), min_size=1, max_size=4),
    st.lists(st.floats(0.1, 900.0), max_size=4),
    st.randoms(use_true_random=False),
)


@given(*before_and_after)
def test_whatever_the_order_nothing_from_before_an_erasure_stays(before, after, chance):
    old = [like(MARK + at, "old", "purchase") for at in before]
    old += [replace(blank(LEARNING), traits={"name": Trait("Ann", MARK + before[0])})]
    new = [like(MARK + at, "new") for at in after]
    left = tree([*old, *new, ERASURE], chance)
    assert left.now.sums.keys() | left.usual.sums.keys() <= {"new"}
    assert left.activity.sums.keys() <= {"like"}
    assert (left.conversions, left.revenue, left.page_views) == (0, 0.0, 0)
    assert left.traits == {}
    assert left.behaviour.tallies.keys() <= {"like"}
    assert left.first_seen is None or left.first_seen > MARK
    assert left.forgotten == MARK


@given(*before_and_after)
def test_what_follows_an_erasure_is_kept_whole(before, after, chance):
    gone = tree([like(MARK + at, "old") for at in before], chance)
    new = [like(MARK + at, "new") for at in after]
    left = merged([gone, ERASURE, *new])
    assert same(left, replace(merged(new), forgotten=MARK))
    late = merge(left, like(MARK - 5, "old"), 256)
    assert same(late, left)


@given(*before_and_after)
def test_whatever_the_order_nothing_learned_before_a_withdrawal_stays(before, after, chance):
    old = [like(MARK + at, "old") for at in before]
    new = [like(MARK + at, "new") for at in after]
    left = tree([*old, *new, WITHDRAWAL], chance)
    assert left.now.sums.keys() | left.usual.sums.keys() <= {"new"}
    assert left.activity.sums.keys() == {"like"}
    assert left.first_seen == min(memory.first_seen for memory in old)


def test_what_is_learned_after_a_withdrawal_stays_though_the_visitor_was_seen_before():
    granted = replace(blank(LEARNING), consents=answered([Purpose.PERSONALIZATION], True, MARK + 1))
    memory = merged([like(MARK - 9, "old"), WITHDRAWAL, granted, like(MARK + 2, "new")])
    memory = merge(memory, like(MARK + 3, "newer"), 256)
    assert memory.usual.sums.keys() == {"new", "newer"}
    again = merge(memory, replace(WITHDRAWAL, unlearned=MARK + 4), 256)
    assert again.usual.sums == {}


def test_two_erasures_are_the_later_one():
    later = replace(ERASURE, forgotten=MARK + 100)
    memory = merged([ERASURE, like(MARK + 50, "new"), later])
    assert same(memory, replace(blank(LEARNING), forgotten=MARK + 100))


def test_a_full_vector_keeps_its_strongest_names():
    many = {f"t{n:03}": float(n + 1) for n in range(30)}
    memory = remember([(Event("e", "like", "ann", START), many)], LEARNING)
    few = merge(memory, like(START, "t000", "view"), names=20)
    assert few.usual.sums.keys() == {f"t{n:03}" for n in range(10, 30)}


def test_a_vector_a_quarter_over_its_bound_is_left_alone():
    many = {f"t{n:03}": 1.0 for n in range(24)}
    memory = remember([(Event("e", "like", "ann", START), many)], LEARNING)
    assert len(merge(memory, like(START, "t000"), names=20).usual.sums) == 24


def test_the_parts_of_a_memory_are_what_the_events_say():
    memory = remember(
        [
            (Event("1", "view", "ann", START), {"travel": 1.0}),
            (Event("2", "purchase", "ann", START + 10, value=20.0), {"travel": 1.0}),
            (Event("3", "page_view", "ann", START + 5_000), None),
            (Event("4", "impression", "ann", START + 5_001), {"city": 1.0}),
        ],
        LEARNING,
    )
    assert (memory.page_views, memory.conversions, memory.revenue) == (2, 1, 20.0)
    assert (memory.first_seen, memory.last_seen, memory.sessions.count) == (START, START + 5_001, 2)
    assert memory.usual.sums.keys() == {"travel"}
    assert memory.activity.sums.keys() == {"view", "purchase", "page_view", "impression"}
    assert memory.last_touched == START + 5_001


def test_the_newest_thing_counts_as_the_last_touch():
    assert blank(LEARNING).last_touched == 0.0
    assert WITHDRAWAL.last_touched == MARK
    assert replace(ERASURE, traits={"plan": Trait("gold", MARK + 1)}).last_touched == MARK + 1


@pytest.mark.parametrize("count", [KEPT, KEPT + 10])
def test_sessions_in_their_order_are_all_counted(count):
    moves = [like(START + day * 86_400, "travel") for day in range(count)]
    assert merged(moves).sessions.count == count
