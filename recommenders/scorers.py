"""What speaks for a block: scorers that rate every row of a catalogue, and their weighted sum."""

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from recommenders.feature_index import ROUGHNESS, FeatureIndex
from recommenders.ranking import at_least, top

Rows = NDArray[np.intp]
Scores = NDArray[np.float64]

# What a visitor does now says more than what they usually do, and both say more than what others like;
# but popularity and recency alone decide for somebody unknown, and between equal blocks. An editor's
# boost is on the scale of the whole score, so it counts in full.
DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"now": 0.5, "usual": 0.3, "popularity": 0.15, "recency": 0.05, "boost": 1.0}
)


@dataclass(frozen=True, slots=True)
class Query:
    """Whom the blocks are rated for. Of the vectors by name only the direction counts; they may be empty."""

    now_vector: Mapping[str, float]
    usual_vector: Mapping[str, float]
    at: float  # epoch seconds


class Scorer(Protocol):
    """Rates all rows at once: one finite number each, the same for the same query."""

    @property
    def name(self) -> str: ...

    def score(self, query: Query) -> Scores: ...


class Similarity:
    """The cosine (-1..1) of each block with what the visitor wants `now`, or with the `usual`."""

    def __init__(self, index: FeatureIndex, name: Literal["now", "usual"]) -> None:
        self.name = name
        self.index = index

    def vector(self, query: Query) -> Mapping[str, float]:
        return query.now_vector if self.name == "now" else query.usual_vector

    def score(self, query: Query) -> Scores:
        vector = self.vector(query)
        return self.index.scores(vector) / (math.hypot(*vector.values()) or 1.0)

    def score_of(self, query: Query, rows: Rows) -> Scores:
        """Those of these rows."""
        vector = self.vector(query)
        near = self.index.scores_of(self.index.located(vector), rows)
        return near / (math.hypot(*vector.values()) or 1.0)


class Popularity:
    """The rate of clicks per view, 1 for the best block of all.

    Each block starts with `prior_strength` views at the average rate (the mean of a beta posterior),
    so a single lucky click does not lead, and a block without views stands in the middle.
    """

    name = "popularity"

    def __init__(
        self, views: NDArray[np.number], clicks: NDArray[np.number], prior_strength: float = 50.0
    ) -> None:
        average = clicks.sum() / max(views.sum(), 1)
        rates = (clicks + prior_strength * average) / (views + prior_strength)
        self._scores = _frozen(rates / (rates.max(initial=0.0) or 1.0))

    def score(self, query: Query) -> Scores:
        return self._scores


class Recency:
    """Halves with every `half_life` seconds since publication; 1 at that moment and before it, 0 for
    a block with no such time (NaN in `published`, epoch seconds)."""

    name = "recency"

    def __init__(self, published: NDArray[np.float64], half_life: float) -> None:
        self._published = np.where(np.isnan(published), -np.inf, published)
        self._half_life = half_life

    def score(self, query: Query) -> Scores:
        half_lives = (self._published - query.at) / self._half_life
        return np.exp2(np.minimum(half_lives, 0.0))


class Boost:
    """The editor's thumb on the scale, as it is."""

    name = "boost"

    def __init__(self, boosts: NDArray[np.float64]) -> None:
        self._boosts = _frozen(boosts.copy())

    def score(self, query: Query) -> Scores:
        return self._boosts


TINY = 1e-12  # what is smaller than float32 can say is lost whole


