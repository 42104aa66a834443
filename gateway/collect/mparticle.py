"""mParticle's batches: what one visitor did, with who it was and what is known of them."""

from collections.abc import Mapping
from typing import Any

from gateway.collect import consents, ids
from gateway.collect.collected import Circumstances, CollectedEvent, Identification, Item
from gateway.collect.fields import NONE, mapping, number, text
from gateway.core.events import Refusal

PROTOCOL = "mparticle"
MOST_BATCHES = 100
MOST_EVENTS = 2_500  # of all batches

NO_BATCH = Refusal("BAD_INPUT", "send a batch, an object with the list `events`, or a list of batches")
NOBODY = Refusal("BAD_INPUT", "a batch needs an mpid, an mp_deviceid, or user_identities.customer_id")
NO_EVENT = Refusal("BAD_INPUT", "an event is an object with event_type and data")
TOO_MANY = Refusal("TOO_LARGE", f"send at most {MOST_BATCHES} batches of {MOST_EVENTS} events in all at once")

_CUSTOMER = ("customer_id", "customerid", "email")  # of user_identities, the best first
# Where the data of each kind of event says what it was called; a kind that is not here is called as itself.
_NAMES: Mapping[str, str] = {"custom_event": "event_name", "commerce_event": "action"}
_ALWAYS: Mapping[str, str] = {"screen_view": "screen"}
# Of the data, not properties of the event.
_ENVELOPE = frozenset({
    "custom_attributes", "custom_flags", "device_current_state", "location", "product_action", "session_id",
    "session_uuid", "session_start_unixtime_ms", "source_message_id", "timestamp_unixtime_ms", "event_name",
})  # fmt: skip


def parse(document: Any, received: float) -> list[Item]:
    """Of one batch, or of a list of batches."""
    batches = document if isinstance(document, list) else [document]
    found: list[Item] = []
    for batch in batches[:MOST_BATCHES]:
        found += _batch(batch, received)
        if len(found) > MOST_EVENTS:
            break
    if len(batches) > MOST_BATCHES or len(found) > MOST_EVENTS:
        return [TOO_MANY]
    return found


def _batch(batch: Any, received: float) -> list[Item]:
    if not isinstance(batch, dict):
        return [NO_BATCH]
    events = batch.get("events", [])
    if not isinstance(events, list):
        return [NO_BATCH]
    identities = mapping(batch.get("user_identities"))
    user = next((known for name in _CUSTOMER if (known := text(identities.get(name)))), None)
    visitor = _device(batch) or user
    if visitor is None:
        return [NOBODY] * max(1, len(events))
    around = _around(batch)
    found: list[Item] = [
        _event(event, visitor, user, around, received) for event in events[: MOST_EVENTS + 1]
    ]
    traits = mapping(batch.get("user_attributes"))
    if traits or (user is not None and user != visitor and not events):
        found.append(Identification(visitor, user, traits, around))
    return found


def _device(batch: Mapping[str, Any]) -> str | None:
    return text(batch.get("mp_deviceid")) or text(batch.get("mpid"))


def _around(batch: Mapping[str, Any]) -> Circumstances:
    purposes = mapping(mapping(batch.get("consent_state")).get("gdpr"))
    agreed = {name: mapping(state).get("consented") for name, state in purposes.items()}
    return Circumstances(
        locale=text(mapping(batch.get("device_info")).get("locale_language")),
        user_agent=text(mapping(batch.get("device_info")).get("http_header_user_agent")),
        ip=text(batch.get("ip")),
        consent=consents.said(agreed),
    )


def _event(event: Any, visitor: str, user: str | None, around: Circumstances, received: float) -> Item:
    if not isinstance(event, dict) or not isinstance(event.get("event_type"), str):
        return NO_EVENT
    data = mapping(event.get("data"))
    action = mapping(data.get("product_action"))
    named = {**data, "action": action.get("action")}
    kind = event["event_type"]
    name = text(named.get(_NAMES.get(kind, ""))) or _ALWAYS.get(kind, kind)
    at = number(data.get("timestamp_unixtime_ms"))
    return CollectedEvent(
        id=_id(event, data, action, visitor),
        name=name,
        visitor=visitor,
        at=received if at is None else at / 1000,
        user=user,
        properties=_properties(data, action) or None,
        around=around,
    )


def _id(event: Mapping[str, Any], data: Mapping[str, Any], action: Mapping[str, Any], visitor: str) -> str:
    given = text(data.get("source_message_id"))
    if given is not None:
        return ids.derived(PROTOCOL, visitor, given)
    order = text(action.get("transaction_id"))
    if order is not None:  # an order is bought once
        return ids.derived(PROTOCOL, visitor, str(action.get("action")), order)
    if "timestamp_unixtime_ms" not in data:
        return ids.made()
    return ids.of_content(PROTOCOL, [visitor, event])


def _properties(data: Mapping[str, Any], action: Mapping[str, Any]) -> Mapping[str, Any]:
    own = {name: value for name, value in data.items() if name not in _ENVELOPE} if data else NONE
    bought = {name: value for name, value in action.items() if name != "action"} if action else NONE
    return {**own, **bought, **mapping(data.get("custom_attributes"))}
