"""The audit log, in buckets that are inserted once and never changed; retention alone removes them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson.codec_options import DatetimeConversion
from pymongo.errors import DuplicateKeyError

from gateway.core.chains import EPOCH, HASH, Bucket, bucket_id
from gateway.errors import StoreUnavailable
from gateway.storage.failures import BATCH_SECONDS, READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database, audit_indexes, ensure

READ_AT_ONCE = 200
SHOWN_AT_ONCE = 50
LEAPS = 20

# How a bucket is kept: its field, the document's, and what type that has. The `_id` and the flag stand beside.
_FIELDS: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    "process": ("p", str),
    "number": ("n", int),
    "first": ("first", int),
    "at": ("at", datetime),
    "before": ("before", (datetime, type(None))),
    "previous": ("previous", bytes),
    "hashes": ("hashes", bytes),
    "body": ("body", bytes),
    "spaces": ("spaces", list),
    "kinds": ("kinds", list),
    "key": ("key", str),
    "signature": ("signature", bytes),
}
_NAMING = "naming"  # the time of a bucket that names heads, in no other bucket: its index is sparse
_KNOWN = {"_id", *(name for name, _ in _FIELDS.values())}


class AuditStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        # Whatever somebody has put there can be read, and then is no bucket.
        lenient = db.codec_options.with_options(
            datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
        )
        self._audit = db.get_collection("audit", codec_options=lenient)

    async def prepare(self, retention: timedelta) -> None:
        await ensure(self._db, audit_indexes(retention))

    @guarded(within=WRITE_SECONDS)
    async def append(self, bucket: Bucket) -> None:
        """Durable on return. The very same bucket again changes nothing. Raises StoreUnavailable, InDoubt."""
        try:
            await self._audit.insert_one(_document(bucket))
        except DuplicateKeyError:
            there = await self._audit.find_one({"_id": bucket.id})
            if there is None or _bucket(there) != bucket:
                raise StoreUnavailable(
                    f"something else stands in the audit log where {bucket.id} belongs; "
                    "look with `blockloom audit verify`, and restart this process"
                ) from None

    @guarded(within=BATCH_SECONDS)
    async def naming(self, limit: int = 0) -> list[Bucket]:
        """Buckets that name heads, newest first; 0: all of them."""
        since = {_NAMING: {"$gte": EPOCH}}
        found = self._audit.find(since, sort=[(_NAMING, -1)], limit=limit)
        return [bucket for bucket in map(_bucket, await found.to_list(None)) if bucket is not None]

    @guarded(within=READ_SECONDS)
    async def last(self, known: Bucket) -> Bucket:
        """The last bucket of the chain, from one of it that is known; in ever shorter leaps, for ids are cheap
        to look up and orders are not."""
        while True:
            ids = [bucket_id(known.process, known.number + 2**leap) for leap in range(LEAPS)]
            found = self._audit.find({"_id": {"$in": ids}})
            further = [bucket for bucket in map(_bucket, await found.to_list(None)) if bucket is not None]
            if not further:
                return known
            known = max(further, key=lambda bucket: bucket.number)

    @guarded(within=READ_SECONDS)
    async def count(self) -> int:
        return int(await self._audit.estimated_document_count())

    async def all(self) -> AsyncIterator[Bucket | str]:
        """Each chain in its order; what is no bucket comes as its id."""
        cursor = self._audit.find({}, sort=[("_id", 1)], batch_size=READ_AT_ONCE)
        while batch := await _batch(cursor):
            for found in batch:
                yield _bucket(found) or f"_id {found['_id']!r}"

    @guarded(within=BATCH_SECONDS)
    async def between(
        self, since: datetime, until: datetime, kinds: Sequence[str] = (), spaces: Sequence[str] = ()
    ) -> list[Bucket]:
        """Those made from `since` to `until` (inclusive), newest first; SHOWN_AT_ONCE at most.

        `kinds`, `spaces`: those with an entry of one of these; none named, all.
        """
        one_of = {
            name: {"$in": list(words)} for name, words in (("kinds", kinds), ("spaces", spaces)) if words
        }
        wanted = {"at": {"$gte": since, "$lte": until}, **one_of}
        found = self._audit.find(wanted, sort=[("at", -1), ("_id", -1)], limit=SHOWN_AT_ONCE)
        return [bucket for bucket in map(_bucket, await found.to_list(None)) if bucket is not None]


@guarded(within=6 * BATCH_SECONDS)
async def _batch(cursor: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await cursor.to_list(READ_AT_ONCE)
    return found


def _document(bucket: Bucket) -> dict[str, Any]:
    document: dict[str, Any] = {"_id": bucket.id}
    for field, (name, _) in _FIELDS.items():
        value = getattr(bucket, field)
        document[name] = list(value) if isinstance(value, tuple) else value
    if bucket.naming:
        document[_NAMING] = bucket.at
    return document


def _bucket(found: Mapping[str, Any]) -> Bucket | None:
    """None: it is not as we write them. Whether it is one of ours its signature says."""
    naming = _NAMING in found
    if found.keys() - {_NAMING} != _KNOWN or (naming and found[_NAMING] != found["at"]):
        return None
    values = {field: found[name] for field, (name, _) in _FIELDS.items()}
    if not all(_is(values[field], type_) for field, (_, type_) in _FIELDS.items()):
        return None
    bucket = Bucket(**{**values, "naming": naming, **_texts(values)})
    sizes = bucket.number > 0 and bucket.first > 0 and bucket.hashes and not len(bucket.hashes) % HASH
    return bucket if sizes and bucket.id == found["_id"] else None


def _is(value: object, type_: type | tuple[type, ...]) -> bool:
    return isinstance(value, type_) and not isinstance(value, bool)


def _texts(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {field: tuple(map(str, values[field])) for field in ("spaces", "kinds")}
