"""Saying that two ids are one person, and that they are not."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.core.consent import latest
from gateway.core.people import (
    MOST_MEMBERS,
    becomes_shared,
    joined_last,
    joining,
    linked_both,
    parting,
    shared,
    too_many,
)
from gateway.core.profiles import Profile
from gateway.core.pseudonyms import Pseudonym
from gateway.core.terms import Terms
from gateway.errors import ConsentRequired, IdentityLimit, NotFound
from gateway.services.ingest import Intake
from gateway.services.people import People
from gateway.services.profiles import Profiles
from schemas.vocabulary import AuditKind

Record = Callable[[AuditKind, str, Pseudonym, Mapping[str, Any]], Awaitable[object]]

COLLECTED = "events"  # who said so, where no token did


class Joining:
    def __init__(self, people: People, profiles: Profiles, intake: Intake, record: Record) -> None:
        """`record` writes to the audit log."""
        self._people = people
        self._profiles = profiles
        self._intake = intake
        self._record = record

    async def join(
        self, visitor: Pseudonym, known: Pseudonym, terms: Terms | None = None, by: str = COLLECTED
    ) -> bool:
        """`visitor` is a device of the person `known`; durable on return. Whether it belongs to the person now.

        A device of too many persons belongs to nobody. Raises ConsentRequired where by the last word of either,
        on these terms, nothing may be kept; IdentityLimit, StoreUnavailable, Overloaded.
        """
        if visitor == known:
            return True
        device, person = await self._own(visitor, known)
        if shared(device.memory):
            return False
        if joined_last(device, person):
            return True
        family = await self._people.family(known)
        if family.root == visitor:  # the other way round they are one person already
            return True
        views = await self._people.of({visitor: device, known: person})
        consents = latest(views[visitor].memory.consents, views[known].memory.consents)
        if terms is not None and not terms.keep(consents):
            raise ConsentRequired(
                "the visitor has not agreed to be remembered, so no ids are joined; ask first"
            )
        alone = becomes_shared(device, person)
        if not alone and too_many(device, family):
            raise IdentityLimit(
                f"a person has at most {MOST_MEMBERS} devices; part one that is not used any more"
            )
        await self._intake.submit(
            (), extra=joining(device, person, (views[visitor], views[known]), time.time())
        )
        await self._record(AuditKind.JOINED, by, visitor, {"with": known})
        return not alone

    async def part(self, visitor: Pseudonym, known: Pseudonym, by: str = COLLECTED) -> None:
        """They are not one person after all: each keeps what it learned itself. Raises NotFound."""
        device, person = await self._own(visitor, known)
        if not linked_both(device, person):
            raise NotFound(
                "these two are not joined, so they cannot be parted; `known` is whom the visitor was joined to"
            )
        await self._intake.submit((), extra=parting(device, person, time.time()))
        await self._record(AuditKind.PARTED, by, visitor, {"with": known})

    async def _own(self, visitor: str, known: str) -> tuple[Profile, Profile]:
        found = await self._profiles.get_many([visitor, known])
        return found[visitor], found[known]
