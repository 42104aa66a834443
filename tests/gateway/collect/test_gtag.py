from typing import Any

import pytest

from gateway.collect.collected import CollectedEvent
from gateway.collect.gtag import NAMELESS, NO_CLIENT, TOO_MANY, UNREADABLE, parse
from schemas.vocabulary import Purpose
from tests.gateway.collect.made import Collecting

NOW = 1_800_000_000.0
SHARED = (
    "v=2&tid=G-1&cid=c.1&uid=u&_p=7&_s=3&sid=9&ul=en-gb"
    "&dl=https%3A%2F%2Fshop.example%2Fboots&dr=https%3A%2F%2Fa.example"
)


def one(query: str, body: bytes = b"") -> Any:
    (found,) = parse(query, body, NOW)
    return found


def test_a_hit_without_a_body_is_one_event() -> None:
    found = one(
        SHARED + "&en=view_item&ep.color=red&epn.size=42&cu=EUR&_et=1500&gcs=G101&pr1=idboot~nmBoot~pr80~qt1"
    )
    assert isinstance(found, CollectedEvent)
    assert (found.name, found.visitor, found.user, found.at) == ("view_item", "c.1", "u", NOW)
    assert found.properties == {
        "color": "red",
        "size": 42.0,
        "currency": "EUR",
        "session_id": "9",
        "engagement_time_msec": 1500.0,
        "items": [{"item_id": "boot", "item_name": "Boot", "price": 80.0, "quantity": 1.0}],
    }
    assert (found.around.url, found.around.referrer) == ("https://shop.example/boots", "https://a.example")
    assert found.around.consent == {Purpose.MARKETING: False, Purpose.ANALYTICS: True}


def test_each_line_of_a_body_is_an_event_that_shares_the_address() -> None:
    lines = b"en=page_view\r\nen=scroll&epn.percent_scrolled=90&_et=10\r\n"
    found = parse(SHARED, lines, NOW)
    assert [(item.name, item.visitor) for item in found] == [("page_view", "c.1"), ("scroll", "c.1")]  # type: ignore[union-attr]


def test_a_hit_is_known_by_its_page_and_number() -> None:
    assert one(SHARED + "&en=x").id == one(SHARED + "&en=x").id
    assert one(SHARED + "&en=x").id != one(SHARED.replace("_s=3", "_s=4") + "&en=x").id
    assert one("cid=c&en=x").id != one("cid=c&en=x").id


def test_equal_lines_of_one_body_are_two_events() -> None:
    first, second = parse(SHARED, b"en=like\nen=like", NOW)
    assert first.id != second.id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("en=x", b"", [NO_CLIENT]),
        ("cid=c", b"", [NAMELESS]),
        ("cid=c&en=%FF", b"", [UNREADABLE]),
        ("cid=c", b"en=\xff\nen=x", [UNREADABLE, None]),
        ("&".join(f"ep.{n}=1" for n in range(500)), b"", [UNREADABLE]),
        ("cid=c", b"en=x\n" * 101, [TOO_MANY] * 101),
    ],
)
def test_what_is_no_hit_is_refused(query: str, body: bytes, expected: Any) -> None:
    found = parse(query, body, NOW)
    assert [None if isinstance(item, CollectedEvent) else item for item in found] == expected


def test_numbers_that_are_none_are_left_out() -> None:
    assert one("cid=c&en=x&epn.a=nan&epn.b=1e999&_et=inf").properties == {"a": None, "b": None}


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_the_token_is_the_measurement_id_or_stands_in_the_path(found: Collecting, method: str) -> None:
    key = await found.token()
    query = {"v": "2", "cid": f"gtag-{method}", "en": "page_view"}
    answers = [
        await found.http.request(method, "/g/collect", params={**query, "tid": key}),
        await found.http.request(method, f"/ga/{key}/g/collect", params={**query, "tid": "G-1"}),
        await found.http.request(method, "/g/collect", params={**query, "tid": "G-1"}),
    ]
    assert [answer.status_code for answer in answers] == [204, 204, 401]
    assert len(await found.events(f"gtag-{method}")) == 2


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("address", ["/g/collect?cid=c&en=x&tid=", "/v1/pixel.gif?visitor=c&key="])
async def test_a_secret_token_does_not_belong_into_the_address_of_a_page(
    found: Collecting, address: str
) -> None:
    key = await found.token(publishable=False)
    assert (await found.http.get(address + key)).status_code == 403
