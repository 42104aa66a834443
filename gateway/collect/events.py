"""Our own events over HTTP and WebSocket: an object, a list, `{"events": [...]}`, or one a line.

Their fields are those of GraphQL's EventInput, with `user` for the known id of the visitor.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from gateway.collect import consents, ids
from gateway.collect.collected import NOTHING, Circumstances, CollectedEvent, Item
from gateway.collect.fields import NONE, occurred, text
from gateway.core.events import Refusal

MOST_EVENTS = 2_500  # in one request

NO_EVENT = Refusal("BAD_INPUT", "an event is an object with a type and a visitor")
NO_JSON = Refusal("BAD_INPUT", "this is not JSON in UTF-8")
_TEXTS = ("id", "type", "visitor", "user", "page", "block", "variant", "decision")
_FIELDS = frozenset({*_TEXTS, "value", "properties", "occurredAt", "context"})
_CONTEXT = ("url", "referrer", "locale", "userAgent")


def listed(document: Any) -> list[Any] | None:
    """The events of a body; None for what is no body of events."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return None
    events = document.get("events")
    return events if isinstance(events, list) else [document]


def lines(body: bytes) -> list[Any]:
    """Of NDJSON: a line that is no JSON costs nobody but itself."""
    return [_line(line) for line in body.split(b"\n") if line.strip()]


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return NO_JSON


def parse(events: Iterable[Any], sent: Any, received: float) -> list[Item]:
    """`sent`: when the sender says that the request left, or None."""
    return [event if isinstance(event, Refusal) else event_of(event, sent, received) for event in events]


def event_of(given: Any, sent: Any, received: float) -> Item:
    if not isinstance(given, dict):
        return NO_EVENT
    problem = _problem(given)
    if problem is not None:
        return Refusal("BAD_INPUT", problem)
    at = occurred(given.get("occurredAt"), sent, received)
    if isinstance(at, Refusal):
        return at
    value = given.get("value")
    return CollectedEvent(
        id=given["id"] if given.get("id") is not None else ids.made(),
        name=given["type"],
        visitor=given["visitor"],
        at=at,
        user=given.get("user"),
        ours=True,
        page=given.get("page"),
        block=given.get("block"),
        variant=given.get("variant"),
        decision=given.get("decision"),
        value=None if value is None else float(value),
        properties=given.get("properties"),
        around=_around(given.get("context") or NONE),
    )


def _problem(given: Mapping[str, Any]) -> str | None:
    if not _FIELDS.issuperset(given):
        unknown = next(name for name in given if name not in _FIELDS)
        return f"there is no field {unknown[:100]!r}; there are {', '.join(sorted(_FIELDS))}"
    for name in _TEXTS:
        if not isinstance(given.get(name), str | None):
            return f"{name} must be a text"
    if given.get("type") is None or given.get("visitor") is None:
        return NO_EVENT.message
    value = given.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        return "value must be a number"
    for name in ("properties", "context"):
        if not isinstance(given.get(name), dict | None):
            return f"{name} must be an object"
    return None


def _around(context: Mapping[str, Any]) -> Circumstances:
    if not context:
        return NOTHING
    url, referrer, locale, agent = (text(context.get(name)) for name in _CONTEXT)
    said = consents.of_context(context.get("consent"))
    return Circumstances(url=url, referrer=referrer, locale=locale, user_agent=agent, consent=said)
