"""What our script relays of a page's `dataLayer`: pushes as Google Tag Manager knows them."""

from collections.abc import Mapping
from typing import Any

from gateway.collect import consents, ids
from gateway.collect.collected import Circumstances, CollectedEvent, Item
from gateway.collect.fields import mapping, moment, text
from gateway.core.events import Refusal

PROTOCOL = "datalayer"
MOST_EVENTS = 200

_ENVELOPE = frozenset({"event", "ecommerce", "gtm.uniqueEventId"})

NO_BATCH = Refusal("BAD_INPUT", "send an object with a visitor and the list `events`")
NO_EVENT = Refusal("BAD_INPUT", "an event is an object with an id, a name, and the data that was pushed")
TOO_MANY = Refusal("TOO_LARGE", f"send at most {MOST_EVENTS} events at once")


def parse(document: Any, received: float) -> list[Item]:
    """Of one body of the script's."""
    if not isinstance(document, dict) or not isinstance(document.get("events"), list):
        return [NO_BATCH]
    visitor = text(document.get("visitor"))
    if visitor is None:
        return [NO_BATCH]
    events = document["events"]
    if len(events) > MOST_EVENTS:
        return [TOO_MANY] * len(events)
    around = Circumstances(
        referrer=text(document.get("referrer")),
        locale=text(document.get("locale")),
        consent=consents.said(mapping(document.get("consent"))),
    )
    left = moment(document.get("sentAt"))
    skew = 0.0 if left is None else received - left
    return [_event(event, visitor, around, skew) for event in events]


def _event(event: Any, visitor: str, around: Circumstances, skew: float) -> Item:
    id_, name = text(mapping(event).get("id")), text(mapping(event).get("name"))
    at = moment(mapping(event).get("at"))
    if id_ is None or name is None or at is None:
        return NO_EVENT
    return CollectedEvent(
        id=ids.derived(PROTOCOL, visitor, id_),
        name=name,
        visitor=visitor,
        at=at + skew,
        user=text(event.get("user")),
        properties=_properties(mapping(event.get("data"))) or None,
        around=Circumstances(
            text(event.get("url")), around.referrer, {}, around.locale, consent=around.consent
        ),
    )


def _properties(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """`{"ecommerce": {"items": [...]}}` and `{"items": [...]}` say the same."""
    own = {name: value for name, value in data.items() if name not in _ENVELOPE}
    return {**own, **mapping(data.get("ecommerce"))}
