"""The event log: the truth that profiles and counts are folded from.

All events of one flush are one document, a bucket, that is never changed. What its events do to each visitor's
profile, its `moves`, stands in a second small document beside it, which is deleted once they are folded in: to
change a bucket would cost the embedded engine more than writing it did. Both are inserted by one command, the
moves first. Moves without their bucket are what a crash between the two left of a flush that nobody was told
was taken; they count for nothing.

Whoever needs the newest state reads the open moves first and the profile second: in the other order a fold
between the two reads would hide a bucket.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import BulkWriteError, DuplicateKeyError

from gateway.storage.batches import NAMED_AT_ONCE, batches
from gateway.storage.failures import BATCH_SECONDS, READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database


def bucket_id(process: str, seq: int) -> str:
    return f"{process}-{seq:012d}"


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    id: str
    visitor: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Move:
    visitor: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Bucket:
    """One flush of one process. Ids of events must differ inside it, and a visitor has one move at most."""

    process: str
    seq: int
    at: datetime
    events: tuple[LoggedEvent, ...]
    moves: tuple[Move, ...] = ()

    @property
    def id(self) -> str:
        return bucket_id(self.process, self.seq)

    @property
    def visitors(self) -> frozenset[str]:
        return frozenset(e.visitor for e in self.events) | frozenset(m.visitor for m in self.moves)


@dataclass(frozen=True, slots=True)
class OpenMove:
    process: str
    seq: int
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Erased:
    events: int
    buckets: int


DUPLICATE = 11000  # the code of a unique index that refuses


class DuplicateEvents(Exception):
    """Nothing of the bucket was written: these ids are in the log already."""

    def __init__(self, ids: frozenset[str]) -> None:
        super().__init__(f"{len(ids)} events are in the log already")
        self.ids = ids


class EventStore:
    def __init__(self, db: Database) -> None:
        self._events = db["events"]

    @guarded(within=WRITE_SECONDS)
    async def append(self, bucket: Bucket) -> None:
        """Durable on return. The very same bucket again changes nothing, so InDoubt may be answered by repeating.

        Raises DuplicateEvents (write the rest as another bucket), StoreUnavailable, InDoubt.
        """
        try:
            await self._events.insert_many([*_moves(bucket), _document(bucket)], ordered=True)
        except BulkWriteError as error:
            refusals = error.details["writeErrors"]
            if refusals and refusals[0]["code"] == DUPLICATE:
                await self._append_again(bucket)
                return
            if refusals:  # then its moves must not stay alone
                await self._events.delete_one({"_id": _moves_id(bucket.id)})
            raise

    async def _append_again(self, bucket: Bucket) -> None:
        """Something of it is there already: of an earlier attempt, or its events in another bucket."""
        try:
            await self._events.insert_one(_document(bucket))
        except DuplicateKeyError:
            if await self._events.find_one({"_id": bucket.id}, {"_id": 1}) is None:
                await self._events.delete_one({"_id": _moves_id(bucket.id)})
                raise DuplicateEvents(await self._known({e.id for e in bucket.events})) from None

    @guarded(within=READ_SECONDS)
    async def known(self, ids: Collection[str]) -> frozenset[str]:
        return await self._known(ids)

    async def _known(self, ids: Collection[str]) -> frozenset[str]:
        logged: set[str] = set()
        for batch in batches(list(ids)):
            found = await self._events.find({"events.i": {"$in": batch}}, {"events.i": 1}).to_list(None)
            logged.update(event["i"] for bucket in found for event in bucket["events"])
        return frozenset(ids) & logged

    @guarded(within=READ_SECONDS)
    async def open_moves(self, visitors: Collection[str]) -> dict[str, list[OpenMove]]:
        """What is not folded yet, oldest first; the moves of one process always in its own order."""
        wanted = list(visitors)
        theirs = {"$filter": {"input": "$moves", "cond": {"$in": ["$$this.v", wanted]}}}
        fields = {"p": 1, "n": 1, "at": 1, "moves": theirs}
        found = await self._events.find({"open": {"$in": wanted}}, fields).to_list(None)
        moves: dict[str, list[OpenMove]] = defaultdict(list)
        for bucket in _in_order(found):
            for move in bucket["moves"]:
                moves[move["v"]].append(OpenMove(bucket["p"], bucket["n"], bucket["at"], move["d"]))
        return dict(moves)

    async def close(self, bucket_ids: Collection[str]) -> None:
        """Say that the moves of these buckets are in the profiles. Interrupted, it has closed some of them."""
        for batch in batches([_moves_id(bucket_id) for bucket_id in bucket_ids]):
            await self._delete(batch)

    @guarded(within=WRITE_SECONDS)
    async def _delete(self, ids: Sequence[str]) -> None:
        await self._events.delete_many({"_id": {"$in": ids}})

    @guarded(within=BATCH_SECONDS)
    async def orphans(self, older_than: datetime, not_process: str, limit: int = 1_000) -> list[Bucket]:
        """Open moves of other processes that wrote none since, as buckets without events, for who finds them.

        The first `limit` of them, never one before an earlier one of its process. Moves whose bucket was never
        written are taken away.
        """
        others = {"open": {"$exists": True}, "p": {"$ne": not_process}}
        newest: dict[str, datetime] = {}
        for moves in await self._events.find(others, {"p": 1, "at": 1}).to_list(None):
            newest[moves["p"]] = max(moves["at"], newest.get(moves["p"], moves["at"]))
        silent = [process for process, at in newest.items() if at < older_than]
        theirs = {"open": {"$exists": True}, "p": {"$in": silent}}
        cursor = self._events.find(theirs, sort=[("p", 1), ("n", 1)], limit=limit)
        found = [_bucket(moves) for moves in _in_order(await cursor.to_list(None) if silent else [])]
        written = await self._written([bucket.id for bucket in found])
        await self.close([bucket.id for bucket in found if bucket.id not in written])
        return [bucket for bucket in found if bucket.id in written]

    async def _written(self, bucket_ids: Sequence[str]) -> set[str]:
        written: set[str] = set()
        for batch in batches(bucket_ids):
            found = await self._events.find({"_id": {"$in": batch}}, {"_id": 1}).to_list(None)
            written.update(bucket["_id"] for bucket in found)
        return written

    @guarded(within=BATCH_SECONDS)
    async def since(self, at: datetime, until: datetime, limit: int = 1_000) -> list[Bucket]:
        """Buckets received from `at` (inclusive) to `until`, oldest first, without their moves.

        Clocks differ between processes and inserts overtake each other: overlap the windows by some seconds and
        skip the ids that were seen.
        """
        window = {"at": {"$gte": at, "$lt": until}, "who": {"$exists": True}}
        found = self._events.find(window, sort=[("at", 1), ("_id", 1)], limit=limit)
        return [_bucket(document) for document in await found.to_list(None)]

    @guarded(within=READ_SECONDS)
    async def touched(self, since: datetime, not_process: str) -> dict[str, list[str]]:
        """The visitors of each bucket, by its id, that other processes wrote from then on, by their clocks."""
        window = {"at": {"$gte": since}, "who": {"$exists": True}, "p": {"$ne": not_process}}
        found = self._events.find(window, {"who": 1})
        return {bucket["_id"]: bucket["who"] for bucket in await found.to_list(None)}

    @guarded(within=BATCH_SECONDS)
    async def of_visitor(self, visitor: str, limit: int = 1_000) -> list[tuple[datetime, LoggedEvent]]:
        """The newest `limit` events, newest first, each with the time it was received."""
        fields = {
            "at": 1,
            "events": {"$filter": {"input": "$events", "cond": {"$eq": ["$$this.v", visitor]}}},
        }
        found = self._events.find({"who": visitor}, fields, sort=[("at", -1), ("_id", -1)], limit=limit)
        newest = [
            (bucket["at"], _event(event))
            for bucket in await found.to_list(None)
            for event in reversed(bucket.get("events") or ())
        ]
        return newest[:limit]

    async def erase(self, visitor: str) -> Erased:
        """Take everything of the visitor out of the log, whole documents where they hold nobody else."""
        await self._erase_moves(visitor)
        total = Erased(0, 0)
        while (step := await self._erase_some(visitor)).buckets:
            total = Erased(total.events + step.events, total.buckets + step.buckets)
        return total

    @guarded(within=6 * BATCH_SECONDS)
    async def _erase_some(self, visitor: str) -> Erased:
        fields = {"who": 1, "events.v": 1}
        found = await self._events.find({"who": visitor}, fields, limit=NAMED_AT_ONCE).to_list(None)
        await self._take_out(visitor, "who", found, {"events": {"v": visitor}, "who": visitor})
        events = sum(event["v"] == visitor for bucket in found for event in bucket.get("events", ()))
        return Erased(events, len(found))

    @guarded(within=6 * BATCH_SECONDS)
    async def _erase_moves(self, visitor: str) -> None:
        found = await self._events.find({"open": visitor}, {"open": 1}).to_list(None)
        for batch in batches(found):
            await self._take_out(visitor, "open", batch, {"moves": {"v": visitor}, "open": visitor})

    async def _take_out(
        self, visitor: str, names: str, found: Sequence[dict[str, Any]], theirs: dict[str, Any]
    ) -> None:
        """Of these documents, those that name only the visitor go; from the others `theirs` is pulled."""
        alone = [document["_id"] for document in found if document[names] == [visitor]]
        shared = [document["_id"] for document in found if document[names] != [visitor]]
        if alone:
            await self._events.delete_many({"_id": {"$in": alone}})
        if shared:
            await self._events.update_many({"_id": {"$in": shared}}, {"$pull": theirs})


def _in_order(found: Sequence[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """By time, but never a process's own buckets out of their order, even if its clock was set back."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in sorted(found, key=lambda d: (d["p"], d["n"])):
        runs[document["p"]].append(document)
    return heapq.merge(*runs.values(), key=lambda d: d["at"])


