"""What decisions are made from: a Catalogue, and what all visitors have done with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gateway.core.catalogue import Catalogue, Rows
from gateway.core.profiles import Profile
from gateway.core.signals import Signals
from recommenders.ranking import diversify, top
from recommenders.scorers import Blend, Boost, Popularity, Query, Recency, Similarity

HOUR = 3600.0  # recency moves slowly: within an hour an order stands
RECENCY = 30 * 86400.0  # half-life of being new, in seconds
POOL = 50  # candidates, besides those that are shown, among which a feed is diversified
DIVERSITY = 0.3
ORDERS_KEPT = 256


class Ranked(NamedTuple):
    row: int
    score: float


Order = tuple[Ranked, ...]


@dataclass(frozen=True, eq=False)
class Edition:
    """Immutable; the same edition, profile state and context always give the same page."""

    catalogue: Catalogue
    signals: Signals

    @property
    def revision(self) -> str:
        return f"{self.catalogue.revision}.{self.signals.version}"

    @cached_property
    def _parts(self) -> tuple[Any, ...]:
        blocks = self.catalogue.blocks
        shown, won = self.signals.columns([block.key for block in blocks])
        published = np.array([block.published or np.nan for block in blocks], float)
        boosts = np.array([block.boost for block in blocks], float)
        return (
            Similarity(self.catalogue.index, "now"),
            Similarity(self.catalogue.index, "usual"),
            Popularity(shown, won),
            Recency(published, RECENCY),
            Boost(boosts),
        )

    @cached_property
    def _blends(self) -> dict[tuple[tuple[str, float], ...], Blend]:
        return {}

    @cached_property
    def orders(self) -> dict[Any, Order]:
        """Orders for visitors about whom nothing is known."""
        return {}

    def blend(self, weights: Mapping[str, float]) -> Blend:
        name = tuple(sorted(weights.items()))
        if name not in self._blends:
            self._blends[name] = Blend(self._parts, weights)
        return self._blends[name]

    def order(
        self,
        name: object,
        rows: Rows,
        weights: Mapping[str, float],
        diversity: float | None,
        length: int,
        profile: Profile | None,
        at: float,
    ) -> Order:
        """The best of `rows`, diversified, kept for this state of the profile (or for all strangers)."""
        hour = at // HOUR
        learned = profile is not None and bool(profile.usual)
        kept = profile.orders if profile is not None and learned else self.orders
        active = profile is not None and learned and profile.active(at)
        key = (self.revision, name, length, hour, active)
        if key not in kept:
            if len(kept) >= ORDERS_KEPT:
                kept.clear()
            query = query_of(profile, hour * HOUR, active)
            kept[key] = self._rank(rows, self.blend(weights), diversity, length, query)
        return kept[key]

    def _rank(self, rows: Rows, blend: Blend, diversity: float | None, length: int, query: Query) -> Order:
        scores = blend.score(query)
        best = rows[top(scores[rows], length + POOL)]
        share = DIVERSITY if diversity is None else diversity
        if not len(best):
            return ()
        picked = diversify(best, scores[best], self.catalogue.index.similarities(best), length, share)
        return tuple(Ranked(row, float(scores[row])) for row in picked)


def query_of(profile: Profile | None, at: float, active: bool) -> Query:
    if profile is None:
        return Query({}, {}, at)
    return Query(profile.now if active else {}, profile.usual, at)