class Blend:
    """The weighted sum of scorers; the weights given replace those of `DEFAULT_WEIGHTS`."""

    name = "blend"

    def __init__(self, scorers: Sequence[Scorer], weights: Mapping[str, float] = DEFAULT_WEIGHTS) -> None:
        names = [scorer.name for scorer in scorers]
        if not scorers:
            raise ValueError("a blend needs at least one scorer")
        if unknown := sorted(weights.keys() - DEFAULT_WEIGHTS.keys() - set(names)):
            raise ValueError(f"no part of the score is called {', '.join(unknown)}; use {', '.join(names)}")
        chosen = {**DEFAULT_WEIGHTS, **weights}
        counted = [(scorer, chosen.get(scorer.name, 0.0)) for scorer in scorers]
        self._weighted = [pair for pair in counted if pair[1]] or counted[:1]  # one at least tells the length
        self._near = [(one, weight) for one, weight in self._weighted if isinstance(one, Similarity)]
        self._kept: tuple[float, Scores] | None = None
        self._rest = [(one, weight) for one, weight in self._weighted if not isinstance(one, Similarity)]

    def score(self, query: Query) -> Scores:
        """Similarities are linear: those to several vectors cost one look at the index, by their sum."""
        near = [index.scores(vector) for index, vector in self._nearness(query)]
        return reduce(operator.add, near, self._others(query))

    def best(self, query: Query, rows: Rows, k: int) -> tuple[Rows, Scores]:
        """The `k` best of these rows (ascending), best first, and their scores.

        It is what `top` makes of `score`: all rows are rated roughly, and exactly those that the roughness
        leaves in question.
        """
        near = [(index, index.located(vector)) for index, vector in self._nearness(query)]
        others = self._others(query)
        rough = reduce(operator.add, [index.rough(vector) for index, vector in near], others)[rows]
        length = sum(float(np.sqrt((vector.weights**2).sum())) for _, vector in near)
        found: Rows = rows[at_least(rough, k, 2.0 * ROUGHNESS * length + TINY)]
        scores = reduce(
            operator.add, [index.scores_of(vector, found) for index, vector in near], others[found]
        )
        order = top(scores, k)
        return found[order], scores[order]

    def _nearness(self, query: Query) -> list[tuple[FeatureIndex, Mapping[str, float]]]:
        """For each index the one vector to compare its rows with."""
        return [
            (
                index,
                _summed([(one.vector(query), weight) for one, weight in self._near if one.index is index]),
            )
            for index in {id(one.index): one.index for one, _ in self._near}.values()
        ]

    def _others(self, query: Query) -> Scores:
        """All that does not depend on the vectors; kept for the moment that was asked for last."""
        if self._kept is None or self._kept[0] != query.at:
            scores = [scorer.score(query) * weight for scorer, weight in self._rest]
            if self._near:
                scores.append(np.zeros(len(self._near[0][0].index)))
            self._kept = query.at, _frozen(reduce(operator.add, scores))
        return self._kept[1]

    def parts(self, query: Query, row: int) -> dict[str, float]:
        """What each scorer added to the score of one row."""
        return self.parts_of(query, np.array([row]))[0]

    def parts_of(self, query: Query, rows: Rows) -> list[dict[str, float]]:
        """The same of each of these rows."""
        names = [scorer.name for scorer, _ in self._weighted]
        added = [_scores_of(scorer, query, rows) * weight for scorer, weight in self._weighted]
        return [dict(zip(names, parts, strict=True)) for parts in np.stack(added, axis=1).tolist()]


def _scores_of(scorer: Scorer, query: Query, rows: Rows) -> Scores:
    return scorer.score_of(query, rows) if isinstance(scorer, Similarity) else scorer.score(query)[rows]


def _summed(vectors: Sequence[tuple[Mapping[str, float], float]]) -> Mapping[str, float]:
    """The sum of the vectors' directions, by their weights."""
    total: dict[str, float] = {}
    for vector, weight in vectors:
        share = weight / (math.hypot(*vector.values()) or 1.0)
        if not total:
            total = {name: share * value for name, value in vector.items()}
        else:
            for name, value in vector.items():
                total[name] = total.get(name, 0.0) + share * value
    return total


def _frozen(scores: Scores) -> Scores:
    """Handed out again and again, so nobody may write to it."""
    scores.flags.writeable = False
    return scores
