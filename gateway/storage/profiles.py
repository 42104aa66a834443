"""Profiles: what the events of a visitor add up to, moved on by compare-and-set.

A profile is a fold of the event log. Its clock says up to which bucket of each process it has been folded,
so that folding the same bucket twice changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from gateway.storage.batches import batches
from gateway.storage.failures import READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database

_DUPLICATE = 11000


@dataclass(frozen=True, slots=True)
class StoredProfile:
    version: int
    clock: Mapping[str, int]
    body: bytes
    seen: datetime
    forgotten: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProfileChange:
    visitor: str
    expected_version: int
    """0: there is no profile yet."""
    profile: StoredProfile


class ProfileStore:
    def __init__(self, db: Database) -> None:
        self._profiles = db["profiles"]

    @guarded(within=READ_SECONDS)
    async def get_many(self, visitors: Collection[str]) -> dict[str, StoredProfile]:
        if len(visitors) == 1:
            (visitor,) = visitors
            one = await self._profiles.find_one({"_id": visitor})
            return {visitor: _profile(one)} if one else {}
        return {name: _profile(found) for name, found in (await self._there(list(visitors))).items()}

    async def _there(self, visitors: Sequence[str]) -> dict[str, dict[str, Any]]:
        there: dict[str, dict[str, Any]] = {}
        for batch in batches(visitors):
            found = await self._profiles.find({"_id": {"$in": batch}}).to_list(None)
            there |= {document["_id"]: document for document in found}
        return there

    @guarded(within=2 * WRITE_SECONDS)
    async def write(self, changes: Sequence[ProfileChange]) -> set[str]:
        """The visitors whose compare-and-set was lost: read them again, fold again.

        A visitor may be named among the lost although the change stands (after a third writer);
        folding again is then a no-op by the clock.
        """
        lost = await self._insert([change for change in changes if change.expected_version == 0])
        return lost | await self._replace([change for change in changes if change.expected_version])

    async def _insert(self, changes: Sequence[ProfileChange]) -> set[str]:
        # Inserts apart from updates: the embedded engine takes them ten times as fast.
        if not changes:
            return set()
        try:
            await self._profiles.insert_many([_document(c) for c in changes], ordered=False)
        except BulkWriteError as error:
            refused = error.details["writeErrors"]
            if any(refusal["code"] != _DUPLICATE for refusal in refused):
                raise
            return {changes[refusal["index"]].visitor for refusal in refused}
        return set()

    async def _replace(self, changes: Sequence[ProfileChange]) -> set[str]:
        if not changes:
            return set()
        writes = [
            ReplaceOne({"_id": c.visitor, "version": c.expected_version}, _document(c)) for c in changes
        ]
        done = await self._profiles.bulk_write(writes, ordered=False)
        return set() if done.matched_count == len(changes) else await self._not_standing(changes)

    async def _not_standing(self, changes: Sequence[ProfileChange]) -> set[str]:
        # A version alone cannot tell: the winner wrote the same number.
        there = await self._there([change.visitor for change in changes])
        return {c.visitor for c in changes if not _same(there.get(c.visitor), _document(c))}


def _same(found: dict[str, Any] | None, meant: dict[str, Any]) -> bool:
    return found is not None and all(found[k] == meant[k] for k in ("version", "clock", "body"))


def _document(change: ProfileChange) -> dict[str, Any]:
    profile = change.profile
    document = {
        "_id": change.visitor,
        "version": profile.version,
        "clock": dict(profile.clock),
        "body": profile.body,
        "seen": profile.seen,
    }
    if profile.forgotten is not None:
        document["forgotten"] = profile.forgotten
    return document


def _profile(found: dict[str, Any]) -> StoredProfile:
    return StoredProfile(
        found["version"], found["clock"], found["body"], found["seen"], found.get("forgotten")
    )
