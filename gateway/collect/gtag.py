"""Hits of Google's tag: parameters of the address, and in the body, one a line, several events that share them."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from gateway.collect import consents, ids
from gateway.collect.collected import Circumstances, CollectedEvent, Item
from gateway.collect.fields import number
from gateway.collect.measurement import ordered
from gateway.core.events import Refusal

PROTOCOL = "gtag"
MOST_EVENTS = 100  # lines of a body
MOST_PARAMETERS = 300  # of an address or a line
MOST_ITEMS = 200

NO_CLIENT = Refusal("BAD_INPUT", "a hit needs cid, the id of the client")
NAMELESS = Refusal("BAD_INPUT", "a hit needs en, the name of the event")
UNREADABLE = Refusal("BAD_INPUT", "a line of parameters must be UTF-8, and not too long")
TOO_MANY = Refusal("TOO_LARGE", f"send at most {MOST_EVENTS} events in a hit")

# Parameters of the hit that are properties of the event, as the Measurement Protocol calls them.
_PROPERTIES: Mapping[str, str] = {"dt": "page_title", "cu": "currency", "sid": "session_id"}
_ITEM: Mapping[str, str] = {  # the two letters before each part of an item
    "id": "item_id", "nm": "item_name", "br": "item_brand", "ca": "item_category", "va": "item_variant",
    "pr": "price", "qt": "quantity", "pi": "promotion_id", "pn": "promotion_name", "cs": "creative_slot",
}  # fmt: skip
_NUMBERS = frozenset({"price", "quantity"})


def parse(query: str, body: bytes, received: float) -> list[Item]:
    """Of the parameters of the address, and the body, which may be empty."""
    shared = _parameters(query)
    if shared is None:
        return [UNREADABLE]
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > MOST_EVENTS:
        return [TOO_MANY] * len(lines)
    if not lines:
        return [_event(shared, received)]
    return [
        _event_of_line({**shared, "line": str(place)}, line, received) for place, line in enumerate(lines)
    ]


def _parameters(query: str) -> dict[str, str] | None:
    try:
        return dict(parse_qsl(query, errors="strict", max_num_fields=MOST_PARAMETERS))
    except ValueError:
        return None


def _event_of_line(shared: Mapping[str, str], line: bytes, received: float) -> Item:
    try:
        own = _parameters(line.decode().strip())
    except UnicodeDecodeError:
        own = None
    return UNREADABLE if own is None else _event({**shared, **own}, received)


def _event(hit: Mapping[str, str], received: float) -> Item:
    client, user = hit.get("cid"), hit.get("uid")
    visitor, name = client or user, hit.get("en")
    if not visitor:
        return NO_CLIENT
    if not name:
        return NAMELESS
    properties = _properties(hit)
    return CollectedEvent(
        id=_id(hit, name, visitor, properties),
        name=name,
        visitor=visitor,
        at=received,
        user=user,
        properties=properties or None,
        around=Circumstances(
            url=hit.get("dl"),
            referrer=hit.get("dr"),
            locale=hit.get("ul"),
            user_agent=hit.get("ua"),
            consent=consents.of_google(hit.get("gcs"), hit.get("gcd")),
        ),
    )


def _id(hit: Mapping[str, str], name: str, visitor: str, properties: Mapping[str, Any]) -> str:
    """A page and a running number in it tell hits apart, and the line, since all of a body have one number."""
    order = ordered(PROTOCOL, name, visitor, properties)
    if order is not None:
        return order
    return ids.of_content(PROTOCOL, hit) if "_p" in hit and "_s" in hit else ids.made()


def _properties(hit: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    items: list[Mapping[str, Any]] = []
    for name, value in hit.items():
        if name.startswith("ep."):
            found[name[3:]] = value
        elif name.startswith("epn."):
            found[name[4:]] = number(value)
        elif name in _PROPERTIES:
            found[_PROPERTIES[name]] = value
        elif name.startswith("pr") and name[2:].isdecimal() and len(items) < MOST_ITEMS:
            items.append(_item(value.split("~")))
    engaged = number(hit.get("_et"))
    if engaged is not None:
        found.setdefault("engagement_time_msec", engaged)
    if items:
        found["items"] = items
    return found


def _item(parts: Sequence[str]) -> Mapping[str, Any]:
    """`idSKU~nmShoe~pr59.5`: what stands before each value says what it is."""
    named = {_ITEM[part[:2]]: part[2:] for part in parts if part[:2] in _ITEM}
    return {name: number(value) if name in _NUMBERS else value for name, value in named.items()}
