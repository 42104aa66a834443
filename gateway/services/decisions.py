"""Decisions are recorded after they are answered: many to a bucket, one insert a second.

A record is evidence, not an acknowledged write: a process that is killed takes its last second of them
along. Under more load than can be stored the newest are not recorded, and counted. The ids of visitors, which a
replay needs, are sealed: one text for a whole bucket.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.core.records import Record
from gateway.core.sealing import Sealer, Unopened
from gateway.storage.decisions import DecisionBucket, DecisionStore

log = logging.getLogger(__name__)

RECORDS = 500  # in one bucket
BUCKETS = 20  # waiting to be stored before records are let go


@dataclass(slots=True)
class _Bucket:
    id: str
    records: list[Record] = field(default_factory=list)

    def visitors(self) -> tuple[str, ...]:
        return tuple(sorted({record.visitor for record in self.records if record.visitor}))


class Decisions:
    def __init__(self, store: DecisionStore, process: str, sealer: Sealer) -> None:
        self._store = store
        self._process = process
        self._sealer = sealer
        self._count = 0
        self._waiting: dict[str, _Bucket] = {}
        self._open = self._new()
        self.unrecorded = 0

    def record(self, record: Record) -> str:
        """Keep it; returns the id of the page's decisions, from which `decision_id` makes those of its blocks."""
        if len(self._waiting) >= BUCKETS:
            self.unrecorded += 1
            return f"{self._process}-lost.0"
        self._open.records.append(record)
        page = f"{self._open.id}.{len(self._open.records) - 1}"
        if len(self._open.records) >= RECORDS:
            self._rotate()
        return page

    async def flush(self) -> None:
        """Store what has been recorded so far."""
        if self._open.records:
            self._rotate()
        for bucket in list(self._waiting.values()):
            records = list(bucket.records)
            body = await asyncio.to_thread(_packed, records, self._sealer)
            await self._store.append(DecisionBucket(bucket.id, datetime.now(UTC), bucket.visitors(), body))
            self._waiting.pop(bucket.id, None)

    async def find(self, bucket: str, number: int) -> Record | None:
        records = await self._records(bucket)
        return records[number] if number < len(records) else None

    async def of_visitor(self, visitor: str, most: int) -> list[Record]:
        """The newest of them that are stored, `most` at most."""
        await self.flush()
        found: list[Record] = []
        for bucket_id in reversed(await self._store.of_visitor(visitor)):
            bucket = await self._store.get(bucket_id)
            records = await self._opened(bucket) if bucket else []
            found += [record for record in records if record.visitor == visitor]
            if len(found) >= most:
                break
        return sorted(found, key=lambda record: -record.at)[:most]

    async def erase(self, visitor: str, forgotten: float | None = None) -> int:
        """Take every record of this visitor out; the others keep their numbers.

        `forgotten`: only what was decided by a profile from before that erasure.
        """
        await self.flush()
        erased = 0
        while ids := await self._store.of_visitor(visitor):
            step = [await self._erase_in(bucket_id, visitor, forgotten) for bucket_id in ids]
            erased += sum(step)
            if forgotten is not None:
                break
        return erased

    async def _erase_in(self, bucket_id: str, visitor: str, forgotten: float | None) -> int:
        found = await self._store.get(bucket_id)
        if found is None:
            return 0
        records = await self._opened(found)
        goes = [record.visitor == visitor and not _since(record, forgotten) for record in records]
        kept = [_blank(record) if gone else record for record, gone in zip(records, goes, strict=True)]
        stays = any(record.visitor == visitor for record in kept)
        left = tuple(name for name in found.visitors if stays or name != visitor)
        replaced = await self._store.replace(
            found, await asyncio.to_thread(_packed, kept, self._sealer), left
        )
        return sum(goes) if replaced else 0

    async def _records(self, bucket: str) -> list[Record]:
        for held in (self._open, *self._waiting.values()):
            if held.id == bucket:
                return held.records
        found = await self._store.get(bucket)
        return await self._opened(found) if found else []

    async def _opened(self, found: DecisionBucket) -> list[Record]:
        return await asyncio.to_thread(_unpacked, found.body, self._sealer)

    def _rotate(self) -> None:
        self._waiting[self._open.id] = self._open
        self._open = self._new()

    def _new(self) -> _Bucket:
        self._count += 1
        return _Bucket(f"{self._process}-{self._count:x}")


def _since(record: Record, forgotten: float | None) -> bool:
    """Whether the profile that it was decided by had heard of this erasure."""
    if forgotten is None or record.memory is None:
        return False
    return float(orjson.loads(record.memory).get("forgotten", 0.0)) >= forgotten


def _blank(record: Record) -> Record:
    """Nothing of the visitor, and no page: it cannot be replayed any more."""
    return Record(
        at=record.at, slug="", revision=record.revision, basis=record.basis, context={},
        locales=(), share=0.0, purposes=(), chosen=(),
    )  # fmt: skip


def _packed(records: list[Record], sealer: Sealer) -> bytes:
    called = [record.called for record in records]
    bare = [
        {name: value for name, value in record.to_json().items() if name != "called"} for record in records
    ]
    document = {"records": bare, "called": sealer.seal(called) if any(called) else None}
    return zlib.compress(orjson.dumps(document, default=_jsonable), 1)


def _unpacked(body: bytes, sealer: Sealer) -> list[Record]:
    document = orjson.loads(zlib.decompress(body))
    records, called = document["records"], _called(document["called"], sealer)
    if called is None:
        return [Record.from_json(found) for found in records]
    return [Record.from_json({**found, "called": name}) for found, name in zip(records, called, strict=True)]


def _called(sealed: str | None, sealer: Sealer) -> list[str | None] | None:
    """None where nobody is named, or no key opens it any more: the records can be replayed without."""
    try:
        return sealer.open(sealed) if sealed else None
    except Unopened:
        log.warning("who some decisions were made for cannot be opened; give the key in BLOCKLOOM_KEYS")
        return None


_JSON: dict[type, Callable[[Any], Any]] = {frozenset: sorted, set: sorted, tuple: list}


def _jsonable(value: Any) -> Any:
    if type(value) in _JSON:
        return _JSON[type(value)](value)
    return dict(value)  # mapping views of the request's facts
