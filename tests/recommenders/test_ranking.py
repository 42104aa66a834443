import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommenders.ranking import diversify, top

few_values = st.sampled_from([0.0, -0.0, 0.5, 1.0, -1.0, math.inf, -math.inf, math.nan])
score_lists = st.lists(few_values | st.floats(), max_size=60)


def by_rank(scores):
    return lambda row: (1, 0.0, row) if math.isnan(scores[row]) else (0, -scores[row], row)


@given(score_lists, st.integers(-1, 70))
def test_top_is_the_beginning_of_a_stable_sort_of_everything(scores, k):
    rows = sorted(range(len(scores)), key=by_rank(scores))
    assert top(np.array(scores, float), k).tolist() == rows[: max(k, 0)]


@given(st.lists(st.tuples(few_values, st.booleans()), max_size=60), st.integers(0, 70))
def test_top_takes_only_what_is_allowed(pairs, k):
    scores, allowed = [score for score, _ in pairs], [may for _, may in pairs]
    expected = [row for row in sorted(range(len(scores)), key=by_rank(scores)) if allowed[row]][:k]
    assert top(np.array(scores, float), k, np.array(allowed, bool)).tolist() == expected


def test_ties_at_the_cut_go_to_the_first_rows_of_a_large_catalogue():
    scores = np.zeros(10_000)
    scores[[9_000, 7]] = 1.0
    assert top(scores, 5).tolist() == [7, 9_000, 0, 1, 2]


ROWS = np.array([40, 10, 30, 20])
SCORES = np.array([1.0, 0.9, 0.5, 0.0])
TWINS = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], float)  # 40 and 10 are alike


@pytest.mark.parametrize(
    ("diversity", "expected"), [(0.0, [40, 10, 30, 20]), (0.4, [40, 30, 10, 20]), (1.0, [40, 30, 20, 10])]
)
def test_more_diversity_moves_a_twin_further_down(diversity, expected):
    assert diversify(ROWS, SCORES, TWINS, 4, diversity) == expected


def test_diversity_means_the_same_on_any_scale_of_scores():
    assert diversify(ROWS, SCORES * 1e6 - 5, TWINS, 3, 0.4) == diversify(ROWS, SCORES, TWINS, 3, 0.4)


def test_equal_scores_keep_their_order_where_nothing_is_alike():
    assert diversify(ROWS, np.full(4, 0.3), np.eye(4), 3, 0.5) == [40, 10, 30]


def test_a_row_without_a_score_counts_as_the_worst():
    scores = np.array([1.0, 0.5, 0.2, math.nan])
    assert diversify(ROWS, scores, np.eye(4), 4, 0.1) == [40, 10, 30, 20]
    assert diversify(ROWS, np.full(4, math.nan), np.eye(4), 2, 0.1) == [40, 10]


def test_nothing_diversified_is_nothing():
    none = np.zeros(0)
    assert diversify(none.astype(int), none, np.zeros((0, 0)), 5, 0.5) == []
    assert diversify(ROWS, SCORES, TWINS, 0, 0.5) == []


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.integers(0, 25), st.floats(0, 1), st.randoms())
def test_a_diversified_feed_repeats_nothing_and_begins_with_the_best(scores, k, diversity, rng):
    ranked = np.array(sorted(scores, reverse=True))
    vectors = np.array([[rng.random(), rng.random()] for _ in scores])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12
    chosen = diversify(np.arange(len(scores)), ranked, vectors @ vectors.T, k, diversity)
    assert len(chosen) == len(set(chosen)) == min(k, len(scores))
    assert chosen[:1] == [0][: len(chosen)]
