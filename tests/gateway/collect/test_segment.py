from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from gateway.collect.collected import Alias, Circumstances, CollectedEvent, Identification
from gateway.collect.segment import MOST_MESSAGES, NAMELESS, NO_ALIAS, NO_BATCH, NO_MESSAGE, NOBODY, parse
from gateway.core.events import Refusal
from schemas.vocabulary import Purpose
from tests.gateway.collect.made import Collecting

NOW = 1_800_000_000.0
AT_NOW = "2027-01-15T08:00:00.000Z"
BEFORE = "2027-01-15T07:59:00.000Z"


def one(message: Any, kind: str = "track") -> Any:
    (found,) = parse(message, kind, 100, NOW)
    return found


def test_a_track_is_an_event_of_the_anonymous_visitor() -> None:
    found = one({
        "anonymousId": "a", "userId": "u", "event": "Product Added", "messageId": "m1", "timestamp": BEFORE,
        "sentAt": AT_NOW, "properties": {"sku": "boot"},
        "context": {
            "ip": "198.51.100.7", "userAgent": "Mozilla", "locale": "en-GB",
            "page": {"url": "https://shop.example/boots", "referrer": "https://news.example/"},
            "campaign": {"name": "spring", "source": "mail", "odd": 3},
            "consent": {"categoryPreferences": {"Analytics": True, "C0004": False, "Own": False}},
        },
    })  # fmt: skip
    assert found == CollectedEvent(
        id=found.id,
        name="Product Added",
        visitor="a",
        user="u",
        at=NOW - 60,
        properties={"sku": "boot"},
        around=Circumstances(
            url="https://shop.example/boots",
            referrer="https://news.example/",
            campaign={"campaign": "spring", "source": "mail"},
            locale="en-GB",
            user_agent="Mozilla",
            ip="198.51.100.7",
            consent={Purpose.ANALYTICS: True, Purpose.MARKETING: False},
        ),
    )


def test_a_clock_that_is_wrong_is_corrected_by_when_the_message_was_sent() -> None:
    found = one(
        {"userId": "u", "event": "x", "timestamp": "1999-01-01T00:00:00Z", "sentAt": "1999-01-01T00:01:00Z"}
    )
    assert found.at == NOW - 60


def test_rudderstack_calls_the_time_original() -> None:
    assert one({"userId": "u", "event": "x", "originalTimestamp": BEFORE}).at == NOW - 60


def test_a_message_without_a_time_happens_when_it_comes() -> None:
    assert one({"userId": "u", "event": "x", "timestamp": None}).at == NOW


def test_a_time_that_is_none_is_refused() -> None:
    assert one({"userId": "u", "event": "x", "timestamp": "yesterday"}).code == "BAD_TIME"


@pytest.mark.parametrize("kind", ["page", "p", "screen", "s"])
def test_pages_and_screens_keep_their_name(kind: str) -> None:
    found = one({"anonymousId": "a", "name": "Boots", "properties": {"url": "/boots"}}, kind)
    assert (found.name, found.properties, found.around.url) == (
        "page",
        {"name": "Boots", "url": "/boots"},
        "/boots",
    )


def test_a_group_is_an_event() -> None:
    found = one({"userId": "u", "groupId": "g", "traits": {"seats": 3}}, "group")
    assert (found.name, found.properties) == ("group", {"groupId": "g", "traits": {"seats": 3}})


def test_an_identify_tells_traits_and_both_ids() -> None:
    assert one({"anonymousId": "a", "userId": "u", "traits": {"plan": "gold"}}, "identify") == Identification(
        "a", "u", {"plan": "gold"}
    )


def test_an_identify_may_keep_its_traits_in_the_context() -> None:
    assert one({"userId": 7, "context": {"traits": {"plan": "gold"}}}, "i") == Identification(
        "7", "7", {"plan": "gold"}
    )


def test_an_alias_names_two_ids() -> None:
    assert one({"previousId": "a", "userId": "u"}, "alias") == Alias("a", "u")
    assert one({"userId": "u"}, "alias") == NO_ALIAS


