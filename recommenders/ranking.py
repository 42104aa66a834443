"""From scores to an order that is the same everywhere."""

import numpy as np
from numpy.typing import NDArray


def top(scores: NDArray[np.floating], k: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
    """The rows of the `k` best scores, best first; equal ones in row order, NaN after all others.

    `allowed` is a mask over the rows. The answer is that of a stable sort of everything, at the price
    of a partition.
    """
    if allowed is None:
        return _cheapest(-scores, max(k, 0))
    rows = np.flatnonzero(allowed)
    chosen: NDArray[np.intp] = rows[_cheapest(-scores[rows], max(k, 0))]
    return chosen


def at_least(scores: NDArray[np.floating], k: int, slack: float) -> NDArray[np.intp]:
    """The rows, ascending, of which a score may be among the `k` best if each may be wrong by half the slack.

    All rows where a score is NaN.
    """
    if k >= len(scores) or np.isnan(scores).any():
        return np.arange(len(scores))
    cut = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= cut - slack)


def diversify(
    rows: NDArray[np.integer],
    scores: NDArray[np.floating],
    similarities: NDArray[np.floating],
    k: int,
    diversity: float,
) -> list[int]:
    """Maximal marginal relevance (Carbonell and Goldstein, 1998): `k` of the rows, each the best there
    is after a penalty for its likeness to the most similar one before it.

    `scores` (n) and `similarities` (n, n) belong to `rows` (n), which come best first. `diversity` 0
    goes by score alone, 1 by difference alone; ties go to the earlier row.
    """
    merit = (1.0 - diversity) * _scaled(scores)
    likeness = diversity * similarities
    penalty = np.zeros(len(rows))
    chosen: list[int] = []
    for _ in range(min(k, len(rows))):
        best = int((merit - penalty).argmax())
        penalty = np.maximum(penalty, likeness[best]) if chosen else likeness[best]
        merit[best] = -np.inf
        chosen.append(best)
    return [int(rows[place]) for place in chosen]


def _cheapest(costs: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    if k == 0 or k >= len(costs):
        return np.argsort(costs, kind="stable")[:k]
    cut = np.partition(costs, k - 1)[k - 1]
    if np.isnan(cut):  # fewer than k are numbers; NaN equals nothing, so the comparisons below would fail
        return np.argsort(costs, kind="stable")[:k]
    below = np.flatnonzero(costs < cut)
    level = np.flatnonzero(costs == cut)[: k - len(below)]
    return np.concatenate([below[np.argsort(costs[below], kind="stable")], level])


def _scaled(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """To 0..1 with NaN as the worst, so that `diversity` means the same for every kind of score."""
    unknown = np.isnan(scores)
    known = scores[~unknown]
    if not len(known) or (low := known.min()) == (high := known.max()):
        return np.where(unknown, 0.0, 1.0)
    return np.where(unknown, 0.0, (scores - low) / (high - low))
