"""A visitor's profile: what is remembered, what it derives, and which writes it already holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gateway.core.memory import Learning, Memory, blank, merge
from recommenders.interests import blend, normalised

Clock = Mapping[str, int]  # for each gateway process, the number of its last write that is included
CLOCK_ENTRIES = 32  # processes come and go; a dead one's writes were folded long ago
ACTIVE = 6.0  # half-lives of `now` after which its intent no longer counts
SATURATION = 3.0  # weighted recent events that make an engagement score of 50


@dataclass(frozen=True)
class Profile:
    """One state of one visitor. Immutable: what it derives is worked out once, at first need."""

    id: str
    memory: Memory
    clock: Clock
    learning: Learning

    @property
    def known(self) -> bool:
        return bool(self.clock) and self.memory.first_seen is not None

    @property
    def version(self) -> str:
        return ".".join(f"{process}-{number}" for process, number in sorted(self.clock.items()))

    @cached_property
    def now(self) -> Mapping[str, float]:
        return normalised(self.memory.now.sums)

    @cached_property
    def usual(self) -> Mapping[str, float]:
        return normalised(self.memory.usual.sums)

    @cached_property
    def blends(self) -> dict[float, Mapping[str, float]]:
        return {}

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """What choosing worked out for this state of the profile; gone with it (see Edition.memo)."""
        return {}

    def interests(self, share: float, at: float) -> Mapping[str, float]:
        """The blended unit vector; `share` of it is this session's intent while the session lasts."""
        share = share if self.active(at) else 0.0
        if share not in self.blends:
            self.blends[share] = blend(self.now, self.usual, share) if share else self.usual
        return self.blends[share]

    def active(self, at: float) -> bool:
        last = self.memory.last_seen
        return last is not None and at - last < ACTIVE * self.memory.now.half_life

    def engagement_score(self, at: float) -> float:
        """0 to 100: recent events by their weight, fading with the long half-life, saturating."""
        activity = self.memory.activity
        # A moment before the landmark, as a preview may ask for, counts as the landmark.
        fade: float = 2.0 ** min(0.0, (activity.landmark - at) / activity.half_life)
        weights = self.learning.weights
        total = fade * sum(max(0.0, weights.get(name, 0.0)) * n for name, n in activity.sums.items())
        return round(100.0 * total / (total + SATURATION), 2)

    def includes(self, version: Clock) -> bool:
        return all(self.clock.get(process, 0) >= number for process, number in version.items())


def stranger(visitor: str, learning: Learning) -> Profile:
    return Profile(visitor, blank(learning), {}, learning)


def moved(profile: Profile, process: str, moves: Iterable[tuple[int, Memory]]) -> Profile:
    """The profile after these numbered writes of one process; those it already holds change nothing."""
    memory, clock = profile.memory, profile.clock
    for number, move in moves:
        if number > clock.get(process, 0):
            memory = merge(memory, move, profile.learning.names)
            clock = _ticked(clock, process, number)
    return replace(profile, memory=memory, clock=clock)


def _ticked(clock: Clock, process: str, number: int) -> Clock:
    """Process names begin with their time of start, so the smallest is the oldest."""
    ticked = {**clock, process: number}
    if len(ticked) > CLOCK_ENTRIES:
        del ticked[min(name for name in ticked if name != process)]
    return ticked


def read_version(text: str) -> Clock | None:
    """A `profileVersion` as a clock; None when it is not one of ours."""
    clock: dict[str, int] = {}
    for part in text.split(".") if text else ():
        process, dash, number = part.rpartition("-")
        if not (dash and process.isalnum() and number.isascii() and number.isdigit() and len(number) < 16):
            return None
        clock[process] = int(number)
    return clock if len(clock) <= CLOCK_ENTRIES else None
