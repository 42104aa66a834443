from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.bundles import Bundle, check_bundle
from gateway.core.bundles.event_documents import event_document, events_of, time_problems
from gateway.core.events import Event, event_problem

NOW = 1_796_000_000.0

names = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=100)
maybe = st.none() | names
events = st.builds(
    Event,
    id=names,
    type=st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", fullmatch=True),
    visitor=names,
    at=st.integers(0, int(NOW) * 1000).map(lambda milliseconds: milliseconds / 1000),
    block=maybe,
    variant=maybe,
    decision=maybe,
    page=maybe,
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    properties=st.none() | st.dictionaries(names, st.integers(-(2**53), 2**53) | names, max_size=5),
)


@given(event=events)
def test_an_event_that_may_be_sent_is_written_down_and_read_again(event: Event) -> None:
    document = orjson.loads(orjson.dumps(event_document(event)))
    assert list(events_of([document], NOW)) == [event]
    if event_problem(event) is None:
        assert check_bundle(Bundle.of({"event": [document]})) == []


def found(*documents: dict[str, Any]) -> list[tuple[str, str]]:
    return [(p.path, p.code) for p in check_bundle(Bundle.of({"event": documents}))]


def test_what_track_would_reject_is_found_in_a_file() -> None:
    ann = {"type": "view", "visitor": "ann"}
    wrong = [
        {**ann, "type": "consent"},
        {**ann, "visitor": "a\nb"},
        {**ann, "occurredAt": "2026-02-30T00:00:00Z"},
        {**ann, "properties": {"note": "x" * 40_000}},
    ]
    assert found(ann, *wrong) == [
        ("/events/1", "BAD_INPUT"),
        ("/events/2", "BAD_INPUT"),
        ("/events/3/occurredAt", "INVALID"),
        ("/events/4", "TOO_LARGE"),
    ]


def test_only_what_lies_ahead_has_a_wrong_time() -> None:
    ahead, past = {"occurredAt": "2027-01-01T00:00:00Z"}, {"occurredAt": "0001-01-01T00:00:00Z"}
    broken: list[dict[str, Any]] = [{"occurredAt": 5}, {"occurredAt": "yesterday"}, {}]
    documents = [ahead, past, *broken]
    problems = list(time_problems([(each, f"e:{i}#") for i, each in enumerate(documents)], NOW))
    assert [(p.path, p.code) for p in problems] == [("e:0#/occurredAt", "BAD_TIME")]


def test_an_event_without_an_id_is_named_by_what_it_says() -> None:
    one, other = {"type": "view", "visitor": "ann"}, {"visitor": "ben", "type": "view"}
    ids = [event.id for event in events_of([one, other, one], NOW)]
    assert len(set(ids)) == 3
    assert ids == [event.id for event in events_of([one, other, dict(reversed(one.items()))], NOW + 60)]
