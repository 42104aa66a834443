"""Google Analytics' Measurement Protocol: events of one client as JSON, and the server that only validates them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.collect import consents, ids
from gateway.collect.collected import Circumstances, CollectedEvent, Identification, Item
from gateway.collect.fields import NONE, mapping, number, text
from gateway.core.events import Refusal

PROTOCOL = "ga4"
MOST_EVENTS = 25  # in one request
MOST_PARAMETERS = 25
LONGEST_NAME = 40

NO_CLIENT = Refusal("BAD_INPUT", "name the client_id, the app_instance_id or the user_id")
NO_EVENTS = Refusal("BAD_INPUT", "events is a list of objects like {name, params}")
NAMELESS = Refusal("BAD_INPUT", "an event is an object with a name")
BAD_TIME = Refusal("BAD_TIME", "timestamp_micros is a number of microseconds since 1970")
TOO_MANY = Refusal("TOO_LARGE", f"send at most {MOST_EVENTS} events in a request")


def parse(document: Any, received: float) -> list[Item]:
    """Of one body."""
    if not isinstance(document, dict):
        return [NO_EVENTS]
    client, user = _client(document), text(document.get("user_id"))
    visitor = client or user
    if visitor is None:
        return [NO_CLIENT]
    events = _events(document)
    if events is None:
        return [NO_EVENTS]
    if len(events) > MOST_EVENTS:
        return [TOO_MANY] * len(events)
    around = Circumstances(consent=consents.said(_signals(mapping(document.get("consent")))))
    shared = _Shared(visitor, user, document.get("timestamp_micros"), around)
    found: list[Item] = [_event(event, place, shared, received) for place, event in enumerate(events)]
    traits = {
        name: mapping(given).get("value") for name, given in mapping(document.get("user_properties")).items()
    }
    if traits:
        found.append(Identification(visitor, user, traits, around))
    return found


class _Shared(NamedTuple):
    """What a body says of all its events."""

    visitor: str
    user: str | None
    micros: Any
    around: Circumstances


def _client(document: Mapping[str, Any]) -> str | None:
    return text(document.get("client_id")) or text(document.get("app_instance_id"))


def _events(document: Mapping[str, Any]) -> list[Any] | None:
    """Some clients send a single event as it is."""
    events = document.get("events")
    return [events] if isinstance(events, dict) else events if isinstance(events, list) else None


def _signals(consent: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value.lower() for name, value in consent.items() if isinstance(value, str)}


def _event(event: Any, place: int, shared: _Shared, received: float) -> Item:
    name = text(mapping(event).get("name"))
    if name is None:
        return NAMELESS
    micros = event.get("timestamp_micros", shared.micros)
    at = received if micros is None else number(micros)
    if at is None:
        return BAD_TIME
    params = mapping(event.get("params"))
    return CollectedEvent(
        id=_id(event, place, shared, micros),
        name=name,
        visitor=shared.visitor,
        at=at if micros is None else at / 1e6,
        user=shared.user,
        properties=params or None,
        around=around(params, shared.around),
    )


def around(params: Mapping[str, Any], base: Circumstances) -> Circumstances:
    """With the page that the event's own parameters name."""
    url, referrer, locale = params.get("page_location"), params.get("page_referrer"), params.get("language")
    if url is None and referrer is None and locale is None:
        return base
    return Circumstances(
        url=text(url) or base.url,
        referrer=text(referrer) or base.referrer,
        locale=text(locale) or base.locale,
        consent=base.consent,
    )


def _id(event: Mapping[str, Any], place: int, shared: _Shared, micros: Any) -> str:
    order = ordered(PROTOCOL, str(event.get("name")), shared.visitor, mapping(event.get("params")))
    if order is not None:
        return order
    if micros is None:
        return ids.made()
    return ids.of_content(PROTOCOL, [shared.visitor, shared.user, micros, place, event])


def ordered(protocol: str, name: str, visitor: str, params: Mapping[str, Any]) -> str | None:
    """The id of a purchase that names its transaction, which is counted once however often it is sent."""
    transaction = text(params.get("transaction_id")) if name == "purchase" else None
    return None if transaction is None else ids.derived(protocol, name, visitor, transaction)


# --- the server that only validates ---

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def validation(document: Any, items: list[Item]) -> Mapping[str, Any]:
    """What would be refused or renamed, in the shape of Google's validation server."""
    messages = [
        _message(f"events[{place}]", item.message, "VALUE_INVALID")
        for place, item in enumerate(items)
        if isinstance(item, Refusal)
    ]
    for place, event in enumerate((_events(mapping(document)) or [])[:MOST_EVENTS]):
        messages += _doubts(place, mapping(event))
    return {"validationMessages": messages}


def _doubts(place: int, event: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    name, params = event.get("name"), event.get("params", NONE)
    if isinstance(name, str) and not _NAME.fullmatch(name):
        yield _message(
            f"events[{place}].name", "names are letters, digits and _, a letter first", "NAME_INVALID"
        )
    elif isinstance(name, str) and len(name) > LONGEST_NAME:
        yield _message(
            f"events[{place}].name", f"names have {LONGEST_NAME} letters at most", "EXCEEDED_MAX_ENTITIES"
        )
    if not isinstance(params, dict):
        yield _message(f"events[{place}].params", "params is an object", "VALUE_INVALID")
    elif len(params) > MOST_PARAMETERS:
        yield _message(
            f"events[{place}].params", f"at most {MOST_PARAMETERS} are taken", "EXCEEDED_MAX_ENTITIES"
        )


def _message(field: str, description: str, code: str) -> Mapping[str, str]:
    return {"fieldPath": field, "description": description, "validationCode": code}
