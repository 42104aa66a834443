"""Visits as intervals: events less than half an hour apart belong to one session.

A union of intervals does not care in which order, or how often, its parts arrive; so sessions come out
the same for late, repeated and shuffled events.
"""

from dataclasses import dataclass
from itertools import chain

GAP = 1800.0  # seconds without an event that end a session
KEPT = 50  # sessions kept apart, so that late events find theirs; older ones are only counted

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sessions:
    """`spans` are (first event, last event), ascending and more than GAP apart; `closed` counts the rest."""

    spans: tuple[Interval, ...] = ()
    closed: int = 0

    @classmethod
    def of(cls, at: float) -> "Sessions":
        return cls(((at, at),))

    @property
    def count(self) -> int:
        return self.closed + len(self.spans)

    def merge(self, other: "Sessions") -> "Sessions":
        if not other.spans and not other.closed:
            return self
        spans = _coalesce(sorted(chain(self.spans, other.spans)))
        surplus = max(0, len(spans) - KEPT)
        return Sessions(tuple(spans[surplus:]), self.closed + other.closed + surplus)


def _coalesce(ordered: list[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for start, end in ordered:
        if joined and start - joined[-1][1] <= GAP:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
