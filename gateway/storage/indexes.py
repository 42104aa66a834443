"""What every collection of a space is indexed by. The queries beside them live in the stores.

The embedded engine looks up one clause of a filter, the first that an index of one field (or the
first field of a longer one) serves, and tests the others on what it found. So indexes are on one field, and
filters name the most selective clause first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import OperationFailure

from gateway.storage.failures import BATCH_SECONDS, guarded

Database = AsyncIOMotorDatabase[dict[str, Any]]

_OPTIONS_DIFFER = {85, 86}  # IndexOptionsConflict, IndexKeySpecsConflict


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is kept of visitors stays. A profile's time starts anew with each visit."""

    events: timedelta = timedelta(days=400)
    profiles: timedelta = timedelta(days=400)
    decisions: timedelta = timedelta(days=30)


def _index(field: str, *more: tuple[str, int], **options: Any) -> IndexModel:
    return IndexModel([(field, ASCENDING), *more], **options)


def _expiring(field: str, after: timedelta) -> IndexModel:
    return _index(field, expireAfterSeconds=int(after.total_seconds()))


def space_indexes(retention: Retention) -> Mapping[str, Sequence[IndexModel]]:
    return {
        "drafts": [_index("ref")],
        "published": [
            _index("ref"),
            _index("from"),
            _index("to"),
            _index("expires", expireAfterSeconds=0, sparse=True),
        ],
        "events": [
            # sparse: a bucket without events must not meet another one without events
            _index("events.i", unique=True, sparse=True),
            _index("who", ("at", DESCENDING)),
            _index("open", sparse=True),
            _expiring("at", retention.events),
        ],
        "profiles": [_expiring("seen", retention.profiles)],
        "decisions": [_index("visitors"), _expiring("at", retention.decisions)],
    }


def audit_indexes(retention: timedelta) -> Mapping[str, Sequence[IndexModel]]:
    """Of the control database too."""
    return {"audit": [_index("naming", sparse=True), _expiring("at", retention)]}


CONTROL_INDEXES: Mapping[str, Sequence[IndexModel]] = {"tokens": [_index("space")]}


@guarded(within=6 * BATCH_SECONDS)
async def ensure(db: Database, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
    """Create what is missing and give a changed retention to what is there."""
    for collection, models in indexes.items():
        try:
            await db[collection].create_indexes(list(models))
        except OperationFailure as error:
            if error.code not in _OPTIONS_DIFFER:
                raise
            await _change_retention(db, collection, models)


@guarded(within=BATCH_SECONDS)
async def missing(db: Database, indexes: Mapping[str, Sequence[IndexModel]]) -> list[str]:
    """Indexes that are not there, as `events.who_1_at_-1`."""
    found: list[str] = []
    for collection, models in indexes.items():
        there = await db[collection].index_information()
        found += [f"{collection}.{m.document['name']}" for m in models if m.document["name"] not in there]
    return found


async def _change_retention(db: Database, collection: str, models: Sequence[IndexModel]) -> None:
    there = await db[collection].index_information()
    for model in models:
        name, seconds = model.document["name"], model.document.get("expireAfterSeconds")
        if seconds is not None and name in there:
            change = {"name": name, "expireAfterSeconds": seconds}
            await db.command("collMod", collection, index=change)
    await db[collection].create_indexes(list(models))
