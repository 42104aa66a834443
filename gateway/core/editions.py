"""What decisions are made from: a Catalogue, and what all visitors have done with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gateway.core.catalogue import Catalogue, CompiledPage, CompiledSlot, Rows
from gateway.core.dependence import HOUR
from gateway.core.memos import Memo, Memos
from gateway.core.profiles import Profile
from gateway.core.signals import Signals
from recommenders.ranking import diversify
from recommenders.scorers import Blend, Boost, Popularity, Query, Recency, Similarity

RECENCY = 30 * 86400.0  # half-life of being new, in seconds
POOL = 50  # candidates, besides those that are shown, among which a feed is diversified
DIVERSITY = 0.3


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

    @cached_property
    def _memos(self) -> Memos:
        return Memos()

    def memo(self, profile: Profile | None) -> Memo:
        """What was worked out from this edition for this state of the profile, or for all strangers."""
        return self._memos.of(profile)

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
        known = profile if profile is not None and profile.memory.usual.sums else None
        memo = self.memo(known)
        key = (name, length, at // HOUR, known is not None and known.active(at))
        kept: Order | None = memo.get(key)
        if kept is None:
            kept = memo.put(
                key, self._rank(rows, self.blend(weights), diversity, length, query_of(profile, at))
            )
        return kept

    def _rank(self, rows: Rows, blend: Blend, diversity: float | None, length: int, query: Query) -> Order:
        best, scores = blend.best(query, rows, length + POOL)
        share = DIVERSITY if diversity is None else diversity
        if not len(best):
            return ()
        places = np.arange(len(best))
        picked = diversify(places, scores, self.catalogue.index.similarities(best), length, share)
        return tuple(Ranked(int(best[place]), float(scores[place])) for place in picked)


def query_of(profile: Profile | None, at: float) -> Query:
    """What the score asks for: the same during an hour of one state of the profile."""
    hour = at // HOUR * HOUR
    if profile is None:
        return Query({}, {}, hour)
    memory = profile.memory
    return Query(memory.now.sums if profile.active(at) else {}, memory.usual.sums, hour)
