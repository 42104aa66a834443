"""The protocols as one table: how each is read, where its key stands, and how it is answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.collect import datalayer, events, gtag, keys, measurement, mparticle, pixel, replies, segment
from gateway.collect.collected import Item
from gateway.collect.refusals import Refused
from gateway.collect.replies import Reply
from gateway.collect.taking import Outcome

MOST_SEGMENT = 500 * 1024  # bytes of a body, as Segment has it
MOST_BEACON = 128 * 1024  # browsers send 64 KB in the background
NDJSON = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
JITSU = "jitsu"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: `query` is that of its address, `path` what stands in it; `received` in epoch seconds.

    `peer` is the address that it came from.
    """

    headers: Mapping[str, str]
    query: str
    path: Mapping[str, str]
    received: float
    peer: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Protocol:
    """`in_the_open`: the key stands in the address, so that it must be a publishable token.

    `validation` answers in place of taking anything.
    """

    read: Callable[[Sent], Any]
    parse: Callable[[Sent, Any], list[Item]]
    answered: Callable[[Outcome], Reply]
    refused: Callable[[Refused], Reply]
    address_key: Callable[[Sent], str | None] | None = None  # None: it is in the headers or the body
    methods: Sequence[str] = ("POST",)
    most: int | None = None  # bytes of a body; None: as the settings have it
    in_the_open: bool = False
    validation: Callable[[Any, list[Item]], Mapping[str, Any]] | None = None


def _json(sent: Sent) -> Any:
    try:
        return orjson.loads(sent.body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "BAD_INPUT", f"the body is not JSON in UTF-8: {error}") from error


def _nothing(sent: Sent) -> Any:
    return None


# --- ours ---


def _json_or_lines(sent: Sent) -> Any:
    """One event a line, where the content type says so."""
    media = sent.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in NDJSON:
        return events.lines(sent.body)
    return _json(sent)


def _events(sent: Sent, document: Any) -> list[Item]:
    listed = events.listed(document)
    if listed is None:
        raise Refused(400, "BAD_INPUT", 'send an event, a list of events, or {"events": [...]}')
    if len(listed) > events.MOST_EVENTS:
        raise Refused(413, "TOO_LARGE", f"send at most {events.MOST_EVENTS} events at once")
    envelope = document if isinstance(document, dict) and listed is document.get("events") else {}
    return events.parse(listed, envelope.get("sentAt"), sent.received)


EVENTS = Protocol(_json_or_lines, _events, replies.counted, replies.plain_error)
DATALAYER = Protocol(
    _json,
    lambda sent, document: datalayer.parse(document, sent.received),
    replies.counted,
    replies.plain_error,
    most=MOST_BEACON,
)


def _picture(outcome: Outcome) -> Reply:
    return Reply(200, pixel.GIF, b"image/gif")


def _no_picture(error: Refused) -> Reply:
    return Reply(error.status, pixel.GIF, b"image/gif")


PIXEL = Protocol(
    _nothing,
    lambda sent, _: pixel.parse(sent.query, sent.received),
    _picture,
    _no_picture,
    lambda sent: keys.of_query(sent.query, "key"),
    methods=("GET",),
    in_the_open=True,
)

# --- Segment's and its kin's ---


def _segment(sent: Sent, document: Any) -> list[Item]:
    kind = sent.path["kind"]
    if kind not in segment.KINDS:
        raise Refused(404, "NOT_FOUND", "there are track, identify, page, screen, group, alias and batch")
    size = len(sent.body)
    if segment.KINDS[kind] != "batch" and size > segment.MOST_MESSAGE:
        raise Refused(413, "TOO_LARGE", segment.TOO_LARGE.message)
    return segment.parse(document, kind, size, sent.received)


SEGMENT = Protocol(_json, _segment, replies.success, replies.no_success, most=MOST_SEGMENT)
JITSU_EVENTS = Protocol(
    _json,
    lambda sent, document: segment.parse(document, sent.path["kind"], len(sent.body), sent.received, JITSU),
    replies.okay,
    replies.not_okay,
    most=MOST_SEGMENT,
)
MPARTICLE = Protocol(
    _json,
    lambda sent, document: mparticle.parse(document, sent.received),
    replies.accepted,
    replies.error_list,
)

# --- Google's ---


def _measured(sent: Sent, document: Any) -> list[Item]:
    return measurement.parse(document, sent.received)


def _api_secret(sent: Sent) -> str | None:
    return keys.of_query(sent.query, "api_secret")


MEASUREMENT = Protocol(_json, _measured, replies.nothing, replies.plain_error, _api_secret, most=MOST_BEACON)
VALIDATION = Protocol(
    _json,
    _measured,
    replies.nothing,
    replies.plain_error,
    _api_secret,
    most=MOST_BEACON,
    validation=measurement.validation,
)
GTAG = Protocol(
    _nothing,
    lambda sent, _: gtag.parse(sent.query, sent.body, sent.received),
    replies.nothing,
    replies.plain_error,
    lambda sent: sent.path.get("key") or keys.of_query(sent.query, "tid"),
    methods=("POST", "GET"),
    most=MOST_BEACON,
    in_the_open=True,
)