REFUSED: Mapping[str, tuple[Any, Refusal]] = {
    "a number": (5, NO_MESSAGE),
    "nobody": ({"event": "x"}, NOBODY),
    "an empty id": ({"event": "x", "userId": ""}, NOBODY),
    "an id that is a list": ({"event": "x", "userId": ["u"]}, NOBODY),
    "no name": ({"userId": "u"}, NAMELESS),
    "a type of nobody's": ({"userId": "u", "event": "x", "type": "hack"}, NO_MESSAGE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_message_is_refused_and_says_why(name: str) -> None:
    message, refusal = REFUSED[name]
    assert one(message) == refusal


def test_a_bad_message_in_a_batch_costs_nobody_but_itself() -> None:
    good = {"type": "track", "userId": "u", "event": "x"}
    found = parse({"batch": [good, 5, {"type": "track"}, good]}, "batch", 100, NOW)
    assert [type(item).__name__ for item in found] == [
        "CollectedEvent",
        "Refusal",
        "Refusal",
        "CollectedEvent",
    ]


def test_a_batch_is_a_list() -> None:
    assert parse({"batch": {}}, "batch", 100, NOW) == [NO_BATCH]


def test_messages_beyond_the_most_are_refused_one_by_one() -> None:
    found = parse(
        {"batch": [{"type": "track", "userId": "u", "event": "x"}] * (MOST_MESSAGES + 2)}, "b", 100, NOW
    )
    assert [isinstance(item, Refusal) for item in found[-3:]] == [False, True, True]


def test_a_message_that_is_too_large_is_refused() -> None:
    large = {"type": "track", "userId": "u", "event": "x", "properties": {"text": "y" * 33_000}}
    found = parse({"batch": [large, {**large, "properties": {}}]}, "batch", 70_000, NOW)
    assert [getattr(item, "code", None) for item in found] == ["TOO_LARGE", None]


def test_a_repeated_message_has_the_same_id_whenever_it_is_sent_again() -> None:
    message = {"userId": "u", "event": "x", "timestamp": BEFORE}
    for given in ({**message, "messageId": "m1"}, message):
        first, again = one({**given, "sentAt": BEFORE}), one({**given, "sentAt": AT_NOW})
        assert first.id == again.id
    assert one({**message, "event": "y"}).id != one(message).id


def test_messages_that_name_neither_id_nor_time_are_all_different() -> None:
    assert one({"userId": "u", "event": "x"}).id != one({"userId": "u", "event": "x"}).id


# --- over HTTP ---


@pytest.mark.asyncio(loop_scope="package")
async def test_the_write_key_is_a_user_name_or_stands_in_the_body(found: Collecting) -> None:
    key = await found.token()
    message = {"anonymousId": "seg-keys", "event": "x"}
    answers = [
        await found.http.post("/v1/track", json=message, auth=(key, "")),
        await found.http.post("/v1/track", json={**message, "writeKey": key}),
        await found.http.post("/v1/batch", json={"batch": [{**message, "type": "track"}], "writeKey": key}),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"success": True})] * 3
    assert len(await found.events("seg-keys")) == 3


async def posted(found: Collecting, path: str, **more: Any) -> httpx.Response:
    return await found.http.post(path, auth=(await found.token(), ""), **more)


@pytest.mark.asyncio(loop_scope="package")
async def test_a_batch_is_taken_and_says_what_of_it_was_not(found: Collecting) -> None:
    good = {"type": "track", "userId": "seg-batch", "event": "x"}
    answer = await posted(found, "/v1/batch", json={"batch": [good, {"type": "track", "event": "x"}]})
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "rejected": [{"index": 1, "code": NOBODY.code, "message": NOBODY.message}]},
    )


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "BAD_INPUT"),
        (b'{"event": "\xff"}', 400, "BAD_INPUT"),
        (b'{"value": NaN}', 400, "BAD_INPUT"),
        (b"[" * 100_000, 400, "BAD_INPUT"),
        (b'{"event": "%b"}' % (b"x" * 33_000), 413, "TOO_LARGE"),
        (b" " * 520_000, 413, "TOO_LARGE"),
    ],
)
async def test_what_cannot_be_read_is_answered_as_segment_does(
    found: Collecting, body: bytes, status: int, code: str
) -> None:
    answer = await posted(found, "/v1/track", content=body)
    assert (answer.status_code, answer.json()["success"], answer.json()["code"]) == (status, False, code)


@pytest.mark.asyncio(loop_scope="package")
async def test_other_kinds_of_messages_are_not_found(found: Collecting) -> None:
    assert (await posted(found, "/v1/hack", json={})).status_code == 404
