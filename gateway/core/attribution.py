"""Where visitors came from, and which of it their conversions are owed to.

What is kept is the newest of each, and the very first touch. Credit is given when it is asked for, so a
touch or a conversion that arrives late counts as if it had come in time.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from typing import Any, NamedTuple, TypeAlias

from gateway.core.context.pages import url_facts
from gateway.core.events import CONVERSIONS, Event
from gateway.core.spells import HALF_HOUR

TOUCHES = 10
CONVERTED = 10
LONGEST = 40  # characters of a source, a medium, a campaign


class Touch(NamedTuple):
    """`at` in milliseconds since 1970; texts are empty where nothing is known."""

    at: int
    source: str
    medium: str
    campaign: str


class Conversion(NamedTuple):
    at: int
    type: str
    value: float


Touches: TypeAlias = tuple[Touch, ...]
Conversions: TypeAlias = tuple[Conversion, ...]
Credited: TypeAlias = tuple[Conversion, Touch | None]


def touch_of(event: Event, at: int) -> Touch | None:
    """A campaign, else the site that led here; None for who came by themselves, or from another of our pages."""
    context = (event.properties or {}).get("context")
    if not isinstance(context, Mapping):
        return None
    url, referrer = _facts(context.get("url")), _facts(context.get("referrer"))
    campaign = context.get("campaign")
    if not isinstance(campaign, Mapping) or not campaign:
        campaign = url.get("utm", {})
    found = [_text(campaign.get(name)) for name in ("source", "medium", "campaign")]
    if any(found):
        return Touch(at, *found)
    host = referrer.get("host")
    return Touch(at, _text(host), "referral", "") if host and host != url.get("host") else None


def conversion_of(event: Event, at: int) -> Conversion | None:
    return Conversion(at, event.type, event.value or 0.0) if event.type in CONVERSIONS else None


def newest_touches(touches: Iterable[Touch]) -> Touches:
    """One of each half hour and origin, for every event of a landing page names it."""
    first: dict[tuple[int, str, str, str], Touch] = {}
    for touch in touches:
        key = touch.at // HALF_HOUR, touch.source, touch.medium, touch.campaign
        first[key] = min(first.get(key, touch), touch)
    return tuple(first[key] for key in nlargest(TOUCHES, first))[::-1]


def newest_conversions(conversions: Iterable[Conversion]) -> Conversions:
    return tuple(sorted(conversions)[-CONVERTED:])


def credited(
    conversions: Sequence[Conversion], touches: Touches, first: Touch | None, window: float
) -> list[Credited]:
    """Each conversion, the newest first, with the last touch in the `window` seconds before it."""
    there = sorted({*touches, *([first] if first else [])})
    return [(each, _last_before(each, there, touches, window)) for each in reversed(conversions)]


def _last_before(
    conversion: Conversion, there: Sequence[Touch], touches: Touches, window: float
) -> Touch | None:
    if len(touches) == TOUCHES and conversion.at < touches[0].at:
        return None  # the touches before it are kept no longer
    return next((touch for touch in reversed(there) if 0 <= conversion.at - touch.at <= window * 1000), None)


def _facts(url: Any) -> Mapping[str, Any]:
    return url_facts(url) if isinstance(url, str) else {}


def _text(value: Any) -> str:
    return value.strip()[:LONGEST] if isinstance(value, str) else ""
