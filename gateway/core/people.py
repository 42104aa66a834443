"""Who is one person: several ids, of which each keeps a memory of its own, seen together.

Nothing is ever merged for good. Joining writes a link on both sides, the device's and the person's, parting
writes another, and what is seen is worked out from the memories as they stand. So joining loses nothing,
parting is exact, and neither the order of events nor that of links matters.

A link counts when both sides say so: whoever was erased says nothing. A person may be joined to another
person, and then brings its devices along.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from gateway.core.links import Link, Members, Origin, joined
from gateway.core.memory import Memory, blank, merge
from gateway.core.profiles import CLOCK_ENTRIES, Clock, Profile

MOST_MEMBERS = 20  # ids of one person, beside its own
MOST_PERSONS = 3  # of one device; a device of more is shared, and nobody's
HOPS = 4  # from a device to the person of the person of ...

Known = Mapping[str, Profile]


@dataclass(frozen=True, slots=True)
class Family:
    """The ids that are one person, ascending. While `missing` are not known it is not finished."""

    root: str  # the person; or the id itself, where it is nobody's device
    ids: tuple[str, ...]
    consulted: frozenset[str]  # whose memories say so
    missing: frozenset[str] = frozenset()


class Entry(NamedTuple):
    """One line of the log of merges."""

    at: float
    who: str  # the other id
    joined: bool


class _Unknown(LookupError):
    def __init__(self, ids: set[str]) -> None:
        super().__init__(ids)
        self.ids = ids


class _Reader:
    """Reads memories, and notes whose."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.consulted: set[str] = set()

    def memories(self, ids: list[str]) -> list[tuple[str, Memory]]:
        missing = {id_ for id_ in ids if id_ not in self._known}
        if missing:
            raise _Unknown(missing)
        self.consulted.update(ids)
        return [(id_, self._known[id_].memory) for id_ in ids]

    def memory(self, id_: str) -> Memory:
        return self.memories([id_])[0][1]


def linked(memory: Memory) -> bool:
    """Whether there is anything to look up; most visitors are one id."""
    return bool(memory.persons or memory.members.links)


def shared(memory: Memory) -> bool:
    return len(joined(memory.persons)) > MOST_PERSONS


def family(visitor: str, known: Known) -> Family:
    """Whoever reads as `visitor` sees these together: those of the person that it was joined to last."""
    reader = _Reader(known)
    try:
        root = _person(visitor, reader)
        ids = _below(root, reader)
        if visitor not in ids:  # one too many
            root, ids = visitor, _below(visitor, reader)
    except _Unknown as unknown:
        return Family(visitor, (), frozenset(reader.consulted), frozenset(unknown.ids))
    return Family(root, tuple(sorted(ids)), frozenset(reader.consulted))


def _person(visitor: str, reader: _Reader) -> str:
    """The end of the chain of persons; in a ring, which only two processes at once could close, its first id."""
    path = [visitor]
    while len(path) <= HOPS:
        person = _last_person(path[-1], reader)
        if person is None:
            break
        if person in path:
            return min(path[path.index(person) :])
        path.append(person)
    return path[-1]


def _last_person(device: str, reader: _Reader) -> str | None:
    memory = reader.memory(device)
    for person in () if shared(memory) else joined(memory.persons):
        if device in joined(reader.memory(person).members.links):
            return person
    return None


def _below(person: str, reader: _Reader) -> list[str]:
    """The person and its devices, theirs too, those of longest standing first: at most MOST_MEMBERS of them."""
    found, level = [person], [person]
    for _ in range(HOPS):
        following: dict[str, None] = {}
        for above in level:
            devices = joined(reader.memory(above).members.links)[::-1]
            for device, memory in reader.memories([id_ for id_ in devices if id_ not in found]):
                if not shared(memory) and above in joined(memory.persons):
                    following[device] = None
        level = list(following)
        found += level
    return found[: 1 + MOST_MEMBERS]


