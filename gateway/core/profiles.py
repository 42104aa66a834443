"""A visitor's profile: what is remembered, what it derives, and which writes it already holds."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from gateway.core.memory import Learning, Memory, blank, merge
from recommenders.interests import blend, normalised

Clock = Mapping[str, int]  # for each gateway process, the number of its last write that is included
CLOCK_ENTRIES = 32  # that a stored clock keeps of processes that have nothing open: they come and go
VERSION_ENTRIES = 512  # that a version of ours can have
ACTIVE = 6.0  # half-lives of `now` after which its intent no longer counts


@dataclass(frozen=True, slots=True)
class Profile:
    """One state of one visitor. Immutable, and small: what it derives is not kept with it (see core/memos)."""

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

    @property
    def origin(self) -> str:
        """The id that assignments hash on: the same before and after a device is known as a person's."""
        settled = self.memory.members.origin
        return settled.id if settled is not None else self.id

    @property
    def blank(self) -> bool:
        """Nothing is known but the id, so all such visitors are alike."""
        memory = self.memory
        return not (self.clock or memory.now.sums or memory.usual.sums or memory.consents or memory.traits)

    @property
    def now(self) -> Mapping[str, float]:
        return normalised(self.memory.now.sums)

    @property
    def usual(self) -> Mapping[str, float]:
        return normalised(self.memory.usual.sums)

    def interests(self, share: float, at: float) -> Mapping[str, float]:
        """The blended unit vector; `share` of it is this session's intent while the session lasts."""
        usual = self.memory.usual.sums
        if share and self.active(at):
            return blend(self.memory.now.sums, usual, share)
        return normalised(usual)

    def active(self, at: float) -> bool:
        last = self.memory.last_seen
        return last is not None and at - last < ACTIVE * self.memory.now.half_life

    def engagement_score(self, at: float) -> float:
        return self.learning.engagement.score(self.memory.activity, at)

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
            clock = {**clock, process: number}
    return replace(profile, memory=memory, clock=clock)


def trimmed(clock: Clock, still_open: Collection[str]) -> Clock:
    """Without the oldest processes, so that it does not grow for ever: their names begin with their time of start.

    Never without one of `still_open`, whose writes may be met again and must be known then.
    """
    over = max(0, len(clock) - CLOCK_ENTRIES)
    gone = sorted(clock.keys() - still_open)[:over]
    return {process: number for process, number in clock.items() if process not in gone}


def read_version(text: str) -> Clock | None:
    """A `profileVersion` as a clock; None when it is not one of ours."""
    clock: dict[str, int] = {}
    for part in text.split(".") if text else ():
        process, dash, number = part.rpartition("-")
        if not (dash and process.isalnum() and number.isascii() and number.isdigit() and len(number) < 16):
            return None
        clock[process] = int(number)
    return clock if len(clock) <= VERSION_ENTRIES else None
