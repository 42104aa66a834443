"""What a visitor cares about: named sums under forward decay, to which events are only ever added.

Forward decay is by Cormode, Shkapenyuk, Srivastava and Xu (ICDE 2009): an event at time t adds
`weight * 2**((t - landmark) / half_life)`, so an older event weighs less because newer ones weigh
more. Stored sums never change by themselves, and cosine similarity compares them as they stand.
"""

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# An event this many half-lives after the landmark takes the landmark with it. Doubles reach to
# 2**1023, so even after this growth there is room for any number of events.
LANDMARK_REACH = 64.0

Event = tuple[Mapping[str, float], float, float]  # features, weight, epoch seconds


@dataclass(frozen=True, slots=True)
class Interests:
    """The sums of one visitor for one half-life. Times and half-lives are in seconds.

    Any times from 1990 to 2100 and half-lives from a minute to a year are safe: what is a thousand
    half-lives older than the newest event counts as nothing, and nothing overflows.
    """

    half_life: float
    landmark: float
    sums: Mapping[str, float]

    @classmethod
    def empty(cls, half_life: float, landmark: float) -> "Interests":
        return cls(half_life, landmark, {})

    def learn(self, features: Mapping[str, float], weight: float, at: float) -> "Interests":
        """One event; `learned` takes many at the price of a single copy."""
        return learned(self, [(features, weight, at)])

    def merge(self, other: "Interests") -> "Interests":
        """Both, in any order or grouping; the half-life stays this one's.

        Under another half-life the events' own times can no longer be told apart, so `other` then
        counts as one event with its direction, at the moment when all of it together weighs one:
        that moment does not depend on where its landmark happens to be.
        """
        theirs = other if other.half_life == self.half_life else _converted(other, self.half_life)
        if not theirs.sums:
            return self
        if not self.sums:
            return theirs
        # The smaller one comes to the landmark of the larger, which mostly need not be touched.
        most, least = (self, theirs) if len(self.sums) >= len(theirs.sums) else (theirs, self)
        if least.landmark - most.landmark > LANDMARK_REACH * self.half_life:
            most = most.rebased(least.landmark)
        factor = 2.0 ** max(-1000.0, (least.landmark - most.landmark) / self.half_life)
        sums = dict(most.sums)
        for name, value in least.sums.items():
            sums[name] = sums.get(name, 0.0) + value * factor
        return Interests(self.half_life, most.landmark, sums)

    def rebased(self, landmark: float) -> "Interests":
        """The same interests from a later landmark; an earlier one changes nothing, for growing
        sums might overflow."""
        if landmark <= self.landmark:
            return self
        return Interests(
            self.half_life, landmark, _faded(self.sums, landmark - self.landmark, self.half_life)
        )

    def pruned(self, keep: int) -> "Interests":
        """At most `keep` names, those with the largest sums, liked or disliked."""
        if len(self.sums) <= keep:
            return self
        strongest = heapq.nsmallest(keep, self.sums.items(), key=lambda entry: (-abs(entry[1]), entry[0]))
        return Interests(self.half_life, self.landmark, dict(strongest))

    def unit(self) -> dict[str, float]:
        """L2-normalised, the most liked first and the most disliked (negative) last."""
        return dict(sorted(normalised(self.sums).items(), key=lambda entry: (-entry[1], entry[0])))


def learned(interests: Interests, events: Iterable[Event]) -> Interests:
    """Adds events in any order; of those that carry no weight not even the time is looked at."""
    sums, landmark, half_life = dict(interests.sums), interests.landmark, interests.half_life
    for features, weight, at in events:
        if not (weight and features):
            continue
        if not sums:
            landmark = at  # with nothing to compare to, even a very late event must not fade away
        elif (at - landmark) / half_life > LANDMARK_REACH:
            sums, landmark = _faded(sums, at - landmark, half_life), at
        gain = weight * 2.0 ** ((at - landmark) / half_life)
        if gain:
            for name, value in features.items():
                sums[name] = sums.get(name, 0.0) + gain * value
    return Interests(half_life, landmark, sums)


def normalised(vector: Mapping[str, float]) -> dict[str, float]:
    """Scaled to L2 length one, without its zeros; empty when there is no direction."""
    length = math.hypot(*vector.values())
    return {name: value / length for name, value in vector.items() if value} if length else {}


def cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """From -1 to 1; 0 when either has no direction."""
    lengths = math.hypot(*a.values()) * math.hypot(*b.values())
    if not lengths:
        return 0.0
    few, many = (a, b) if len(a) <= len(b) else (b, a)
    dot = sum(value * many.get(name, 0.0) for name, value in few.items())
    return max(-1.0, min(1.0, dot / lengths))


def blend(now: Mapping[str, float], usual: Mapping[str, float], share: float) -> dict[str, float]:
    """One unit vector from two of any length, `share` (0..1) of it from the direction of `now`.

    One without a direction leaves the other alone.
    """
    lengths = math.hypot(*now.values()), math.hypot(*usual.values())
    if not all(lengths):
        return normalised(now if lengths[0] else usual)
    part, rest = share / lengths[0], (1.0 - share) / lengths[1]
    also = now.get
    mixed = {name: rest * value + part * also(name, 0.0) for name, value in usual.items()}
    if len(mixed.keys() & now.keys()) < len(now):
        mixed |= {name: part * value for name, value in now.items() if name not in usual}
    return normalised(mixed)


def because(query: Mapping[str, float], item: Mapping[str, float], first: int = 3) -> list[tuple[str, float]]:
    """The names that made the two similar, and what each added to the dot product."""
    few, many = (query, item) if len(query) <= len(item) else (item, query)
    added = ((name, value * many.get(name, 0.0)) for name, value in few.items())
    return heapq.nsmallest(
        first, (entry for entry in added if entry[1] > 0.0), key=lambda entry: (-entry[1], entry[0])
    )


def _faded(sums: Mapping[str, float], seconds: float, half_life: float) -> dict[str, float]:
    factor = 2.0 ** -(seconds / half_life)
    return {name: faded for name, value in sums.items() if (faded := value * factor)}


def _converted(interests: Interests, half_life: float) -> Interests:
    length = math.hypot(*interests.sums.values())
    if not length:
        return Interests.empty(half_life, interests.landmark)
    weighs_one = interests.landmark + interests.half_life * math.log2(length)
    return Interests(half_life, weighs_one, normalised(interests.sums))
