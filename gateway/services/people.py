"""Profiles of people: what is kept of each of their ids, seen together (core/people).

For the great majority, whose one id is joined to no other, this is `Profiles` and a look at two fields.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.core.memory import Memory, merge
from gateway.core.people import Entry, Family, family, linked, log, view
from gateway.core.profiles import Clock, Profile
from gateway.services.notices import Notices, Watch
from gateway.services.profiles import Profiles

ANEW: Clock = {"": 1}  # no process has this name, so no state in memory includes it


@dataclass(frozen=True, slots=True)
class _Kept:
    view: Profile
    consulted: tuple[Profile, ...]  # the states that it was made from
    covers: Clock  # read anew, all of them, for whoever asked for these writes


class People:
    def __init__(self, profiles: Profiles, notices: Notices, process: str, capacity: int) -> None:
        """`capacity`: views of several ids that are kept."""
        self._profiles = profiles
        self._notices = notices
        self._process = process
        self._capacity = capacity
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._audience: dict[str, set[str]] = {}  # by id, those whose view it has a part in
        self._watched: Counter[str] = Counter()

    def cached(self, visitor: str, at_least: Clock | None = None) -> Profile | None:
        """The person's newest state known here, if all of it is fresh enough."""
        own = self._profiles.cached(visitor)
        if own is None:
            return None
        asked = self._others(at_least)
        if not linked(own.memory):
            return own if own.includes(asked) else None
        kept = self._fresh(visitor) or self._from_memory(visitor, own)
        return kept.view if kept is not None and _includes(kept, asked) else None

    async def get(self, visitor: str, at_least: Clock | None = None) -> Profile:
        """The person's state, including at least these writes; under the id that was asked for."""
        found = self.cached(visitor, at_least)
        if found is None:
            found = (await self._compose([visitor], {}, self._others(at_least)))[visitor]
        return found

    async def get_many(self, visitors: Iterable[str]) -> dict[str, Profile]:
        return await self.of(await self._profiles.get_many(visitors))

    async def of(self, profiles: Mapping[str, Profile]) -> dict[str, Profile]:
        """The people that these ids' own profiles belong to."""
        several = [visitor for visitor, profile in profiles.items() if linked(profile.memory)]
        return {**profiles, **(await self._compose(several, profiles, {}) if several else {})}

    async def family(self, visitor: str) -> Family:
        """Read anew: what other processes joined a moment ago is among them."""
        found, _ = await self._families([visitor], {}, ANEW)
        return found[visitor]

    async def members_of(self, visitor: str) -> tuple[str, ...]:
        """All ids of the person, `visitor` itself among them; what is erased or exported together."""
        return (await self.family(visitor)).ids

    async def spread(self, said: Mapping[str, Memory]) -> dict[str, Memory]:
        """What one id of a person has withdrawn, all of them have; all else each remembers by itself.

        A mark in one memory makes nothing void in another, so it has to be written into each.
        """
        marked = [id_ for id_, memory in said.items() if memory.unlearned is not None]
        if not marked:
            return dict(said)
        families, states = await self._families(marked, {}, {})
        found = dict(said)
        for visitor in marked:
            names = states[visitor].learning.names
            for member in set(families[visitor].ids) - {visitor}:
                before, memory = found.get(member), said[visitor]
                found[member] = merge(before, memory, names) if before else memory
        return found

    async def log(self, visitor: str) -> list[Entry]:
        """What this id was joined to and parted from, the newest first."""
        return log((await self._profiles.get(visitor, ANEW)).memory)

    def moved(self, visitor: str) -> None:
        """This id has a new state: whoever watches one of the person's ids is told."""
        for watcher in self.audience([visitor]):
            self._notices.moved(watcher)

    def audience(self, visitors: Iterable[str]) -> set[str]:
        """These ids, and those whose views they have a part in."""
        return {watcher for visitor in visitors for watcher in (visitor, *self._audience.get(visitor, ()))}

    @contextmanager
    def watch(self, visitor: str) -> Iterator[Watch]:
        """As Notices.watch; while it lasts, the view of whoever watches is not dropped."""
        self._watched[visitor] += 1
        try:
            with self._notices.watch(visitor) as watch:
                yield watch
        finally:
            self._watched[visitor] -= 1
            if not self._watched[visitor]:
                del self._watched[visitor]

    def _others(self, at_least: Clock | None) -> Clock:
        """Of a clock, what must be looked for: a state in memory always has this process's own writes."""
        return {process: n for process, n in (at_least or {}).items() if process != self._process}

    def _fresh(self, visitor: str) -> _Kept | None:
        kept = self._kept.get(visitor)
        if kept is None:
            return None
        for one in kept.consulted:
            now = self._profiles.cached(one.id)
            if now is not one and (now is None or now.clock != one.clock):
                return None
        self._kept.move_to_end(visitor)
        return kept

    def _from_memory(self, visitor: str, own: Profile) -> _Kept | None:
        """Made from what is in memory; None when something must be loaded."""
        known = {visitor: own}
        found = family(visitor, known)
        while found.missing:
            for id_ in found.missing:
                if (profile := self._profiles.cached(id_)) is None:
                    return None
                known[id_] = profile
            found = family(visitor, known)
        return self._keep(visitor, found, known, {})

    async def _compose(
        self, visitors: Iterable[str], known: Mapping[str, Profile], asked: Clock
    ) -> dict[str, Profile]:
        families, states = await self._families(visitors, known, asked)
        return {
            visitor: self._keep(visitor, found, states, asked).view for visitor, found in families.items()
        }

    async def _families(
        self, visitors: Iterable[str], known: Mapping[str, Profile], asked: Clock
    ) -> tuple[dict[str, Family], dict[str, Profile]]:
        """Each with the states that it was found in, loaded as far as they lead to one another."""
        visitors, states = list(visitors), dict(known)
        missing = frozenset(visitors) - states.keys()
        while True:
            states |= await self._load(missing, asked)
            families = {visitor: family(visitor, states) for visitor in visitors}
            missing = frozenset().union(*(found.missing for found in families.values()))
            if not missing:
                return families, states

    async def _load(self, ids: Iterable[str], asked: Clock) -> dict[str, Profile]:
        """Each includes what was asked for, or was read after it was asked for."""
        if not asked:
            return await self._profiles.get_many(ids)
        found = await asyncio.gather(*(self._profiles.get(id_, asked) for id_ in ids))
        return {profile.id: profile for profile in found}

    def _keep(self, visitor: str, found: Family, known: Mapping[str, Profile], asked: Clock) -> _Kept:
        consulted = tuple(known[id_] for id_ in sorted(found.consulted))
        before, seen, covers = self._kept.get(visitor), None, asked
        if before is not None:
            # Read again without having moved, the states are equal by their clocks.
            seen = before.view if _clocks(consulted) == _clocks(before.consulted) else None
            # States only grow: what these ids once covered together they still do.
            if not asked and found.consulted <= {profile.id for profile in before.consulted}:
                covers = before.covers
        kept = _Kept(seen or view(visitor, found, known), consulted, covers)
        if len(consulted) > 1:
            self._listen(visitor, kept)
        return kept

    def _listen(self, visitor: str, kept: _Kept) -> None:
        if visitor in self._kept:
            self._unlisten(visitor, self._kept[visitor])
        self._kept[visitor] = kept
        self._kept.move_to_end(visitor)
        for one in kept.consulted:
            self._audience.setdefault(one.id, set()).add(visitor)
        while len(self._kept) > self._capacity:
            oldest = next(iter(self._kept))
            if self._watched[oldest]:
                self._kept.move_to_end(oldest)
                break
            self._unlisten(oldest, self._kept.pop(oldest))

    def _unlisten(self, visitor: str, kept: _Kept) -> None:
        for one in kept.consulted:
            audience = self._audience.get(one.id, set())
            audience.discard(visitor)
            if not audience:
                self._audience.pop(one.id, None)


def _includes(kept: _Kept, asked: Clock) -> bool:
    """Whether nothing of these writes can be missing.

    The view's own clock cannot say: it has the largest number of all its ids, and one of them may still lack an
    earlier write. So each of them includes the clock, or all were read after it was asked for.
    """
    if all(kept.covers.get(process, 0) >= number for process, number in asked.items()):
        return True
    return all(profile.includes(asked) for profile in kept.consulted)


def _clocks(profiles: Iterable[Profile]) -> list[tuple[str, Clock]]:
    return [(profile.id, profile.clock) for profile in profiles]
