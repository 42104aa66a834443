"""A process that knows people: its profiles, seen together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gateway.core.events import Event
from gateway.core.profiles import Profile
from gateway.core.pseudonyms import Pseudonym
from gateway.core.terms import Terms
from gateway.services.joining import Joining
from gateway.services.notices import Notices
from gateway.services.people import People
from gateway.storage.client import SpaceStore
from tests.gateway.services.processes import Process, process


@dataclass
class Identities:
    process: Process
    people: People
    joining: Joining
    notices: Notices

    async def track(self, *events: Event) -> dict[str, Profile]:
        taken = await self.process.track(*events)
        return await self.people.of(taken.profiles)

    async def join(self, device: str, person: str, terms: Terms | None = None) -> bool:
        return await self.joining.join(Pseudonym(device), Pseudonym(person), terms)

    async def part(self, device: str, person: str) -> None:
        await self.joining.part(Pseudonym(device), Pseudonym(person))

    async def views(self, visitor: str, at_least: Any = None) -> int:
        return (await self.people.get(visitor, at_least)).memory.page_views


async def unrecorded(*_: Any) -> None:
    """Here nobody reads the audit log."""


@asynccontextmanager
async def identities(
    space: SpaceStore, name: str = "p", kept: int = 1_000, **more: Any
) -> AsyncIterator[Identities]:
    async with process(space, name, **more) as found:
        notices = Notices()
        people = People(found.profiles, notices, name, kept)
        found.profiles.on_moved = people.moved
        found.intake.views, found.intake.spread = people.of, people.spread
        yield Identities(found, people, Joining(people, found.profiles, found.intake, unrecorded), notices)
