"""The best of many blocks, found by rating roughly first, are exactly the best."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recommenders.feature_index import MOST_DENSE, ROUGHNESS, FeatureIndex
from recommenders.features import FeatureSpace, Terms
from recommenders.ranking import at_least, top
from recommenders.scorers import Blend, Boost, Popularity, Query, Recency, Similarity

NOW, DAY, HEIGHT = 1_767_225_600.0, 86_400.0, 600
NAMES = [f"n{number}" for number in range(150)]


def made_up(seed: int) -> tuple[FeatureIndex, Blend]:
    """Blocks of few and of common names, many of them alike."""
    rng = np.random.default_rng(seed)
    kinds = [dict.fromkeys(rng.choice(NAMES, rng.integers(0, 45)).tolist(), 1.0) for _ in range(200)]
    terms = [Terms(kinds[kind], {}) for kind in rng.integers(0, 200, HEIGHT).tolist()]
    index = FeatureIndex.build(FeatureSpace.fit(terms), terms)
    views = rng.integers(0, 3, HEIGHT) * 100
    parts = [
        Similarity(index, "now"),
        Similarity(index, "usual"),
        Popularity(views, views // 10),
        Recency(NOW - rng.integers(0, 3, HEIGHT) * DAY, DAY),
        Boost((rng.random(HEIGHT) < 0.01).astype(float)),
    ]
    return index, Blend(parts)


INDEX, BLEND = made_up(7)
vectors = st.dictionaries(st.sampled_from([*NAMES, "unknown"]), st.floats(-1.0, 1.0, width=16), max_size=60)


def test_names_that_many_blocks_have_are_kept_densely():
    assert len(INDEX.dense) == MOST_DENSE


@settings(max_examples=150, deadline=None)
@given(vectors, vectors, st.integers(1, 80), st.sets(st.integers(0, HEIGHT - 1)))
def test_the_best_are_those_of_a_full_sort(now, usual, k, left_out):
    query = Query(now, usual, NOW)
    rows = np.array(sorted(set(range(HEIGHT)) - left_out), np.intp)
    found, scores = BLEND.best(query, rows, k)
    every = BLEND.score(query)
    expected = rows[top(every[rows], k)]
    assert found.tolist() == expected.tolist()
    assert scores.tolist() == every[expected].tolist()


@settings(max_examples=150, deadline=None)
@given(vectors)
def test_the_rough_scores_are_as_near_as_they_say(query):
    length = float(np.sqrt(sum(value * value for value in query.values())))
    off = np.abs(INDEX.rough(INDEX.located(query)) - INDEX.scores(query))
    assert off.max() <= ROUGHNESS * length


@given(vectors)
def test_the_scores_of_some_rows_are_those_of_all(query):
    rows = np.arange(3, HEIGHT, 7)
    some = INDEX.scores_of(INDEX.located(query), rows)
    assert some.tolist() == INDEX.scores(query)[rows].tolist()


def test_of_scores_that_are_no_numbers_none_is_left_out():
    scores = np.array([1.0, np.nan, 3.0])
    assert at_least(scores, 1, 0.0).tolist() == [0, 1, 2]
    assert at_least(np.array([1.0, 2.0, 3.0, 2.95]), 1, 0.1).tolist() == [2, 3]
