"""What decisions are made from: a Catalogue, and what all visitors have done with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from gateway.core.catalogue import Catalogue, CompiledPage, CompiledSlot, Rows
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
    # Tells editions of one revision apart: unpublished drafts go under the revision they are laid over.
    stamp: int = field(default_factory=count().__next__)

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

    def warm(self, at: float) -> "Edition":
        """Work out now, off the event loop, what the first visitors would wait for."""
        for page in self.catalogue.pages.values():
            for slot in page.slots:
                if not slot.fixed:
                    self.feed(page, slot, None, at)
        return self

    def feed(self, page: CompiledPage, slot: CompiledSlot, profile: Profile | None, at: float) -> Order:
        """A feed's order, long enough that what other slots have taken can be left out."""
        name = page.slug, slot.name, slot.slot.where
        return self.order(name, slot.rows, slot.slot.weights, slot.slot.diversity, page.capacity, profile, at)

    def memo(self, profile: Profile) -> dict[Any, Any]:
        """What was worked out for this state of the profile from this edition; from another it is dropped."""
        memo = profile.memo
        if memo.get("edition") != self.stamp or len(memo) > ORDERS_KEPT:
            memo.clear()
            memo["edition"] = self.stamp
        return memo

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
        learned = profile is not None and bool(profile.usual)
        kept = self.memo(profile) if profile is not None and learned else self.orders
        key = (name, length, at // HOUR, learned and profile is not None and profile.active(at))
        if key not in kept:
            if len(self.orders) > ORDERS_KEPT:
                self.orders.clear()
            kept[key] = self._rank(rows, self.blend(weights), diversity, length, query_of(profile, at))
        order: Order = kept[key]
        return order

    def _rank(self, rows: Rows, blend: Blend, diversity: float | None, length: int, query: Query) -> Order:
        scores = blend.score(query)
        best = rows[top(scores[rows], length + POOL)]
        share = DIVERSITY if diversity is None else diversity
        if not len(best):
            return ()
        picked = diversify(best, scores[best], self.catalogue.index.similarities(best), length, share)
        return tuple(Ranked(row, float(scores[row])) for row in picked)


def query_of(profile: Profile | None, at: float) -> Query:
    """What the score asks for: the same during an hour of one state of the profile."""
    hour = at // HOUR * HOUR
    if profile is None:
        return Query({}, {}, hour)
    return Query(profile.now if profile.active(at) else {}, profile.usual, hour)
