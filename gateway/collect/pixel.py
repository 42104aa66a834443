"""One event in the address of a picture, for mails and for pages without scripts."""

from typing import Any
from urllib.parse import parse_qsl

from gateway.collect.collected import Item
from gateway.collect.events import event_of
from gateway.collect.fields import number
from gateway.core.events import Refusal

MOST_PARAMETERS = 50
GIF = bytes.fromhex(  # 1 x 1, transparent
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)

UNREADABLE = Refusal("BAD_INPUT", f"the parameters must be UTF-8, {MOST_PARAMETERS} at most")
NO_NUMBER = Refusal("BAD_INPUT", "value must be a number")
_KEYS = frozenset({"key", "_"})  # no fields of the event: the token, and what only keeps caches away
_CONTEXT = frozenset({"url", "referrer", "locale"})


def parse(query: str, received: float) -> list[Item]:
    """`type` is `impression` where it is not named; `p.size=M` is a property."""
    try:
        pairs = parse_qsl(query, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return [UNREADABLE]
    given: dict[str, Any] = {"type": "impression"}
    properties: dict[str, str] = {}
    context: dict[str, str] = {}
    for name, value in pairs:
        if name.startswith("p."):
            properties[name[2:]] = value
        elif name in _CONTEXT:
            context[name] = value
        elif name not in _KEYS:
            given[name] = value
    if "value" in given:
        given["value"] = number(given["value"])
        if given["value"] is None:
            return [NO_NUMBER]
    if properties:
        given["properties"] = properties
    if context:
        given["context"] = context
    return [event_of(given, None, received)]
