"""The audit log as it is written: `note` and go on, or `write` and know that it is durable.

Each process has a chain of its own (core/chains), so no process waits for another. What is noted is gathered,
and inserted as one bucket every few seconds; what is written takes everything before it along. While the store is
away notes wait; of a kind that fills its share the newest are let go, and the log says how many.
"""

import asyncio
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.core.chains import (
    ENTRIES,
    SPAN,
    Bucket,
    Entry,
    Head,
    entry_id,
    genuine,
    named_in,
    naming,
    seal,
    unnamed,
)
from gateway.core.keys import Keys, SigningKey
from gateway.core.pseudonyms import Pseudonym
from gateway.core.receipts import erasure, issue
from gateway.errors import Overloaded
from gateway.storage.audit import AuditStore
from gateway.storage.failures import WRITE_SECONDS, InDoubt
from schemas.vocabulary import AuditKind

FLUSH_SECONDS = 5.0  # how much of its notes a process that is killed takes along
WAITING = 5_000  # entries of one kind that wait at most
REFUSALS = 100  # a flood of wrong tokens is told as a number
NAMING_MILLIS = 86_400_000
SPAN_MILLIS = SPAN // timedelta(milliseconds=1)
CHAINS = 200  # looked at when heads are named: those that named some last themselves
NOBODY = Pseudonym("")


class _Waiting:
    """An entry on its way. `number` is its place in the chain once it is sealed."""

    __slots__ = ("durable", "entry", "number")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.number = 0
        self.durable = False


class Audit:
    def __init__(self, store: AuditStore, process: str, keys: Keys, retention: timedelta) -> None:
        self._store = store
        self._process = process
        self._keys = keys
        self._retention = retention
        self._head = Head.start(process)
        self._named_at = 0
        self._now = 0
        self._waiting: list[_Waiting] = []
        self._shares: Counter[str] = Counter()
        self._sealed: tuple[Bucket, list[_Waiting]] | None = None  # inserted until it is there
        self._flushing = asyncio.Lock()
        self._untold: Counter[str] = Counter()
        self.lost = 0
        """Entries that could not be kept since the start; the log has their number too, once it can be written."""

    async def open(self) -> None:
        await self._store.prepare(self._retention)

    def note(
        self,
        kind: AuditKind,
        space: str,
        actor: str,
        subject: Pseudonym = NOBODY,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Durable within seconds. `details` is JSON without anything personal, and is not changed afterwards."""
        if self._put(kind, space, actor, subject, details) is None:
            self.lost += 1
            self._untold[kind.value] += 1

    async def write(
        self,
        kind: AuditKind,
        space: str,
        actor: str,
        subject: Pseudonym = NOBODY,
        details: Mapping[str, Any] | None = None,
    ) -> str:
        """The id of the entry, durable on return. Raises StoreUnavailable, and then writes it when it can."""
        mine = self._put(kind, space, actor, subject, details)
        if mine is None:
            raise Overloaded("more is to be recorded than can be stored; send it again in some seconds")
        try:
            async with asyncio.timeout(WRITE_SECONDS), self._flushing:
                while not mine.durable:
                    await self._store_some()
        except TimeoutError:
            raise InDoubt("the audit log could not be written in time; send it again") from None
        return entry_id(self._process, mine.number)

    async def flush(self) -> None:
        """Store what waits. Raises StoreUnavailable; nothing is lost by that."""
        async with self._flushing:
            while self._sealed or self._waiting or self._untold:
                await self._store_some()

    def _put(
        self, kind: AuditKind, space: str, actor: str, subject: str, details: Mapping[str, Any] | None
    ) -> _Waiting | None:
        """None: its kind has filled its share."""
        if self._shares[kind] >= (REFUSALS if kind is AuditKind.TOKEN_REFUSED else WAITING):
            return None
        self._shares[kind] += 1
        waiting = _Waiting(Entry(self._moment(), kind, space, actor, subject, details or {}))
        self._waiting.append(waiting)
        return waiting

    def _moment(self) -> int:
        """Never before an earlier entry's, even if the clock was set back: what expires first was first."""
        self._now = max(self._now, int(time.time() * 1000))
        return self._now

    async def _store_some(self) -> None:
        """One bucket. Where the store fails, the very same bucket is inserted the next time."""
        if self._sealed is None:
            self._sealed = self._seal(await self._own())
        bucket, members = self._sealed
        await self._store.append(bucket)
        self._sealed = None
        for member in members:
            member.durable = True

    def _seal(self, own: Sequence[Entry]) -> tuple[Bucket, list[_Waiting]]:
        members = self._next(ENTRIES - len(own))
        self._shares.subtract(member.entry.kind for member in members)
        entries = [*own, *(member.entry for member in members)]
        bucket = seal(self._head, entries, self._keys.signing)
        for number, member in enumerate(members, bucket.first + len(own)):
            member.number = number
        self._head = bucket.head
        return bucket, members

    def _next(self, count: int) -> list[_Waiting]:
        """The oldest that wait, as many as go into one bucket."""
        if self._waiting:
            count = min(count, bisect_right(self._waiting, _at(self._waiting[0]) + SPAN_MILLIS, key=_at))
        members, self._waiting = self._waiting[:count], self._waiting[count:]
        return members

    async def _own(self) -> list[Entry]:
        """What the log says of itself: whose heads there are, and what could not be kept."""
        own = []
        at = self._waiting[0].entry.at if self._waiting else self._moment()
        if at - self._named_at >= NAMING_MILLIS:
            own.append(naming(at, await self._others(), self._retention))
            self._named_at = at
        if self._untold:
            own.append(Entry(at, AuditKind.LOST, "", "", "", dict(self._untold)))
            self._untold.clear()
        return own

    async def _others(self) -> list[Head]:
        """The heads of chains that nobody has named yet. What was tampered with is left to who proves the log."""
        found = await self._store.naming(CHAINS)
        known = await asyncio.to_thread(self._genuine, found)
        newest = {bucket.process: bucket for bucket in reversed(known) if bucket.process != self._process}
        last = [await self._store.last(bucket) for bucket in newest.values()]
        heads = [bucket.head for bucket in await asyncio.to_thread(self._genuine, last)]
        return unnamed(heads, [named for bucket in known for named in named_in(bucket)])

    def _genuine(self, buckets: Sequence[Bucket]) -> list[Bucket]:
        return [bucket for bucket in buckets if genuine(bucket, self._keys.public)]


def _at(waiting: _Waiting) -> int:
    return waiting.entry.at


@dataclass(frozen=True, slots=True)
class Ledger:
    """The audit log as one space writes it, and the key that it signs receipts with."""

    audit: Audit
    space: str
    key: SigningKey

    def note(
        self, kind: AuditKind, by: str, subject: Pseudonym = NOBODY, details: Mapping[str, Any] | None = None
    ) -> None:
        self.audit.note(kind, self.space, by, subject, details)

    async def write(
        self, kind: AuditKind, by: str, subject: Pseudonym = NOBODY, details: Mapping[str, Any] | None = None
    ) -> str:
        """The id of the entry, durable on return. Raises as Audit.write."""
        return await self.audit.write(kind, self.space, by, subject, details)

    def receipt(self, subject: Pseudonym, at: float, erased: Mapping[str, int], entry: str) -> str:
        return issue(self.key, erasure(self.space, subject, at, erased, entry))
