"""Drafts: what editors are working on, apart from what visitors see."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from gateway.errors import Conflict
from gateway.storage.batches import batches
from gateway.storage.failures import READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database

_TRIES = 5
_DUPLICATE = 11000


@dataclass(frozen=True, slots=True)
class Draft:
    kind: str
    key: str
    body: bytes
    version: int
    state: str
    updated: datetime
    by: str


@dataclass(frozen=True, slots=True)
class DraftChange:
    kind: str
    key: str
    body: bytes
    state: str = "draft"


class DraftStore:
    def __init__(self, db: Database) -> None:
        self._drafts = db["drafts"]

    @guarded(within=WRITE_SECONDS)
    async def page(
        self,
        kind: str | None = None,
        keys: Collection[str] | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 1_000,
    ) -> list[Draft]:
        """In the order of kind and key. `keys` needs a kind; `after` is the last (kind, key) of the page before."""
        if kind is not None and keys is not None:
            query: dict[str, Any] = {"_id": {"$in": [ref(kind, key) for key in keys]}}
        else:
            query = {"ref": _span(kind, after)}
        found = await self._drafts.find(query, sort=[("ref", 1)], limit=limit).to_list(None)
        return [_draft(document) for document in found]

    @guarded(within=READ_SECONDS)
    async def get(self, kind: str, key: str) -> Draft | None:
        found = await self._drafts.find_one({"_id": ref(kind, key)})
        return _draft(found) if found else None

    async def save(
        self, changes: Sequence[DraftChange], *, by: str, at: datetime, expect_version: int | None = None
    ) -> list[int]:
        """The version of each, in order. A change that says what is there already makes no new version.

        With `expect_version` (0: not there yet) each draft must stand at it, or Conflict is raised.
        """
        versions: list[int] = []
        for batch in batches(changes):
            versions += await self._save(batch, by, at, expect_version)
        return versions

    @guarded(within=4 * WRITE_SECONDS)
    async def _save(
        self, changes: Sequence[DraftChange], by: str, at: datetime, expected: int | None
    ) -> list[int]:
        for _ in range(_TRIES):
            there = await self._there([ref(change.kind, change.key) for change in changes])
            _expect(changes, there, expected)
            documents = [_document(c, there.get(ref(c.kind, c.key)), by, at) for c in changes]
            todo = [d for d in documents if there.get(d["_id"]) is not d]
            if await self._write(todo):
                return [document["version"] for document in documents]
            if expected is not None:
                break
        raise _changed_meanwhile(changes[0])

    async def _there(self, refs: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = await self._drafts.find({"_id": {"$in": list(refs)}}).to_list(None)
        return {document["_id"]: document for document in found}

    async def _write(self, documents: Sequence[dict[str, Any]]) -> bool:
        """False: at least one lost its compare-and-set."""
        new = [d for d in documents if d["version"] == 1]
        moved = [
            ReplaceOne({"_id": d["_id"], "version": d["version"] - 1}, d)
            for d in documents
            if d["version"] > 1
        ]
        if new and not await self._insert(new):
            return False
        return not moved or (await self._drafts.bulk_write(moved, ordered=False)).matched_count == len(moved)

    async def _insert(self, documents: Sequence[dict[str, Any]]) -> bool:
        try:
            await self._drafts.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(refusal["code"] != _DUPLICATE for refusal in error.details["writeErrors"]):
                raise
            return False
        return True

    @guarded(within=WRITE_SECONDS)
    async def delete(self, kind: str, key: str, expect_version: int | None = None) -> bool:
        """False: there was none. Raises Conflict when it stands at another version than expected."""
        query: dict[str, Any] = {"_id": ref(kind, key)}
        if expect_version is not None:
            query["version"] = expect_version
        gone = (await self._drafts.delete_one(query)).deleted_count == 1
        if not gone and expect_version and await self._drafts.find_one({"_id": query["_id"]}):
            raise _changed_meanwhile(DraftChange(kind, key, b""))
        return gone


def ref(kind: str, key: str) -> str:
    return f"{kind}:{key}"


def _span(kind: str | None, after: tuple[str, str] | None) -> dict[str, str]:
    first = ref(*after) if after else ref(kind, "") if kind else ""
    return {"$gt": first, "$lt": f"{kind};"} if kind else {"$gt": first}  # ";" follows ":"


def _expect(
    changes: Sequence[DraftChange], there: Mapping[str, dict[str, Any]], expected: int | None
) -> None:
    for change in changes:
        found = there.get(ref(change.kind, change.key))
        if expected is not None and (found["version"] if found else 0) != expected:
            raise _changed_meanwhile(change)


def _changed_meanwhile(change: DraftChange) -> Conflict:
    return Conflict(
        f"{change.kind} {change.key!r} was changed by somebody else meanwhile; read it again and repeat"
    )


def _document(change: DraftChange, there: dict[str, Any] | None, by: str, at: datetime) -> dict[str, Any]:
    """The very document that is there when the change says nothing new."""
    if there and (there["body"], there["state"]) == (change.body, change.state):
        return there
    name = ref(change.kind, change.key)
    return {
        "_id": name,
        "ref": name,  # once more, because ranges of _id are not indexed in the embedded engine
        "body": change.body,
        "version": there["version"] + 1 if there else 1,
        "state": change.state,
        "updated": at,
        "by": by,
    }


def _draft(found: dict[str, Any]) -> Draft:
    kind, _, key = found["_id"].partition(":")
    return Draft(kind, key, found["body"], found["version"], found["state"], found["updated"], found["by"])