def view(visitor: str, found: Family, known: Known) -> Profile:
    """One profile of all of them, under the id that was asked for.

    An erasure or a withdrawal has been written to everybody it was meant for, and each memory is already
    without what it made void; so its mark does not reach over to the others here.
    """
    own, ids = known[visitor], found.ids
    if len(ids) == 1:
        return own
    names = own.learning.names
    parts = [replace(known[id_].memory, forgotten=None, unlearned=None) for id_ in ids]
    whole = replace(
        merge(blank(own.learning), _together(parts, names * len(ids)), names),
        persons={},
        members=Members(origin=known[found.root].memory.members.origin),
        forgotten=own.memory.forgotten,
        unlearned=own.memory.unlearned,
    )
    return replace(own, memory=whole, clock=_latest(known[id_].clock for id_ in ids))


def _together(parts: list[Memory], names: int) -> Memory:
    """Nothing is pruned before all are merged, or what is left would depend on their order.

    By pairs, and the results by pairs, so that no sum is copied more often than the number of parts has bits.
    """
    while len(parts) > 1:
        pairs = zip_longest(parts[::2], parts[1::2])
        parts = [merge(one, other, names) if other else one for one, other in pairs]
    return parts[0]


def _latest(clocks: Iterable[Clock]) -> Clock:
    latest: dict[str, int] = {}
    for clock in clocks:
        for process, number in clock.items():
            latest[process] = max(number, latest.get(process, 0))
    return dict(sorted(latest.items())[-CLOCK_ENTRIES:])


def joining(
    device: Profile, person: Profile, seen_as: tuple[Profile, Profile], now: float
) -> dict[str, Memory]:
    """What to remember so that `device` is the person's from `now` on; `seen_as` are their views."""
    at = _next(device, person, now)
    link = Link(at, True)
    settled = person.memory.members.origin is not None or becomes_shared(device, person)
    origin = None if settled else Origin(at, _earliest(*seen_as))
    nothing = blank(device.learning)
    return {
        device.id: replace(nothing, persons={person.id: link}),
        person.id: replace(nothing, members=Members({device.id: link}, origin)),
    }


def becomes_shared(device: Profile, person: Profile) -> bool:
    return len({*joined(device.memory.persons), person.id}) > MOST_PERSONS


def too_many(device: Profile, person: Family) -> bool:
    """Whether the person would have more than MOST_MEMBERS with this one, and what it brings along."""
    return len({*person.ids, device.id, *joined(device.memory.members.links)}) > 1 + MOST_MEMBERS


def _earliest(device: Profile, person: Profile) -> str:
    """The origin of whoever was seen first."""
    first = [view.memory.first_seen for view in (device, person)]
    seen = [math.inf if at is None else at for at in first]
    return (device if seen[0] <= seen[1] else person).origin


def parting(device: Profile, person: Profile, now: float) -> dict[str, Memory]:
    link = Link(_next(device, person, now), False)
    nothing = blank(device.learning)
    return {
        device.id: replace(nothing, persons={person.id: link}),
        person.id: replace(nothing, members=Members({device.id: link})),
    }


def _next(device: Profile, person: Profile, now: float) -> float:
    """Now, but after everything that either of them knows: clocks of processes differ."""
    own, theirs = device.memory, person.memory
    before = [link.at for link in own.persons.values()]
    before += [at for at in (own.forgotten, theirs.forgotten) if at is not None]
    if device.id in theirs.members.links:
        before.append(theirs.members.links[device.id].at)
    return max([now, *(math.nextafter(at, math.inf) for at in before)])


def linked_both(device: Profile, person: Profile) -> bool:
    """Whether both sides say so."""
    here, there = joined(device.memory.persons), joined(person.memory.members.links)
    return person.id in here and device.id in there


def joined_last(device: Profile, person: Profile) -> bool:
    """Whether joining them again would change nothing."""
    return linked_both(device, person) and joined(device.memory.persons)[0] == person.id


def log(memory: Memory) -> list[Entry]:
    """The last word on each link, the newest first."""
    words = [*memory.persons.items(), *memory.members.links.items()]
    return sorted((Entry(link.at, id_, link.joined) for id_, link in words), reverse=True)
