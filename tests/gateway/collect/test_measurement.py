from typing import Any

import pytest

from gateway.collect.collected import CollectedEvent, Identification
from gateway.collect.measurement import BAD_TIME, NAMELESS, NO_CLIENT, NO_EVENTS, TOO_MANY, parse, validation
from schemas.vocabulary import Purpose
from tests.gateway.collect.made import Collecting

NOW = 1_800_000_000.0
BOUGHT = {
    "name": "purchase",
    "params": {"value": 80, "transaction_id": "t", "page_location": "https://shop.example/"},
}


def body(*events: Any, **more: Any) -> dict[str, Any]:
    return {"client_id": "c", "events": list(events), **more}


def test_a_body_tells_of_one_client() -> None:
    document = body(
        BOUGHT, {"name": "like"}, user_id="u", timestamp_micros=(NOW - 60) * 1e6,
        consent={"ad_user_data": "GRANTED", "ad_personalization": "DENIED"},
        user_properties={"plan": {"value": "gold"}},
    )  # fmt: skip
    bought, liked, known = parse(document, NOW)
    assert isinstance(bought, CollectedEvent)
    assert isinstance(liked, CollectedEvent)
    assert (bought.name, bought.visitor, bought.user, bought.at) == ("purchase", "c", "u", NOW - 60)
    assert (bought.around.url, liked.around.url) == ("https://shop.example/", None)
    assert bought.around.consent == {Purpose.MARKETING: False}
    assert known == Identification("c", "u", {"plan": "gold"}, liked.around)


def test_a_purchase_is_known_by_its_transaction() -> None:
    (first,), (again,) = parse(body(BOUGHT), NOW), parse(body(BOUGHT, timestamp_micros=1), NOW)
    assert first.id == again.id  # type: ignore[union-attr]


def test_an_event_with_a_time_is_known_by_all_that_it_says() -> None:
    timed = {"name": "like", "timestamp_micros": NOW * 1e6}
    first, second = parse(body(timed, timed), NOW)
    again, _ = parse(body(timed, timed), NOW + 5)
    assert first.id == again.id != second.id  # type: ignore[union-attr]


def test_an_event_without_a_time_is_new_each_time() -> None:
    first, second = parse(body({"name": "like"}, {"name": "like"}), NOW)
    assert first.id != second.id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], [NO_EVENTS]),
        ({"client_id": "c"}, [NO_EVENTS]),
        ({"events": [BOUGHT]}, [NO_CLIENT]),
        (body(5, {"name": ""}), [NAMELESS, NAMELESS]),
        (body({"name": "x", "timestamp_micros": "now"}), [BAD_TIME]),
        (body(*[BOUGHT] * 26), [TOO_MANY] * 26),
    ],
)
def test_what_is_no_body_is_refused(document: Any, expected: Any) -> None:
    assert parse(document, NOW) == expected


@pytest.mark.parametrize(
    ("events", "messages"),
    [
        ([BOUGHT], []),
        ([{"name": "_bad"}], [("events[0].name", "NAME_INVALID")]),
        ([BOUGHT, {"name": "x" * 41}], [("events[1].name", "EXCEEDED_MAX_ENTITIES")]),
        ([{"name": "x", "params": 5}], [("events[0].params", "VALUE_INVALID")]),
        ([{}], [("events[0]", "VALUE_INVALID")]),
    ],
)
def test_the_validation_server_says_what_is_wrong(events: Any, messages: Any) -> None:
    document = body(*events)
    found = validation(document, parse(document, NOW))["validationMessages"]
    assert [(message["fieldPath"], message["validationCode"]) for message in found] == messages


@pytest.mark.asyncio(loop_scope="package")
async def test_the_validation_server_keeps_nothing(found: Collecting) -> None:
    key = await found.token(publishable=False)
    document = {"client_id": "mp-valid", "events": [{"name": "_bad"}]}
    address = {"measurement_id": "G-1", "api_secret": key}
    valid = await found.http.post("/debug/mp/collect", params=address, json=document)
    assert valid.json()["validationMessages"][0]["validationCode"] == "NAME_INVALID"
    assert await found.events("mp-valid") == []
    taken = await found.http.post("/mp/collect", params=address, json=document)
    assert (taken.status_code, taken.content) == (204, b"")
    assert await found.kept("mp-valid") == [("bad", None, None)]
