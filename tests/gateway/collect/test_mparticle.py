from typing import Any

import pytest

from gateway.collect.collected import CollectedEvent, Identification
from gateway.collect.mparticle import MOST_EVENTS, NO_BATCH, NO_EVENT, NOBODY, TOO_MANY, parse
from gateway.core.consent import KEEPING

NOW = 1_800_000_000.0
CUSTOM = {
    "event_type": "custom_event",
    "data": {"event_name": "Video Watched", "custom_attributes": {"block": "b"}},
}
SCREEN = {
    "event_type": "screen_view",
    "data": {"screen_name": "Cart", "timestamp_unixtime_ms": (NOW - 60) * 1000},
}
BOUGHT = {
    "event_type": "commerce_event",
    "data": {"product_action": {"action": "purchase", "transaction_id": "o", "products": [{"id": "boot"}]}},
}


def batch(*events: Any, **more: Any) -> dict[str, Any]:
    return {"mp_deviceid": "d", "events": list(events), **more}


def test_a_batch_tells_of_one_visitor() -> None:
    found = parse(batch(CUSTOM, SCREEN, BOUGHT, user_identities={"customer_id": "u"}), NOW)
    assert [(item.name, item.visitor, item.user, item.at, item.properties) for item in found] == [  # type: ignore[union-attr]
        ("Video Watched", "d", "u", NOW, {"block": "b"}),
        ("screen", "d", "u", NOW - 60, {"screen_name": "Cart"}),
        ("purchase", "d", "u", NOW, {"transaction_id": "o", "products": [{"id": "boot"}]}),
    ]


def test_attributes_of_the_user_are_traits() -> None:
    given = batch(user_identities={"customer_id": "u"}, user_attributes={"plan": "gold"})
    assert parse(given, NOW) == [Identification("d", "u", {"plan": "gold"})]


def test_a_purpose_that_was_refused_goes_with_every_event() -> None:
    (found,) = parse(batch(CUSTOM, consent_state={"gdpr": {"analytics": {"consented": False}}}), NOW)
    assert isinstance(found, CollectedEvent)
    assert found.around.consent == dict.fromkeys(KEEPING, False)


def test_an_order_is_the_same_however_often_it_is_sent() -> None:
    first, again = (parse(batch(event), NOW)[0] for event in (BOUGHT, {**BOUGHT, "more": 1}))
    assert first.id == again.id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (5, [NO_BATCH]),
        ({"mp_deviceid": "d", "events": 5}, [NO_BATCH]),
        ({"events": [CUSTOM, CUSTOM]}, [NOBODY, NOBODY]),
        (batch(5, {"event_type": ["x"]}), [NO_EVENT, NO_EVENT]),
        ([batch()] * 101, [TOO_MANY]),
        (batch(*[CUSTOM] * (MOST_EVENTS + 1)), [TOO_MANY]),
    ],
)
def test_what_is_no_batch_is_refused(document: Any, expected: Any) -> None:
    assert parse(document, NOW) == expected
