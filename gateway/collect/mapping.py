"""From what was collected to the events that are kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.collect.collected import Circumstances, CollectedEvent
from gateway.collect.fields import at, first_number, first_text, text
from gateway.collect.names import UNNAMED, Meaning, Names, meaning_of
from gateway.core.context.pages import url_facts
from gateway.core.events import Event, Refusal, event_problem, timely

MOST_EACH = 50  # items of a list that become events of their own
LONGEST_PAGE = 2000
_SCREENS = (("name",), ("screen_name",), ("page_title",))


def events_of(found: CollectedEvent, names: Names, received: float) -> Sequence[Event] | Refusal:
    """One event, or one for each listed item where its name means that."""
    moment = timely(found.at, received)
    if isinstance(moment, Refusal):
        return moment
    meaning = Meaning(found.name) if found.ours else meaning_of(found.name, names)
    event = _event(found, meaning, moment, found.properties or {})
    refusal = event_problem(event)
    if refusal is not None:
        return refusal
    items = _items(found, meaning)
    if not items:
        return (event,)
    return [
        Event(f"{event.id}.{place}", event.type, event.visitor, moment, block, page=event.page)
        for place, block in enumerate(items)
    ]


def _event(found: CollectedEvent, meaning: Meaning, moment: float, properties: Mapping[str, Any]) -> Event:
    own = text(properties.get("block"))
    value = found.value
    if value is None and meaning.value:
        value = first_number(properties, meaning.value)
        value = None if value is None else value * meaning.scale
    return Event(
        id=found.id,
        type=meaning.type,
        visitor=found.visitor,
        at=moment,
        block=found.block or first_text(properties, meaning.block),
        # A product's variant is its colour; beside a block it is ours.
        variant=found.variant or (text(properties.get("variant")) if own else None),
        decision=found.decision or (text(properties.get("decision")) if own else None),
        page=found.page or _page(found.around) or _screen(meaning, properties),
        value=value,
        properties=_properties(found, meaning),
    )


def _items(found: CollectedEvent, meaning: Meaning) -> Sequence[str]:
    """The blocks of a list whose items count each."""
    for steps in meaning.each:
        listed = at(found.properties, steps)
        if isinstance(listed, list):
            blocks = (first_text(item, meaning.block) for item in listed[:MOST_EACH])
            return [block for block in blocks if block is not None and _usable(block)]
    return ()


def _usable(block: str) -> bool:
    return len(block) <= 200 and block.isprintable()


def _page(around: Circumstances) -> str | None:
    """The path of the page: what stands behind it may be anybody's secret."""
    if around.url is None:
        return None
    page: str | None = url_facts(around.url).get("path")
    return page[:LONGEST_PAGE] if page and page.isprintable() else None


def _screen(meaning: Meaning, properties: Mapping[str, Any]) -> str | None:
    """Apps have no addresses; their screens have names."""
    name = first_text(properties, _SCREENS) if meaning.type == "page_view" else None
    return name if name and len(name) <= LONGEST_PAGE and name.isprintable() else None


def _properties(found: CollectedEvent, meaning: Meaning) -> Mapping[str, Any] | None:
    """The sender's, and under `context` what attribution needs of the circumstances. No address, no user agent."""
    properties = found.properties or {}
    more: dict[str, Any] = {}
    if "context" not in properties:
        context = _context(found.around)
        if context:
            more["context"] = context
    if meaning.type == UNNAMED and "event" not in properties:
        more["event"] = found.name
    return {**properties, **more} if more else found.properties


def _bare(url: str | None) -> str | None:
    """Without its parameters: of those only the campaign is kept."""
    return url.partition("?")[0].partition("#")[0][:LONGEST_PAGE] if url else None


def _context(around: Circumstances) -> Mapping[str, Any]:
    kept = {
        "url": _bare(around.url),
        "referrer": _bare(around.referrer),
        "campaign": around.campaign or (url_facts(around.url).get("utm") if around.url else None),
        "locale": around.locale,
    }
    return {name: value for name, value in kept.items() if value}
