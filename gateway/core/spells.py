"""What happened within each half hour, and the sessions that follow from it.

Two events of one half hour belong to one session whatever lies between them, so a half hour is never cut
and never joined: sums of half hours can be merged in any order, and the newest can be kept. Sessions are
put together from them when they are read; a late event joins two by filling the gap.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest
from typing import NamedTuple, TypeAlias

from gateway.core.events import PAGE_VIEWS, Event
from gateway.core.sessions import GAP

HALF_HOUR = int(GAP * 1000)  # milliseconds; the width must be the gap that ends a session
KEPT = 24  # half hours: a dozen sessions or more, unless one of them lasts for hours
LONGEST_DWELL = 3600.0  # seconds that one event may tell of
PASSIVE = frozenset({"impression"})  # being shown something is not doing something

Stop: TypeAlias = tuple[int, str]  # milliseconds since the half hour began, page


class Spell(NamedTuple):
    """One half hour. Times in milliseconds since it began, dwell in milliseconds, scroll in per cent."""

    first: int
    last: int
    actions: int
    page_views: int
    product_views: int
    dwell: int
    scroll: int
    cart_adds: int
    purchases: int
    entry: Stop | None = None
    exit: Stop | None = None


Spells: TypeAlias = Mapping[int, Spell]  # by the half hour, counted from 1970


class Session(NamedTuple):
    """Times in seconds since 1970; `seconds` long, or as long as the pages were read, if that is more."""

    start: float
    end: float
    actions: int
    page_views: int
    product_views: int
    seconds: float
    scroll: float
    cart_adds: int
    purchases: int
    entry: str | None
    exit: str | None

    @property
    def bounced(self) -> bool:
        """One page was seen, and nothing else happened."""
        return self.actions == self.page_views == 1


def spell_of(event: Event, at: int, page: str | None) -> tuple[int, Spell]:
    """The half hour of an event at these milliseconds since 1970, and what the event adds to it."""
    half_hour, moment = divmod(at, HALF_HOUR)
    kind, value = event.type, event.value or 0.0
    stop = None if page is None else (moment, page)
    return half_hour, Spell(
        first=moment,
        last=moment,
        actions=int(kind not in PASSIVE),
        page_views=int(kind in PAGE_VIEWS),
        product_views=int(kind == "view" and event.block is not None),
        dwell=round(1000 * min(max(value, 0.0), LONGEST_DWELL)) if kind == "dwell" else 0,
        scroll=round(100 * min(max(value, 0.0), 1.0)) if kind == "scroll" else 0,
        cart_adds=int(kind == "add_to_cart"),
        purchases=int(kind == "purchase"),
        entry=stop,
        exit=stop,
    )


def joined(one: Spell, other: Spell) -> Spell:
    return Spell(
        min(one.first, other.first),
        max(one.last, other.last),
        one.actions + other.actions,
        one.page_views + other.page_views,
        one.product_views + other.product_views,
        one.dwell + other.dwell,
        max(one.scroll, other.scroll),
        one.cart_adds + other.cart_adds,
        one.purchases + other.purchases,
        min(one.entry, other.entry) if one.entry and other.entry else one.entry or other.entry,
        max(one.exit, other.exit) if one.exit and other.exit else one.exit or other.exit,
    )


def gathered(spells: Iterable[tuple[int, Spell]], before: Spells | None = None) -> Spells:
    """These beside those from before; the newest are kept."""
    found = dict(before or {})
    for half_hour, spell in spells:
        known = found.get(half_hour)
        found[half_hour] = spell if known is None else joined(known, spell)
    return (
        found if len(found) <= KEPT else {half_hour: found[half_hour] for half_hour in nlargest(KEPT, found)}
    )


def last_seen(spells: Spells) -> float | None:
    """When the newest event happened, in seconds since 1970."""
    if not spells:
        return None
    newest = max(spells)
    return _seconds(newest, spells[newest].last)


def sessions_of(spells: Spells) -> list[Session]:
    """The newest first. What happened in the oldest may have begun before what is kept."""
    return [_session(run) for run in _runs(spells)][::-1]


def _runs(spells: Spells) -> Iterator[list[tuple[int, Spell]]]:
    run: list[tuple[int, Spell]] = []
    for half_hour, spell in sorted(spells.items()):
        if run and _moment(half_hour, spell.first) - _moment(run[-1][0], run[-1][1].last) > HALF_HOUR:
            yield run
            run = []
        run.append((half_hour, spell))
    if run:
        yield run


def _session(run: list[tuple[int, Spell]]) -> Session:
    (began, first), (ended, last) = run[0], run[-1]
    start, end = _seconds(began, first.first), _seconds(ended, last.last)
    spells = [spell for _, spell in run]
    return Session(
        start=start,
        end=end,
        actions=sum(spell.actions for spell in spells),
        page_views=sum(spell.page_views for spell in spells),
        product_views=sum(spell.product_views for spell in spells),
        seconds=max(round(end - start, 3), sum(spell.dwell for spell in spells) / 1000),
        scroll=max(spell.scroll for spell in spells) / 100,
        cart_adds=sum(spell.cart_adds for spell in spells),
        purchases=sum(spell.purchases for spell in spells),
        entry=next((spell.entry[1] for spell in spells if spell.entry), None),
        exit=next((spell.exit[1] for spell in reversed(spells) if spell.exit), None),
    )


def _moment(half_hour: int, milliseconds: int) -> int:
    return half_hour * HALF_HOUR + milliseconds


def _seconds(half_hour: int, milliseconds: int) -> float:
    return _moment(half_hour, milliseconds) / 1000
