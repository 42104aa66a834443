from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.sessions import GAP, KEPT, Sessions

times = st.lists(st.integers(0, 40 * int(GAP)).map(float), min_size=1, max_size=30)


def merged(parts: list[Sessions]) -> Sessions:
    return reduce(Sessions.merge, parts, Sessions())


def counted(times: list[float]) -> Sessions:
    """The plain way: sort, and cut where the gap is too long."""
    spans: list[tuple[float, float]] = []
    for at in sorted(times):
        if spans and at - spans[-1][1] <= GAP:
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((at, at))
    return Sessions(tuple(spans))


@given(times, st.randoms(use_true_random=False))
def test_sessions_come_out_the_same_in_any_order_grouping_and_repetition(times, chance):
    parts = [Sessions.of(at) for at in [*times, *times[: len(times) // 2]]]
    chance.shuffle(parts)
    while len(parts) > 1:
        one, other = (parts.pop(chance.randrange(len(parts))) for _ in range(2))
        parts.append(one.merge(other))
    assert parts[0] == counted(times)


def test_events_half_an_hour_apart_are_one_session():
    assert merged([Sessions.of(0.0), Sessions.of(GAP)]) == Sessions(((0.0, GAP),))
    assert merged([Sessions.of(0.0), Sessions.of(GAP + 1)]).count == 2


def test_a_late_event_joins_two_sessions():
    two = merged([Sessions.of(0.0), Sessions.of(2 * GAP)])
    assert two.merge(Sessions.of(GAP)) == Sessions(((0.0, 2 * GAP),))


def test_old_sessions_are_only_counted():
    many = merged([Sessions.of(2.0 * GAP * n) for n in range(KEPT + 5)])
    assert (len(many.spans), many.closed, many.count) == (KEPT, 5, KEPT + 5)
    assert many.spans[0][0] == 2.0 * GAP * 5


def test_merging_nothing_changes_nothing():
    one = Sessions.of(5.0)
    assert one.merge(Sessions()) == one == Sessions().merge(one)
