"""The pointer to the published revision, and the right to move it: one document, so each step is atomic.

    {_id: "current", revision: 7, at, tidied: 6,
     building: {number: 8, claim: "<random>", lease: date} | null, voids: [5]}

Whoever publishes claims the next number, writes rows that carry it, and moves the pointer. A number whose
publisher failed or fell silent is void for ever: readers pass over its rows, however late they arrive.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from gateway.errors import Conflict
from gateway.storage.failures import READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database

_FIRST: dict[str, Any] = {"_id": "current", "revision": 0, "tidied": 0, "building": None, "voids": []}
_VOIDS_KEPT_FOR = 100  # revisions; nobody who sleeps through so many still writes


@dataclass(frozen=True, slots=True)
class Position:
    revision: int
    tidied: int
    voids: frozenset[int]
    building: dict[str, Any] | None

    def shows(self, number: int) -> bool:
        return number <= self.revision and number not in self.voids


@dataclass(frozen=True, slots=True)
class Claim:
    id: str
    number: int
    base: int
    voids: frozenset[int]


class Pointer:
    def __init__(
        self,
        db: Database,
        clock: Callable[[], datetime],
        lease: timedelta = timedelta(seconds=20),
        patience: timedelta = timedelta(seconds=60),
    ) -> None:
        self._pointers = db["pointers"]
        self._clock = clock
        self._lease = lease
        self._patience = patience

    @guarded(within=READ_SECONDS)
    async def read(self) -> Position:
        found = await self._pointers.find_one({"_id": "current"}) or _FIRST
        return Position(found["revision"], found["tidied"], frozenset(found["voids"]), found["building"])

    async def claim(self) -> Claim:
        """Waits while another publisher is at work; raises Conflict when that takes too long."""
        deadline = self._clock() + self._patience
        while (claim := await self._try()) is None:
            if self._clock() > deadline:
                raise Conflict(
                    "another publication is still running; wait until it is done, then publish again"
                )
            await asyncio.sleep(0.1)
        return claim

    async def _try(self) -> Claim | None:
        now = self._clock()
        position = await self.read()
        other = position.building
        if other and other["lease"] > now:
            return None
        dead = {other["number"]} if other else set()
        voids = position.voids | dead
        claim = Claim(secrets.token_hex(8), max(position.revision, 0, *voids) + 1, position.revision, voids)
        return claim if await self._take(position, claim, dead, now) else None

    @guarded(within=WRITE_SECONDS)
    async def _take(self, seen: Position, claim: Claim, dead: set[int], now: datetime) -> bool:
        try:
            await self._pointers.update_one({"_id": "current"}, {"$setOnInsert": _rest(_FIRST)}, upsert=True)
        except DuplicateKeyError:  # another process made it at this moment
            return False
        building = {"number": claim.number, "claim": claim.id, "lease": now + self._lease}
        same = {"_id": "current", "revision": seen.revision, "building": seen.building}
        change = {"$set": {"building": building}, "$addToSet": {"voids": {"$each": sorted(dead)}}}
        return (await self._pointers.update_one(same, change)).matched_count == 1

    async def renew(self, claim: Claim) -> None:
        """Raises Conflict when another publisher took over."""
        await self._move(claim, {"$set": {"building.lease": self._clock() + self._lease}})

    async def flip(self, claim: Claim, at: datetime) -> None:
        """The one step that makes a revision visible, all of it at once."""
        await self._move(claim, {"$set": {"revision": claim.number, "at": at, "building": None}})

    async def release(self, claim: Claim, void: bool) -> None:
        """Give the claim back; what was written under it, if anything, is void."""
        change: dict[str, Any] = {"$set": {"building": None}}
        await self._move(claim, change | ({"$addToSet": {"voids": claim.number}} if void else {}))

    @guarded(within=WRITE_SECONDS)
    async def tidied(self, revision: int) -> None:
        """Everything up to `revision` is marked; voids that are long past are forgotten."""
        change = {"$max": {"tidied": revision}, "$pull": {"voids": {"$lt": revision - _VOIDS_KEPT_FOR}}}
        await self._pointers.update_one({"_id": "current"}, change)

    @guarded(within=WRITE_SECONDS)
    async def _move(self, claim: Claim, change: dict[str, Any]) -> None:
        mine = {"_id": "current", "building.claim": claim.id}
        if not (await self._pointers.update_one(mine, change)).matched_count:
            raise Conflict("another publication took over; look at what it published, then publish again")


def _rest(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "_id"}
