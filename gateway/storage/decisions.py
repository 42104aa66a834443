"""Past choices, in buckets: kept for a while, so that each can be explained and forgotten."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from gateway.storage.failures import READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database


@dataclass(frozen=True, slots=True)
class DecisionBucket:
    id: str
    at: datetime
    visitors: tuple[str, ...]
    body: bytes


class DecisionStore:
    def __init__(self, db: Database) -> None:
        self._decisions = db["decisions"]

    @guarded(within=WRITE_SECONDS)
    async def append(self, bucket: DecisionBucket) -> None:
        """The same bucket again changes nothing."""
        document = {
            "_id": bucket.id,
            "at": bucket.at,
            "visitors": list(bucket.visitors),
            "body": bucket.body,
        }
        try:
            await self._decisions.insert_one(document)
        except DuplicateKeyError:
            return

    @guarded(within=READ_SECONDS)
    async def get(self, bucket_id: str) -> DecisionBucket | None:
        found = await self._decisions.find_one({"_id": bucket_id})
        if found is None:
            return None
        return DecisionBucket(found["_id"], found["at"], tuple(found["visitors"]), found["body"])

    @guarded(within=READ_SECONDS)
    async def of_visitor(self, visitor: str, limit: int = 10_000) -> list[str]:
        """The buckets to rewrite when the visitor is to be forgotten."""
        found = self._decisions.find({"visitors": visitor}, {"_id": 1}, limit=limit)
        return [document["_id"] for document in await found.to_list(None)]

    @guarded(within=WRITE_SECONDS)
    async def replace(self, found: DecisionBucket, body: bytes, visitors: Collection[str]) -> bool:
        """False: somebody else has taken a visitor out meanwhile; read it again."""
        same = {"_id": found.id, "visitors": list(found.visitors)}
        change = {"$set": {"body": body, "visitors": list(visitors)}}
        return (await self._decisions.update_one(same, change)).matched_count == 1

    @guarded(within=WRITE_SECONDS)
    async def delete(self, bucket_ids: Collection[str]) -> int:
        return (await self._decisions.delete_many({"_id": {"$in": list(bucket_ids)}})).deleted_count
