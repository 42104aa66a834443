"""How often each type of event happened: in all, and on each of the last days.

A day that is too old falls out by the newest event of its type. The types that are kept are the first of an
order that never changes: so it does not matter in which order events come.
"""

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import NamedTuple, TypeAlias

from gateway.core.events import CONVERSIONS, PAGE_VIEWS, WEIGHTS

DAY = 86_400_000  # milliseconds
DAYS = 31  # kept: today and the thirty before it, by UTC
TYPES = 32  # kept: those that come with Blockloom first, then by their names
KNOWN = frozenset({
    *WEIGHTS, *PAGE_VIEWS, *CONVERSIONS,
    "begin_checkout", "coupon", "login", "refund", "remove_from_cart", "view_cart",
})  # fmt: skip


class Tally(NamedTuple):
    total: int
    last: int  # milliseconds since 1970
    days: Mapping[int, int]  # by the day, counted from 1970

    def within(self, days: int, at: float) -> int:
        """How often on the day of `at` (seconds since 1970) and the `days` days before it."""
        since = int(at * 1000) // DAY - days
        return sum(count for day, count in self.days.items() if day >= since)


Tallies: TypeAlias = Mapping[str, Tally]  # by the type of events


def tally_of(at: int) -> Tally:
    return Tally(1, at, {at // DAY: 1})


def added(one: Tally, other: Tally) -> Tally:
    last = max(one.last, other.last)
    days = dict(one.days)
    for day, count in other.days.items():
        days[day] = days.get(day, 0) + count
    oldest = last // DAY - DAYS
    return Tally(one.total + other.total, last, {day: count for day, count in days.items() if day > oldest})


def counted(tallies: Iterable[tuple[str, Tally]], before: Tallies | None = None) -> Tallies:
    """These beside those from before.

    A type keeps its place although nothing of it happened for long, or who came late would find another
    table than who came early.
    """
    found = dict(before or {})
    for kind, tally in tallies:
        known = found.get(kind)
        found[kind] = tally if known is None else added(known, tally)
    return (
        found if len(found) <= TYPES else {kind: found[kind] for kind in nsmallest(TYPES, found, key=_place)}
    )


def _place(kind: str) -> tuple[bool, str]:
    return kind not in KNOWN, kind
