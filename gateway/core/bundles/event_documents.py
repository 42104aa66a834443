"""Events as documents of a bundle, in the words of the contract, and as the core's values."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from content_blocks.blocks import instant
from gateway.core.bundles.documents import Document
from gateway.core.bundles.known import Known
from gateway.core.events import FUTURE, Event, event_problem
from gateway.errors import Problem

FIELDS = ("type", "visitor", "block", "variant", "decision", "page", "value", "properties")


def event_problems(document: Document, known: Known) -> Iterator[Problem]:
    """What is wrong with an event whose shape is right."""
    try:
        refusal = event_problem(_event(document, "unnamed", 0.0))
    except ValueError as error:
        yield Problem("/occurredAt", f"is no time: {error}")
    else:
        if refusal:
            yield Problem("", refusal.message, refusal.code)


def time_problems(documents: Iterable[tuple[Document, str]], now: float) -> Iterator[Problem]:
    """Events of the future: documents, each with its place. Whether their shape is right is not asked here."""
    for document, place in documents:
        try:
            moment = instant(document.get("occurredAt"))
        except (TypeError, ValueError, AttributeError):
            continue
        if moment is not None and moment.timestamp() > now + FUTURE:
            yield Problem(f"{place}/occurredAt", "lies in the future; write UTC, or an offset", "BAD_TIME")


def events_of(documents: Iterable[Document], now: float) -> Iterator[Event]:
    """The events of a bundle that was found right. One without an id gets it from what it says, and from how
    often that was said before, so that loading a file again changes nothing."""
    said: Counter[str] = Counter()
    for document in documents:
        digest = hashlib.blake2b(
            orjson.dumps(document, option=orjson.OPT_SORT_KEYS), digest_size=12
        ).hexdigest()
        said[digest] += 1
        yield _event(document, f"loaded-{digest}-{said[digest]}", now)


def event_document(event: Event) -> Document:
    fields: dict[str, Any] = {name: getattr(event, name) for name in FIELDS}
    given = {name: value for name, value in fields.items() if value is not None}
    return {"id": event.id, **given, "occurredAt": datetime.fromtimestamp(event.at, UTC).isoformat()}


def _event(document: Document, id_: str, now: float) -> Event:
    """Raises ValueError for an `occurredAt` that is no time."""
    moment = instant(document.get("occurredAt"))
    return Event(
        id=document.get("id") or id_,
        at=now if moment is None else min(moment.timestamp(), now),
        **{name: document.get(name) for name in FIELDS},  # type: ignore[arg-type]
    )
