"""Decisions are recorded after they are answered: many to a bucket, one insert a second.

A record is evidence, not an acknowledged write: a process that is killed takes its last second of them
along. Under more load than can be stored the newest are not recorded, and counted.
"""

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.core.records import Record
from gateway.storage.decisions import DecisionBucket, DecisionStore

RECORDS = 500  # in one bucket
BUCKETS = 20  # waiting to be stored before records are let go


@dataclass(slots=True)
class _Bucket:
    id: str
    records: list[Record] = field(default_factory=list)

    def visitors(self) -> tuple[str, ...]:
        return tuple(sorted({record.visitor for record in self.records if record.visitor}))


class Decisions:
    def __init__(self, store: DecisionStore, process: str) -> None:
        self._store = store
        self._process = process
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
            body = await asyncio.to_thread(_packed, records)
            await self._store.append(DecisionBucket(bucket.id, datetime.now(UTC), bucket.visitors(), body))
            self._waiting.pop(bucket.id, None)

    async def find(self, bucket: str, number: int) -> Record | None:
        records = await self._records(bucket)
        return records[number] if number < len(records) else None

    async def erase(self, visitor: str) -> int:
        """Take every record of this visitor out; the others keep their numbers."""
        await self.flush()
        erased = 0
        while ids := await self._store.of_visitor(visitor):
            for bucket_id in ids:
                erased += await self._erase_in(bucket_id, visitor)
        return erased

    async def _erase_in(self, bucket_id: str, visitor: str) -> int:
        found = await self._store.get(bucket_id)
        if found is None:
            return 0
        records = await asyncio.to_thread(_unpacked, found.body)
        kept = [_blank(record) if record.visitor == visitor else record for record in records]
        left = tuple(name for name in found.visitors if name != visitor)
        replaced = await self._store.replace(found, await asyncio.to_thread(_packed, kept), left)
        return sum(record.visitor == visitor for record in records) if replaced else 0

    async def _records(self, bucket: str) -> list[Record]:
        for held in (self._open, *self._waiting.values()):
            if held.id == bucket:
                return held.records
        found = await self._store.get(bucket)
        return await asyncio.to_thread(_unpacked, found.body) if found else []

    def _rotate(self) -> None:
        self._waiting[self._open.id] = self._open
        self._open = self._new()

    def _new(self) -> _Bucket:
        self._count += 1
        return _Bucket(f"{self._process}-{self._count:x}")


def _blank(record: Record) -> Record:
    """Nothing of the visitor, and no page: it cannot be replayed any more."""
    return Record(
        at=record.at, slug="", revision=record.revision, basis=record.basis, context={},
        locales=(), share=0.0, purposes=(), chosen=(),
    )  # fmt: skip


def _packed(records: list[Record]) -> bytes:
    return zlib.compress(orjson.dumps([record.to_json() for record in records], default=_jsonable), 1)


def _unpacked(body: bytes) -> list[Record]:
    return [Record.from_json(found) for found in orjson.loads(zlib.decompress(body))]


_JSON: dict[type, Callable[[Any], Any]] = {frozenset: sorted, set: sorted, tuple: list}


def _jsonable(value: Any) -> Any:
    if type(value) in _JSON:
        return _JSON[type(value)](value)
    return dict(value)  # mapping views of the request's facts
