from typing import Any

import httpx
import orjson
import pytest

from gateway.collect.collected import Circumstances, CollectedEvent
from gateway.collect.events import NO_EVENT, NO_JSON, lines, listed, parse
from gateway.core.events import Refusal
from tests.gateway.collect.made import Collecting

NOW = 1_800_000_000.0
VIEW = {"type": "view", "visitor": "v"}


def test_an_event_says_what_graphqls_does() -> None:
    given = {
        "id": "i", "type": "purchase", "visitor": "v", "user": "u", "page": "home", "block": "b", "variant": "x",
        "decision": "d", "value": 3, "properties": {"a": 1}, "occurredAt": "2027-01-15T07:59:00+00:00",
        "context": {"url": "/a", "referrer": "/b", "locale": "en", "userAgent": "M"},
    }  # fmt: skip
    assert parse([given], None, NOW) == [
        CollectedEvent(
            "i", "purchase", "v", NOW - 60, "u", True, "home", "b", "x", "d", 3.0, {"a": 1},
            Circumstances("/a", "/b", {}, "en", "M"),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        5,
        {},
        {"type": "view"},
        {"type": "view", "visitor": 5},
        {**VIEW, "vistor": "v"},
        {**VIEW, "value": "5"},
        {**VIEW, "value": True},
        {**VIEW, "properties": []},
        {**VIEW, "context": 5},
        {**VIEW, "__proto__": {}},
        {**VIEW, "occurredAt": 5},
    ],
)
def test_what_is_no_event_is_refused(given: Any) -> None:
    (found,) = parse([given], None, NOW)
    assert isinstance(found, Refusal)


def test_a_body_is_an_event_a_list_or_an_object_with_a_list() -> None:
    assert listed(VIEW) == listed([VIEW]) == listed({"events": [VIEW]}) == [VIEW]
    assert listed(5) is None


def test_a_bad_line_costs_nobody_but_itself() -> None:
    assert lines(b'{"a": 1}\n\n{"a"\r\n{"a": 2}') == [{"a": 1}, NO_JSON, {"a": 2}]


# --- over HTTP ---


async def posted(found: Collecting, body: Any, media: str = "application/json") -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"authorization": f"Bearer {await found.token()}", "content-type": media}
    return await found.http.post("/v1/events", content=content, headers=headers)


def event(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "type": "view", "visitor": "rest", **more}


@pytest.mark.asyncio(loop_scope="package")
async def test_events_are_counted_once_and_bad_ones_named(found: Collecting) -> None:
    body = [event("r1"), event("r2", type="two words"), event("r1"), event("r3", block="b")]
    answer = await posted(found, body)
    assert answer.status_code == 207
    assert answer.json()["accepted"] == 2
    assert answer.json()["duplicates"] == 1
    assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [(1, "BAD_INPUT")]
    again = await posted(found, {"events": [event("r1"), event("r3")]})
    assert (again.status_code, again.json()) == (200, {"accepted": 0, "duplicates": 2, "rejected": []})


@pytest.mark.asyncio(loop_scope="package")
async def test_a_request_of_which_nothing_can_be_taken_is_a_bad_one(found: Collecting) -> None:
    answer = await posted(found, {"type": "view"})
    assert (answer.status_code, answer.json()["rejected"]) == (
        400,
        [{"index": 0, "code": NO_EVENT.code, "message": NO_EVENT.message}],
    )


@pytest.mark.asyncio(loop_scope="package")
async def test_lines_are_taken_one_by_one(found: Collecting) -> None:
    body = b"\n".join([orjson.dumps(event("l1")), b"{", orjson.dumps(event("l2"))])
    answer = await posted(found, body, "application/x-ndjson")
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"][0]["index"]) == (
        207,
        2,
        1,
    )


@pytest.mark.asyncio(loop_scope="package")
async def test_a_beacon_brings_its_key_in_a_body_of_plain_text(found: Collecting) -> None:
    body = {"key": await found.token(), "events": [event("b1", visitor="beacon")]}
    answer = await found.http.post(
        "/v1/events", content=orjson.dumps(body), headers={"content-type": "text/plain;charset=UTF-8"}
    )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


@pytest.mark.asyncio(loop_scope="package")
async def test_more_events_than_a_write_takes_are_all_taken(found: Collecting) -> None:
    body = [event(f"many-{number}", visitor=f"many-{number % 7}") for number in range(1300)]
    answer = await posted(found, body)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1300, "duplicates": 0, "rejected": []})


@pytest.mark.asyncio(loop_scope="package")
async def test_too_many_events_are_refused_as_a_whole(found: Collecting) -> None:
    answer = await posted(found, [event("x")] * 2501)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")


@pytest.mark.asyncio(loop_scope="package")
async def test_keys_that_mean_something_to_others_are_only_names_here(found: Collecting) -> None:
    odd = {"$where": "sleep(1)", "__proto__": {"admin": True}, "a.b": 1, "constructor": "x"}
    answer = await posted(found, event("odd", visitor="odd", properties=odd))
    assert answer.json()["accepted"] == 1
    (kept,) = await found.events("odd")
    assert kept.properties == odd


@pytest.mark.asyncio(loop_scope="package")
async def test_a_large_body_is_read_beside_the_event_loop(found: Collecting) -> None:
    body = [event(f"large-{number}", visitor="large", properties={"t": "x" * 900}) for number in range(150)]
    assert (await posted(found, body)).json()["accepted"] == 150
