"""The rows of published content: one document for what a revision made of a block, a page or a segment.

{_id: "block:hero@7", ref: "block:hero", from: 7, to: 2^53 or the revision that replaced it, body,
 over: replaces something visible, gone: takes it away, expires: date}
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from gateway.storage.batches import INSERTED_AT_ONCE, NAMED_AT_ONCE
from gateway.storage.drafts import ref
from gateway.storage.failures import BATCH_SECONDS, guarded
from gateway.storage.indexes import Database

OPEN = 2**53


@dataclass(frozen=True, slots=True)
class Entry:
    """What a publication says about one thing: its body, or None to take it away."""

    kind: str
    key: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Row:
    kind: str
    key: str
    revision: int
    """The revision that brought it."""
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Revision:
    number: int
    at: datetime
    by: str
    note: str
    put: int
    removed: int


class Rows:
    """The rows, and beside them a note of each revision."""

    def __init__(self, db: Database) -> None:
        self._published = db["published"]
        self._revisions = db["revisions"]

    async def find(
        self, query: Mapping[str, Any], fields: Mapping[str, int] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        cursor = self._published.find(query, fields, batch_size=INSERTED_AT_ONCE)

        @guarded(within=BATCH_SECONDS)
        async def more() -> list[dict[str, Any]]:
            return await cursor.to_list(INSERTED_AT_ONCE)

        while found := await more():
            for row in found:
                yield row

    @guarded(within=BATCH_SECONDS)
    async def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        await self._published.insert_many(rows, ordered=False)

    @guarded(within=BATCH_SECONDS)
    async def end(self, ids: Sequence[str], end: int, expires: datetime) -> None:
        change = {"$set": {"to": end, "expires": expires}}
        await self._published.update_many({"_id": {"$in": list(ids)}}, change)

    @guarded(within=BATCH_SECONDS)
    async def note(self, revision: Revision) -> None:
        counts = {"put": revision.put, "removed": revision.removed}
        said = {"_id": revision.number, "at": revision.at, "by": revision.by, "note": revision.note}
        await self._revisions.insert_one(said | counts)

    @guarded(within=BATCH_SECONDS)
    async def revisions(self, limit: int) -> list[Revision]:
        """What was noted, newest first, void numbers too."""
        found = await self._revisions.find({}, sort=[("_id", -1)], limit=limit).to_list(None)
        return [Revision(r["_id"], r["at"], r["by"], r["note"], r["put"], r["removed"]) for r in found]

    @guarded(within=BATCH_SECONDS)
    async def sweep_some(self, revision: int) -> bool:
        """Delete a batch of what that revision wrote; False when nothing is left."""
        found = await self._published.find({"from": revision}, {"_id": 1}, limit=NAMED_AT_ONCE).to_list(None)
        if found:
            await self._published.delete_many({"_id": {"$in": [row["_id"] for row in found]}})
        else:
            await self._revisions.delete_one({"_id": revision})
        return bool(found)


def document(entry: Entry, over: bool, number: int) -> dict[str, Any]:
    name = ref(entry.kind, entry.key)
    row = {"_id": f"{name}@{number}", "ref": name, "from": number, "to": OPEN, "body": entry.body}
    return row | ({"over": True} if over else {}) | ({"gone": True} if entry.body is None else {})


def replaced(rows: Iterable[dict[str, Any]]) -> list[tuple[int, str]]:
    """(the revision that ended it, its id) of each unmarked row that a newer one replaced."""
    ordered = sorted(rows, key=lambda row: (row["ref"], row["from"]))
    return [
        (newer["from"], older["_id"])
        for older, newer in pairwise(ordered)
        if older["ref"] == newer["ref"] and older["to"] == OPEN
    ]


def removals(rows: Iterable[dict[str, Any]]) -> list[tuple[int, str]]:
    newest = {row["ref"]: row for row in sorted(rows, key=lambda row: row["from"])}
    return [(row["from"], row["_id"]) for row in newest.values() if row.get("gone") and row["to"] == OPEN]


def row_of(found: dict[str, Any]) -> Row:
    kind, _, key = found["ref"].partition(":")
    return Row(kind, key, found["from"], found["body"])
