"""What the law gives a visitor: a word on what may be kept, all that is kept, and erasure.

Visitors go by their pseudonyms here. Who did it, `by`, stands in the audit log.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any

from gateway.core.consent import answered
from gateway.core.events import Event
from gateway.core.memory import Memory, Trait, blank
from gateway.core.profiles import Profile
from gateway.core.pseudonyms import Pseudonym
from gateway.services.audit import Ledger
from gateway.services.decisions import Decisions
from gateway.services.ingest import Intake, said_at
from gateway.services.people import People
from gateway.services.profiles import Profiles
from gateway.storage.client import SpaceStore
from schemas.vocabulary import AuditKind, Purpose

COMMAND_LINE = "command line"  # who did it, where no token did
Seal = Callable[[Mapping[str, Any]], Mapping[str, Any]]
LATE = 10.0  # seconds after which what other processes had under way is stored


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of a visitor was removed; `vectors` of interests."""

    profiles: int
    events: int
    vectors: int
    decisions: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    erased: Erased
    receipt: str  # signed (core/receipts)


class Privacy:
    def __init__(
        self,
        store: SpaceStore,
        intake: Intake,
        profiles: Profiles,
        people: People,
        decisions: Decisions,
        seal: Seal,
        ledger: Ledger,
    ) -> None:
        """`seal`: traits as they are kept."""
        self._store = store
        self._intake = intake
        self._profiles = profiles
        self._people = people
        self._decisions = decisions
        self._learning = intake.learning
        self._seal = seal
        self._ledger = ledger
        self._late: dict[Pseudonym, float] = {}  # erased lately, and when to look again (monotonic)

    async def consent(
        self, visitor: Pseudonym, purposes: Sequence[Purpose], granted: bool, by: str = COMMAND_LINE
    ) -> Profile:
        """The visitor's last word. Withdrawing PERSONALIZATION also removes what was learned."""
        now = time.time()
        profile = await self._remember(
            visitor, said_at(answered(purposes, granted, now), now, self._learning)
        )
        details = {"purposes": sorted(set(purposes)), "granted": granted}
        await self._ledger.write(AuditKind.CONSENT, by, visitor, details)
        return profile

    async def identify(self, visitor: Pseudonym, traits: Mapping[str, Any]) -> Profile:
        now = time.time()
        said = {name: Trait(value, now) for name, value in self._seal(traits).items()}
        return await self._remember(visitor, replace(blank(self._learning), traits=said))

    async def forget(self, visitor: Pseudonym, by: str = COMMAND_LINE) -> Forgotten:
        """Erase the person everywhere, under all ids. What was under way when it began counts as before it."""
        await self._intake.drain()
        now = time.time()
        ids = [visitor, *(other for other in await self._people.members_of(visitor) if other != visitor)]
        erased = [await self._erase(Pseudonym(id_), now) for id_ in ids]
        entries = [
            await self._ledger.write(AuditKind.ERASURE, by, Pseudonym(id_), asdict(gone))
            for id_, gone in zip(ids, erased, strict=True)
        ]
        total = Erased(*(sum(counts) for counts in zip(*map(astuple, erased), strict=True)))
        return Forgotten(total, self._ledger.receipt(visitor, now, asdict(total), entries[0]))

    async def _erase(self, visitor: Pseudonym, now: float) -> Erased:
        known = await self._profiles.get(visitor)
        await self._remember(visitor, replace(blank(self._learning), forgotten=now))
        await self._profiles.settle(visitor)  # before the log that says so is erased
        events = await self._store.events.erase(visitor)
        self._late[visitor] = time.monotonic() + LATE
        return Erased(
            profiles=int(bool(known.clock)),
            events=events.events,
            vectors=sum(bool(vector.sums) for vector in (known.memory.now, known.memory.usual)),
            decisions=await self._decisions.erase(visitor),
        )

    async def sweep(self, at: float | None = None) -> None:
        """Erase what other processes stored of the erased before they had heard of it; called again and again.

        Until then nobody can read it: a replay looks at the profile, and memories merge to nothing.
        """
        now = time.monotonic() if at is None else at
        for visitor in [visitor for visitor, due in self._late.items() if due <= now]:
            forgotten = (await self._profiles.get(visitor)).memory.forgotten
            if forgotten is not None:
                await self._decisions.erase(visitor, forgotten)
                await self._erase_late_events(visitor, forgotten)
            del self._late[visitor]

    async def _erase_late_events(self, visitor: Pseudonym, forgotten: float) -> None:
        """Where there are none but those: who came back since is left alone, and they expire."""
        if await self._store.events.open_moves([visitor]):
            return
        logged = [event for _, event in await self._store.events.of_visitor(visitor)]
        if logged and all(Event.from_bytes(e.id, visitor, e.body).at <= forgotten for e in logged):
            await self._store.events.erase(visitor)

    async def _remember(self, visitor: str, memory: Memory) -> Profile:
        taken = await self._intake.submit((), extra=await self._people.spread({visitor: memory}))
        return (await self._people.of(taken.profiles))[visitor]
