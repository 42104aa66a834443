"""How engaged a visitor is: recent events by their weight, fading, from 0 to 100."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.events import WEIGHTS
from recommenders.interests import Interests


@dataclass(frozen=True, slots=True)
class Scale:
    """`half` is the sum of weights that makes a score of 50; from `medium` and `high` on a level is reached."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    half: float = 3.0
    medium: float = 20.0
    high: float = 50.0

    def score(self, activity: Interests, at: float) -> float:
        """Of how often each type of event happened. It saturates, and fades with the half-life of the activity."""
        total: float = 0.0
        for name, count in activity.sums.items():
            if (weight := self.weights.get(name, 0.0)) > 0.0:
                total += weight * count
        # A moment before the landmark, as a preview may ask for, counts as the landmark.
        total *= 2.0 ** min(0.0, (activity.landmark - at) / activity.half_life)
        return round(100.0 * total / (total + self.half), 2)

    def level(self, score: float) -> str:
        if score >= self.high:
            return "high"
        return "medium" if score >= self.medium else "low"
