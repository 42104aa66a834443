"""The audit log as it is read: page by page, newest first, and proven whole."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.core.chains import EPOCH, SPAN, Bucket, Named, bucket_id, entry_id, genuine, millis, moment_of
from gateway.core.keys import PublicKeys
from gateway.core.proofs import Proof
from gateway.errors import BadInput
from gateway.storage.audit import SHOWN_AT_ONCE, AuditStore
from schemas.vocabulary import AuditKind

MOST = 1_000  # entries of one page
WINDOW, WIDEST = timedelta(seconds=10), timedelta(days=7_300)
TICK = timedelta(milliseconds=1)
CLOCKS = timedelta(hours=1)  # that another process's clock may be ahead of ours
BREATH = 10  # buckets proven before others may work


@dataclass(frozen=True, slots=True)
class Recorded:
    id: str
    at: datetime
    kind: str
    space: str
    actor: str
    subject: str
    details: Mapping[str, Any]
    cursor: str


@dataclass(frozen=True, slots=True)
class Page:
    entries: tuple[Recorded, ...]
    more: bool
    doubtful: tuple[str, ...] = ()  # buckets in between that were changed, and are not shown


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry stands among all, newest first."""

    at: datetime  # of its bucket
    bucket: str
    number: int

    def __str__(self) -> str:
        process, _, number = self.bucket.rpartition("-")
        return f"{millis(self.at)}.{process}.{int(number)}.{self.number}"

    @classmethod
    def of(cls, cursor: str) -> "_Place":
        try:
            at, process, bucket, number = cursor.split(".")
            return cls(moment_of(int(at)), bucket_id(process, int(bucket)), int(number))
        except (ValueError, OverflowError):
            raise BadInput("this cursor is none of the audit log's; begin without one") from None


@dataclass(frozen=True, slots=True)
class Wanted:
    """`spaces`: none named, all; "" is that of no space. `kinds`: none named, all."""

    spaces: Sequence[str] = ()
    kinds: Sequence[AuditKind] = ()
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, entry: Recorded) -> bool:
        return (
            (not self.spaces or entry.space in self.spaces)
            and (not self.kinds or entry.kind in self.kinds)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at <= self.until)
        )


async def page(
    store: AuditStore, keys: PublicKeys, wanted: Wanted, first: int = 50, after: str | None = None
) -> Page:
    """Newest first. Entries of different processes within a minute of each other may be exchanged."""
    if not 0 < first <= MOST:
        raise BadInput(f"first must lie between 1 and {MOST:,}")
    place = _Place.of(after) if after else None
    newest = place.at if place else (wanted.until or datetime.now(UTC) + CLOCKS) + SPAN
    found: list[Recorded] = []
    doubtful: list[str] = []
    async for bucket in _buckets(store, wanted, newest):
        await asyncio.sleep(0)  # a full one takes a millisecond
        if not genuine(bucket, keys):
            doubtful.append(bucket.id)
            continue
        found += [entry for entry in _newest_first(bucket, place) if wanted.holds(entry)]
        if len(found) > first:
            break
    return Page(tuple(found[:first]), len(found) > first, tuple(doubtful))


def _newest_first(bucket: Bucket, after: _Place | None) -> list[Recorded]:
    """Those that come after that place."""
    here = _recorded(bucket)
    if after is None or (bucket.at, bucket.id) < (after.at, after.bucket):
        return here[::-1]
    return here[: after.number - bucket.first][::-1] if bucket.id == after.bucket else []


async def _buckets(store: AuditStore, wanted: Wanted, newest: datetime) -> AsyncIterator[Bucket]:
    """In windows that grow while they are empty: the embedded engine sorts all that a window holds."""
    oldest, width, now = wanted.since or EPOCH, WINDOW, datetime.now(UTC)
    seen: set[str] = set()  # of those made at the very moment at which a window ends
    while newest >= oldest:
        start = max(oldest, min(newest, now) - width)
        found = await store.between(start, newest, wanted.kinds, wanted.spaces)
        fresh = [bucket for bucket in found if bucket.id not in seen]
        for bucket in fresh:
            yield bucket
        if len(found) < SHOWN_AT_ONCE:
            newest, width = start - TICK, min(4 * width, WIDEST)
        elif fresh:
            newest = found[-1].at
            seen = {bucket.id for bucket in found if bucket.at == newest}
        else:  # of more than are read at once, all made within one millisecond, some are passed over
            newest -= TICK


def _recorded(bucket: Bucket) -> list[Recorded]:
    return [
        Recorded(
            id=entry_id(bucket.process, number),
            at=moment_of(entry.at),
            kind=entry.kind,
            space=entry.space,
            actor=entry.actor,
            subject=entry.subject,
            details=entry.details,
            cursor=str(_Place(bucket.at, bucket.id, number)),
        )
        for number, entry in enumerate(bucket.entries(), bucket.first)
    ]


async def prove(
    store: AuditStore,
    keys: PublicKeys,
    retention: timedelta,
    expected: Iterable[Named] = (),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Proof:
    """Reads the whole log. `expected`: heads that were kept elsewhere."""
    proof = Proof(keys, retention, datetime.now(UTC))
    for bucket in await store.naming():
        proof.heed(bucket)
    for named in expected:
        proof.expect(named)
    total, done = await store.count(), 0
    async for found in store.all():
        if isinstance(found, str):
            proof.stray(found)
        else:
            proof.add(found)
        done += 1
        if done % BREATH == 0:
            on_progress(done, max(total, done))
            await asyncio.sleep(0)
    proof.finish()
    on_progress(done, done)
    return proof