def _document(bucket: Bucket) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": bucket.id,
        "p": bucket.process,
        "n": bucket.seq,
        "at": bucket.at,
        "who": sorted(bucket.visitors),
    }
    # Absent rather than empty: the indexes on them are sparse.
    if bucket.events:
        document["events"] = [{"i": e.id, "v": e.visitor, "b": e.body} for e in bucket.events]
    return document


def _moves_id(bucket_id: str) -> str:
    return f"~{bucket_id}"


def _moves(bucket: Bucket) -> list[dict[str, Any]]:
    """The document of its moves, if it has any."""
    if not bucket.moves:
        return []
    return [
        {
            "_id": _moves_id(bucket.id),
            "p": bucket.process,
            "n": bucket.seq,
            "at": bucket.at,
            "open": [m.visitor for m in bucket.moves],
            "moves": [{"v": m.visitor, "d": m.body} for m in bucket.moves],
        }
    ]


def _bucket(found: dict[str, Any]) -> Bucket:
    events = tuple(_event(event) for event in found.get("events", ()))
    moves = tuple(Move(move["v"], move["d"]) for move in found.get("moves", ()))
    return Bucket(found["p"], found["n"], found["at"], events, moves)


def _event(found: dict[str, Any]) -> LoggedEvent:
    return LoggedEvent(found["i"], found["v"], found["b"])
