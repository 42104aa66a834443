"""What ranking a feed costs: 10,000 blocks, a visitor of 100 names, the 10 best of 50, diversified.

    python benchmarks/feed.py [BLOCKS]

Each step is timed against the plain way to do the same, in the same run: a dense matrix and a full
sort in numpy, dictionaries in pure Python. The content is made up: words as frequent as in a site's
copy without stop words (Zipf-Mandelbrot over 20,000), 60 words and 5 of 60 tags a block.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from recommenders.feature_index import FeatureIndex
from recommenders.features import FeatureSpace, Terms
from recommenders.interests import Interests, cosine, learned
from recommenders.ranking import diversify, top
from recommenders.scorers import Blend, Boost, Popularity, Query, Recency, Similarity

T = TypeVar("T")

NOW = 1_767_225_600.0
DAY = 86_400.0
TAGS, VOCABULARY, WORDS = 60, 20_000, 60
DENSE_BLOCKS = 20_000  # beyond, the dense baseline would not fit into memory


def main() -> None:
    height = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rng = np.random.default_rng(7)
    terms = made_up(height, rng)
    space, fitting = once(lambda: FeatureSpace.fit(terms))
    index, building = once(lambda: FeatureIndex.build(space, terms))
    print(f"{height:,} blocks, {len(index.vectors.columns) / height:.0f} names each")
    print(f"fit {fitting:.2f} s, build {building:.2f} s, {resident(index) / height:.0f} bytes a block\n")

    seen = rng.integers(0, height, 30).tolist()
    usual = (
        learned(Interests.empty(14 * DAY, NOW), [(index.row(i), 1.0, NOW) for i in seen]).pruned(100).unit()
    )
    query = {name: float(np.float32(weight)) for name, weight in usual.items()}
    scores = index.scores(query)
    best = top(scores, 50)
    likeness = index.similarities(best)

    print(f"{'microseconds, median':34}{'ours':>10}{'numpy':>12}{'Python':>12}")
    rows = [index.row(i) for i in range(height)] if height <= DENSE_BLOCKS else []
    report(
        "scores of all", lambda: index.scores(query), dense_scores(index, query), python_scores(rows, query)
    )
    report("top 50", lambda: top(scores, 50), lambda: np.argsort(-scores, kind="stable")[:50],
           lambda: sorted(range(height), key=lambda row: -scores[row])[:50])  # fmt: skip
    report("similarities of 50", lambda: index.similarities(best), None, python_similarities(index, best))
    report("diversify 50 to 10", lambda: diversify(best, scores[best], likeness, 10, 0.3))
    blend = every_part(index, rng)
    who = Query(dict(list(query.items())[:50]), query, NOW)
    report("blend of all five scorers", lambda: blend.score(who))
    everything = np.arange(height)
    report("the 50 best of the blend", lambda: blend.best(who, everything, 50))
    report("parts of one row", lambda: blend.parts(who, int(best[0])))

    row = dict(list(index.row(5).items())[:15])
    visitor = Interests(14 * DAY, NOW, query)
    report("learn 15 names into 100", lambda: visitor.learn(row, 0.3, NOW))
    report("learned: 100 such events", lambda: learned(visitor, [(row, 0.3, NOW)] * 100))
    report("unit of 100", visitor.unit)


def made_up(height: int, rng: np.random.Generator) -> list[Terms]:
    frequency = 1.0 / (np.arange(VOCABULARY) + 20.0)
    words = rng.choice(VOCABULARY, (height, WORDS), p=frequency / frequency.sum())
    tags = rng.integers(0, TAGS, (height, 5))
    vocabulary = [f"word{i}" for i in range(VOCABULARY)]
    return [
        Terms({f"tag{tag}": 1.0 for tag in own}, Counter(map(vocabulary.__getitem__, read)))
        for own, read in zip(tags.tolist(), words.tolist(), strict=True)
    ]


def every_part(index: FeatureIndex, rng: np.random.Generator) -> Blend:
    views = rng.integers(0, 1_000, len(index))
    return Blend(
        [
            Similarity(index, "now"),
            Similarity(index, "usual"),
            Popularity(views, rng.binomial(views, 0.05)),
            Recency(NOW - rng.random(len(index)) * 90 * DAY, 14 * DAY),
            Boost(np.zeros(len(index))),
        ]
    )


def dense_scores(index: FeatureIndex, query: dict[str, float]) -> Callable[[], object] | None:
    if len(index) > DENSE_BLOCKS:
        return None
    dense = np.zeros((len(index), len(index.vectors.names)), np.float32)
    dense[np.repeat(np.arange(len(index)), np.diff(index.vectors.starts)), index.vectors.columns] = (
        index.vectors.weights
    )

    def scores() -> object:
        wanted = np.zeros(len(index.vectors.names), np.float32)
        wanted[[index.number[name] for name in query]] = list(query.values())
        return dense @ wanted

    assert np.allclose(np.asarray(scores()), index.scores(query), atol=1e-5)
    return scores


def python_scores(rows: list[dict[str, float]], query: dict[str, float]) -> Callable[[], object] | None:
    return (lambda: [sum(v * row.get(n, 0.0) for n, v in query.items()) for row in rows]) if rows else None


def python_similarities(index: FeatureIndex, best: np.ndarray) -> Callable[[], object]:
    rows = [index.row(int(i)) for i in best]
    return lambda: [[cosine(a, b) for b in rows] for a in rows]


def resident(index: FeatureIndex) -> int:
    arrays = (index.vectors.starts, index.vectors.columns, index.vectors.weights,
              index.column_rows, index.column_weights)  # fmt: skip
    return sum(one.nbytes for one in arrays)


def report(what: str, *ways: Callable[[], object] | None) -> None:
    taken = [median(way) if way else None for way in ways]
    ours = taken[0] or 0.0
    others = "".join(f"{f'{other / ours:,.1f}x':>12}" if other else f"{'':12}" for other in taken[1:])
    print(f"{what:34}{ours * 1e6:>10,.1f}{others}")


def median(way: Callable[[], object], budget: float = 0.6) -> float:
    """Seconds: the median of as many runs as fit the budget, at least three."""
    taken = [once(way)[1] for _ in range(3)]
    while sum(taken) < budget and len(taken) < 2_000:
        taken.append(once(way)[1])
    return sorted(taken)[len(taken) // 2]


def once(way: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    value = way()
    return value, time.perf_counter() - started


if __name__ == "__main__":
    with threadpool_limits(1):  # as a gateway runs: one process, one core
        main()
