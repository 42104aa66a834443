"""Which share of all visitors somebody is ahead of: engagement beside that of a sample.

The sample is of those whose ids have the smallest hashes (bottom-k). A visitor who is pushed out never
comes back, for the largest hash in it only falls; so whoever is in it is counted from the first event on.
All engagement fades with one half-life, so who is ahead stays ahead while nothing happens: what is kept is
the logarithm of a sum under forward decay, which holds at any moment.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from heapq import nsmallest
from typing import TypeAlias

from gateway.core.events import Event
from recommenders.interests import Interests

SAMPLE = 512  # visitors: a share is right within 4 of a hundred, nearly always
POINTS = 100

Sample: TypeAlias = Mapping[str, float]  # by the hash of a visitor: log2 of the weights under forward decay
Quantiles: TypeAlias = tuple[float, ...]  # of the same, ascending


def sampled(
    sample: Sample, events: Iterable[Event], weights: Mapping[str, float], half_life: float
) -> Sample:
    found = dict(sample)
    for event in events:
        if (weight := weights.get(event.type, 0.0)) > 0.0:
            who = blake2b(event.visitor.encode(), digest_size=4).hexdigest()
            found[who] = _sum(found.get(who), math.log2(weight) + event.at / half_life)
    return {who: found[who] for who in nsmallest(SAMPLE, found)}


def quantiles_of(sample: Sample) -> Quantiles:
    """All of a small sample, else as many points as there are per cents."""
    ordered = sorted(sample.values())
    if len(ordered) <= POINTS:
        return tuple(round(value, 3) for value in ordered)
    return tuple(round(ordered[(2 * place + 1) * len(ordered) // (2 * POINTS)], 3) for place in range(POINTS))


def percentile(quantiles: Quantiles, activity: Interests, weights: Mapping[str, float]) -> float | None:
    """0 to 100; None while nothing is known of the others."""
    if not quantiles:
        return None
    total = sum(max(0.0, weights.get(name, 0.0)) * count for name, count in activity.sums.items())
    if total <= 0.0:
        return 0.0
    strength = math.log2(total) + activity.landmark / activity.half_life
    return round(100.0 * bisect_left(quantiles, round(strength, 3)) / len(quantiles), 1)


def _sum(one: float | None, other: float) -> float:
    """log2(2**one + 2**other)"""
    if one is None:
        return other
    return max(one, other) + math.log2(1.0 + 2.0 ** -min(abs(one - other), 1000.0))
