"""What the law gives a visitor: a word on what may be kept, and erasure."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.consent import answered
from gateway.core.memory import Memory, Trait, blank
from gateway.core.profiles import Profile
from gateway.services.decisions import Decisions
from gateway.services.ingest import Intake
from gateway.services.profiles import Profiles
from gateway.settings import Settings
from gateway.storage.client import SpaceStore
from schemas.vocabulary import Purpose


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much of a visitor was removed."""

    profiles: int
    events: int
    decisions: int


class Privacy:
    def __init__(
        self, store: SpaceStore, intake: Intake, profiles: Profiles, decisions: Decisions, settings: Settings
    ) -> None:
        self._store = store
        self._intake = intake
        self._profiles = profiles
        self._decisions = decisions
        self._learning = settings.learning

    async def consent(self, visitor: str, purposes: Sequence[Purpose], granted: bool) -> Profile:
        """The visitor's last word. Withdrawing PERSONALIZATION also removes what was learned."""
        now = time.time()
        withdrawn = Purpose.PERSONALIZATION in purposes and not granted
        said = replace(
            blank(self._learning),
            consents=answered(purposes, granted, now),
            unlearned=now if withdrawn else None,
        )
        return await self._remember(visitor, said)

    async def identify(self, visitor: str, traits: Mapping[str, Any]) -> Profile:
        now = time.time()
        said = {name: Trait(value, now) for name, value in traits.items()}
        return await self._remember(visitor, replace(blank(self._learning), traits=said))

    async def forget(self, visitor: str) -> Forgotten:
        """Erase the visitor everywhere. What was under way when it began counts as before it."""
        await self._intake.drain()
        known = await self._profiles.get(visitor)
        await self._remember(visitor, replace(blank(self._learning), forgotten=time.time()))
        await self._profiles.settle(visitor)  # before the log that says so is erased
        erased = await self._store.events.erase(visitor)
        decisions = await self._decisions.erase(visitor)
        return Forgotten(int(bool(known.clock)), erased.events, decisions)

    async def _remember(self, visitor: str, memory: Memory) -> Profile:
        taken = await self._intake.submit((), extra={visitor: memory})
        return taken.profiles[visitor]
