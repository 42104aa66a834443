"""How a visitor behaves: sessions, frequencies, the way through the pages, orders, and where they came from.

A commutative monoid like the memory that it is a part of, and in constant space. Each part keeps the
largest, or the smallest, of an order that no merge changes; so what is dropped early would be dropped late
as well, and any order, grouping and lateness of events gives the same. Times are whole milliseconds and
durations whole numbers, so that sums are exact; amounts of money alone are not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any, NamedTuple, TypeAlias

from gateway.core.attribution import (
    Conversion,
    Conversions,
    Touch,
    Touches,
    conversion_of,
    newest_conversions,
    newest_touches,
    touch_of,
)
from gateway.core.context.pages import url_facts
from gateway.core.events import PAGE_VIEWS, Event
from gateway.core.spells import Spell, Spells, gathered, spell_of
from gateway.core.tallies import DAY, Tallies, Tally, counted, tally_of

PATH = 20  # pages
LONGEST_PAGE = 64  # characters

PageVisit: TypeAlias = tuple[int, str]  # milliseconds since 1970, page


class Orders(NamedTuple):
    """`last_at` in milliseconds since 1970; `last` is what that order came to."""

    number: int = 0
    total: float = 0.0
    last_at: int = 0
    last: float = 0.0


NO_ORDERS = Orders()


@dataclass(frozen=True, slots=True)
class Behaviour:
    spells: Spells = field(default_factory=dict)
    tallies: Tallies = field(default_factory=dict)
    path: tuple[PageVisit, ...] = ()  # ascending
    touches: Touches = ()  # ascending
    first_touch: Touch | None = None
    conversions: Conversions = ()  # ascending
    orders: Orders = NO_ORDERS

    def merge(self, other: "Behaviour") -> "Behaviour":
        if not other.spells:  # whatever happened, happened in some half hour
            return self
        if not self.spells:
            return other
        return Behaviour(
            spells=gathered(other.spells.items(), self.spells),
            tallies=counted(other.tallies.items(), self.tallies),
            path=_newest_pages(self.path + other.path) if other.path else self.path,
            touches=newest_touches(self.touches + other.touches) if other.touches else self.touches,
            first_touch=_first(self.first_touch, other.first_touch),
            conversions=newest_conversions(self.conversions + other.conversions),
            orders=_ordered(self.orders, other.orders) if other.orders.number else self.orders,
        )


def behaviour_of(events: Iterable[Event]) -> Behaviour:
    """What these events of one visitor show."""
    spells: list[tuple[int, Spell]] = []
    tallies: list[tuple[str, Tally]] = []
    path: list[PageVisit] = []
    touches: list[Touch] = []
    conversions: list[Conversion] = []
    orders = NO_ORDERS
    for event in events:
        at = round(event.at * 1000)
        page = page_of(event)
        spells.append(spell_of(event, at, page))
        tallies.append((event.type, tally_of(at)))
        if page is not None:
            path.append((at, page))
        if touch := touch_of(event, at):
            touches.append(touch)
        if conversion := conversion_of(event, at):
            conversions.append(conversion)
        if event.type == "purchase":
            orders = _ordered(orders, Orders(1, event.value or 0.0, at, event.value or 0.0))
    return Behaviour(
        spells=gathered(spells),
        tallies=counted(tallies),
        path=_newest_pages(path),
        touches=newest_touches(touches),
        first_touch=min(touches, default=None),
        conversions=newest_conversions(conversions),
        orders=orders,
    )


def page_of(event: Event) -> str | None:
    """The page that an event opened: its name, or the path of its address.

    A look at a block of a page does not open the page.
    """
    if event.type not in PAGE_VIEWS or (event.type == "view" and event.block is not None):
        return None
    page = event.page or _address(event)
    if page is None or "://" not in page:
        return page[:LONGEST_PAGE] if page else None
    path: str | None = url_facts(page).get("path")
    return path[:LONGEST_PAGE] if path else None


def _address(event: Event) -> str | None:
    context = (event.properties or {}).get("context")
    url = context.get("url") if isinstance(context, Mapping) else None
    return url if isinstance(url, str) else None


def _newest_pages(path: Iterable[PageVisit]) -> tuple[PageVisit, ...]:
    return tuple(sorted(path)[-PATH:])


def _ordered(one: Orders, other: Orders) -> Orders:
    last_at, last = max((one.last_at, one.last), (other.last_at, other.last))
    return Orders(one.number + other.number, one.total + other.total, last_at, last)


def _first(one: Touch | None, other: Touch | None) -> Touch | None:
    return min(filter(None, (one, other)), default=None)


def to_json(behaviour: Behaviour) -> Mapping[str, Any]:
    """Lists in place of names, and without what is empty."""
    found: dict[str, Any] = {
        "spells": [[half_hour, *spell] for half_hour, spell in behaviour.spells.items()],
        "tallies": {kind: _listed(tally) for kind, tally in behaviour.tallies.items()},
        "path": behaviour.path,
        "touches": list(map(list, behaviour.touches)),
        "first": list(behaviour.first_touch or ()),
        "conversions": list(map(list, behaviour.conversions)),
        "orders": list(behaviour.orders) if behaviour.orders.number else None,
    }
    return {name: value for name, value in found.items() if value}


def from_json(found: Mapping[str, Any]) -> Behaviour:
    return Behaviour(
        spells={half_hour: _spell(*told) for half_hour, *told in found.get("spells", ())},
        tallies={intern(kind): _tally(*told) for kind, told in found.get("tallies", {}).items()},
        path=tuple((at, page) for at, page in found.get("path", ())),
        touches=tuple(Touch(*touch) for touch in found.get("touches", ())),
        first_touch=Touch(*found["first"]) if "first" in found else None,
        conversions=tuple(Conversion(*each) for each in found.get("conversions", ())),
        orders=Orders(*found.get("orders", ())),
    )


def _listed(tally: Tally) -> list[int]:
    """Total, last, and for each day how long before the last it was, and its count."""
    today = tally.last // DAY
    days = [number for day, count in tally.days.items() for number in (today - day, count)]
    return [tally.total, tally.last, *days]


def _tally(total: int, last: int, *days: int) -> Tally:
    today = last // DAY
    return Tally(total, last, {today - age: count for age, count in zip(days[::2], days[1::2], strict=True)})


def _spell(*told: Any) -> Spell:
    *numbers, entry, last = told
    return Spell._make([*numbers, entry and tuple(entry), last and tuple(last)])
