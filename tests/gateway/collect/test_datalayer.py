from typing import Any

import pytest

from gateway.collect.collected import Circumstances, CollectedEvent
from gateway.collect.datalayer import NO_BATCH, NO_EVENT, TOO_MANY, parse

NOW = 1_800_000_000.0
EVENT = {"id": "1", "name": "add_to_cart", "at": "2027-01-15T07:59:00Z"}


def test_a_push_is_an_event_and_its_ecommerce_part_its_properties() -> None:
    push = {"event": "add_to_cart", "ecommerce": {"value": 80, "items": [{"item_id": "boot"}]}, "list": "a"}
    document = {
        "visitor": "v", "sentAt": "2027-01-15T07:59:30Z", "referrer": "https://a.example/", "locale": "en",
        "events": [{**EVENT, "user": "u", "url": "https://shop.example/boots", "data": push}],
    }  # fmt: skip
    (found,) = parse(document, NOW)
    assert found == CollectedEvent(
        id=found.id,  # type: ignore[union-attr]
        name="add_to_cart",
        visitor="v",
        user="u",
        at=NOW - 30,
        properties={"list": "a", "value": 80, "items": [{"item_id": "boot"}]},
        around=Circumstances("https://shop.example/boots", "https://a.example/", locale="en"),
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], [NO_BATCH]),
        ({"visitor": "v"}, [NO_BATCH]),
        ({"events": []}, [NO_BATCH]),
        ({"visitor": "v", "events": [5, {}, {**EVENT, "at": "?"}]}, [NO_EVENT] * 3),
        ({"visitor": "v", "events": [EVENT] * 201}, [TOO_MANY] * 201),
    ],
)
def test_what_is_no_batch_is_refused(document: Any, expected: Any) -> None:
    assert parse(document, NOW) == expected
