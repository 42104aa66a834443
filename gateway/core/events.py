"""Events: what a visitor did, checked, and what each kind of it weighs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

# How much one event of a type moves the interest vector. Settings may change and extend it.
WEIGHTS: Mapping[str, float] = {
    "impression": 0.0,  # being shown something says nothing about liking it
    "view": 0.1,
    "scroll": 0.1,
    "dwell": 0.2,
    "click": 0.3,
    "search": 0.3,
    "like": 0.5,
    "share": 0.6,
    "add_to_cart": 0.7,
    "purchase": 1.0,
    "dismiss": -0.5,
}
# What an event's `value` means for its weight: full weight is reached at this value.
FULL_VALUE: Mapping[str, float] = {"dwell": 30.0, "scroll": 1.0}  # seconds read; share of the page seen

PAGE_VIEWS = frozenset({"view", "page_view"})
CONVERSIONS = frozenset({"purchase", "conversion", "signup"})
RESERVED = {"consent": "the consent mutation", "identify": "the identify mutation"}

FUTURE = 300.0  # seconds that a client's clock may be ahead
PAST = 30 * 86400.0  # seconds that an event may be late
MAX_PROPERTIES = 32_768  # bytes of JSON
MAX_DEPTH = 16
MAX_VALUE = 1e12  # either way; sums of values stay far from overflowing


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a visitor did; `at` in epoch seconds."""

    id: str
    type: str
    visitor: str
    at: float
    block: str | None = None
    variant: str | None = None
    decision: str | None = None
    page: str | None = None
    value: float | None = None
    properties: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """Everything but the id and the visitor, which the log keeps as fields of its own."""
        return orjson.dumps({name: value for name in _BODY if (value := getattr(self, name)) is not None})

    @classmethod
    def from_bytes(cls, id: str, visitor: str, body: bytes) -> "Event":  # noqa: A002
        return cls(id=id, visitor=visitor, **orjson.loads(body))


_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_LONGEST = {"id": 200, "visitor": 200, "block": 200, "variant": 200, "decision": 100, "page": 2000}
_BODY = ("type", "at", "block", "variant", "decision", "page", "value", "properties")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event was not taken; nothing of it is kept."""

    code: str
    message: str


def event_problem(event: Event) -> Refusal | None:
    """What is wrong with an event's fields, if anything."""
    if event.type in RESERVED:
        return Refusal("BAD_INPUT", f"the type {event.type} is reserved; use {RESERVED[event.type]}")
    if not _TYPE.fullmatch(event.type):
        return Refusal(
            "BAD_INPUT", "type must be a word like view or add_to_cart: letters, digits, _ . - (64 at most)"
        )
    for name, longest in _LONGEST.items():
        text = getattr(event, name)
        if text is not None and (not 0 < len(text) <= longest or not text.isprintable()):
            return Refusal("BAD_INPUT", f"{name} has 1 to {longest} printable characters")
    if event.value is not None and not abs(event.value) <= MAX_VALUE:
        return Refusal("BAD_INPUT", f"value must be a number from -{MAX_VALUE:.0e} to {MAX_VALUE:.0e}")
    return _properties_problem(event.properties)


def _properties_problem(properties: Any) -> Refusal | None:
    if properties is None:
        return None
    if not isinstance(properties, Mapping):
        return Refusal("BAD_INPUT", 'properties must be an object, like {"size": "M"}')
    if deeper_than(properties, MAX_DEPTH):
        return Refusal("TOO_LARGE", f"properties may be nested {MAX_DEPTH} levels deep")
    try:
        size = len(orjson.dumps(properties))
    except orjson.JSONEncodeError:
        return Refusal("BAD_INPUT", "properties hold an integer of more than 64 bits; send it as text")
    if size > MAX_PROPERTIES:
        return Refusal("TOO_LARGE", f"properties have {size} bytes of JSON; {MAX_PROPERTIES} are allowed")
    return None


def deeper_than(value: Any, levels: int) -> bool:
    """Whether JSON is nested deeper; looks no further than that."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels <= 0 or any(deeper_than(item, levels - 1) for item in value)


def weight_of(event: Event, weights: Mapping[str, float] = WEIGHTS) -> float:
    """What this event weighs: its type's weight, scaled for dwell and scroll by how long or how far."""
    weight = weights.get(event.type, 0.0)
    full = FULL_VALUE.get(event.type)
    if full is None or event.value is None:
        return weight
    return weight * max(0.0, min(event.value / full, 1.0))


def timely(at: float, received: float, past: float = PAST) -> float | Refusal:
    """When the event counts as having happened; a clock slightly ahead is set back to ours."""
    if at > received + FUTURE:
        return Refusal(
            "BAD_TIME",
            "occurredAt lies in the future; send it in UTC with an offset, or leave it out for now",
        )
    if at < received - past:
        days = round(past / 86400)
        return Refusal("BAD_TIME", f"occurredAt is more than {days} days ago; load old events from a file")
    return min(at, received)
