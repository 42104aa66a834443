"""Segment's messages, which RudderStack's and Jitsu's clients send too: track, identify, page, screen, group, alias."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from gateway.collect import consents, ids
from gateway.collect.collected import Alias, Circumstances, CollectedEvent, Identification, Item
from gateway.collect.fields import NONE, mapping, occurred, text
from gateway.core.events import Refusal

PROTOCOL = "segment"
MOST_MESSAGE = 32 * 1024  # bytes of one message
MOST_MESSAGES = 2_500  # in a batch

# As the last part of the address has it; analytics.js uses the first letters.
KINDS: Mapping[str, str] = {
    "track": "track", "t": "track", "page": "page", "p": "page", "screen": "screen", "s": "screen",
    "identify": "identify", "i": "identify", "group": "group", "g": "group", "alias": "alias", "a": "alias",
    "batch": "batch", "b": "batch", "import": "batch", "event": "track",
}  # fmt: skip

NOBODY = Refusal("BAD_INPUT", "a message needs a userId or an anonymousId")
NAMELESS = Refusal("BAD_INPUT", "a track message needs the name of the event, as `event`")
NO_MESSAGE = Refusal(
    "BAD_INPUT", "a message is an object with a type: track, identify, page, screen, group or alias"
)
NO_ALIAS = Refusal("BAD_INPUT", "an alias needs a previousId and a userId")
NO_BATCH = Refusal("BAD_INPUT", "a batch is an object with the list `batch`")
TOO_LARGE = Refusal("TOO_LARGE", f"a message may have {MOST_MESSAGE} bytes")
TOO_MANY = Refusal("TOO_LARGE", f"a batch may have {MOST_MESSAGES} messages; send the others in another")


def parse(document: Any, kind: str, size: int, received: float, protocol: str = PROTOCOL) -> list[Item]:
    """Of a body of `size` bytes, sent to the address of that kind of message."""
    kind = KINDS.get(kind, kind)
    if not isinstance(document, dict):
        return [NO_MESSAGE]
    if kind != "batch":
        return [_message(document, kind, document, size > MOST_MESSAGE, received, protocol)]
    batch = document.get("batch")
    if not isinstance(batch, list):
        return [NO_BATCH]
    found = [
        _message(message, None, document, size > MOST_MESSAGE, received, protocol)
        for message in batch[:MOST_MESSAGES]
    ]
    return [*found, *[TOO_MANY] * (len(batch) - MOST_MESSAGES)]


def _message(
    message: Any,
    kind: str | None,
    envelope: Mapping[str, Any],
    measured: bool,
    received: float,
    protocol: str,
) -> Item:
    """`envelope` says when it was sent, where the message does not; `measured`: it may be too large."""
    if not isinstance(message, dict):
        return NO_MESSAGE
    if measured and _too_large(message):
        return TOO_LARGE
    named = message.get("type")
    parser = _PARSERS.get(named if isinstance(named, str) else kind or "")
    if parser is None:
        return NO_MESSAGE
    said = message.get("timestamp") or message.get("originalTimestamp")
    happened = occurred(said, message.get("sentAt") or envelope.get("sentAt"), received)
    if isinstance(happened, Refusal):
        return happened
    return parser(message, happened, protocol)


def _too_large(message: Mapping[str, Any]) -> bool:
    try:
        return len(orjson.dumps(message)) > MOST_MESSAGE
    except orjson.JSONEncodeError:  # nested beyond measure
        return True


def _track(message: Mapping[str, Any], at: float, protocol: str) -> Item:
    name = text(message.get("event"))
    return (
        NAMELESS if name is None else _event(message, at, protocol, name, mapping(message.get("properties")))
    )


def _page(message: Mapping[str, Any], at: float, protocol: str) -> Item:
    properties = mapping(message.get("properties"))
    more = {name: value for name in ("name", "category") if (value := text(message.get(name)))}
    return _event(message, at, protocol, "page", {**more, **properties} if more else properties)


def _group(message: Mapping[str, Any], at: float, protocol: str) -> Item:
    properties = {"groupId": message.get("groupId"), "traits": mapping(message.get("traits"))}
    return _event(message, at, protocol, "group", properties)


def _event(
    message: Mapping[str, Any], at: float, protocol: str, name: str, properties: Mapping[str, Any]
) -> Item:
    anonymous, user = text(message.get("anonymousId")), text(message.get("userId"))
    visitor = anonymous or user
    if visitor is None:
        return NOBODY
    return CollectedEvent(
        id=_id(message, protocol),
        name=name,
        visitor=visitor,
        at=at,
        user=user,
        properties=properties or None,
        around=_around(mapping(message.get("context")), properties),
    )


def _identify(message: Mapping[str, Any], at: float, protocol: str) -> Item:
    anonymous, user = text(message.get("anonymousId")), text(message.get("userId"))
    visitor = anonymous or user
    if visitor is None:
        return NOBODY
    context = mapping(message.get("context"))
    traits = mapping(message.get("traits")) or mapping(context.get("traits"))
    return Identification(visitor, user, traits, _around(context, NONE))


def _alias(message: Mapping[str, Any], at: float, protocol: str) -> Item:
    previous = text(message.get("previousId")) or text(message.get("anonymousId"))
    user = text(message.get("userId"))
    return NO_ALIAS if previous is None or user is None else Alias(previous, user)


_PARSERS: Mapping[str, Callable[[Mapping[str, Any], float, str], Item]] = {
    "track": _track, "page": _page, "screen": _page, "group": _group, "identify": _identify, "alias": _alias,
}  # fmt: skip


def _id(message: Mapping[str, Any], protocol: str) -> str:
    given = text(message.get("messageId"))
    if given is not None:
        return ids.derived(protocol, given)
    if not message.get("timestamp") and not message.get("originalTimestamp"):
        return ids.made()
    return ids.of_content(protocol, {name: value for name, value in message.items() if name != "sentAt"})


def _around(context: Mapping[str, Any], properties: Mapping[str, Any]) -> Circumstances:
    page = mapping(context.get("page"))
    return Circumstances(
        url=text(page.get("url")) or text(properties.get("url")) or text(page.get("path")),
        referrer=text(page.get("referrer")) or text(properties.get("referrer")),
        campaign=_campaign(mapping(context.get("campaign"))),
        locale=text(context.get("locale")),
        user_agent=text(context.get("userAgent")),
        ip=text(context.get("ip")),
        consent=consents.of_context(context.get("consent")),
    )


def _campaign(given: Mapping[str, Any]) -> Mapping[str, str]:
    """Only texts, as the parameters of an address would be; the name is `campaign` there."""
    found = {
        str(name)[:40]: value[:200] for name, value in list(given.items())[:20] if isinstance(value, str)
    }
    if "name" in found:
        found["campaign"] = found.pop("name")
    return found
