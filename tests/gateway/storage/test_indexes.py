from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandListener

from gateway.core.chains import EPOCH, Head, naming, seal
from gateway.core.keys import SigningKey
from gateway.storage.client import SpaceStore, Storage
from gateway.storage.content import Entry
from gateway.storage.control import StoredToken
from gateway.storage.decisions import DecisionBucket
from gateway.storage.drafts import DraftChange
from gateway.storage.events import Bucket, LoggedEvent, Move
from gateway.storage.indexes import CONTROL_INDEXES, Retention, audit_indexes, space_indexes
from gateway.storage.profiles import ProfileChange, StoredProfile

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)

# Read whole, on purpose: they are small and there is nothing to choose from, or all of it is to be proven.
LISTED_WHOLE = {"spaces", "tokens", "revisions", "audit"}


class Recorder(CommandListener):
    """Every filter that was sent, and where to."""

    def __init__(self) -> None:
        self.filters: list[tuple[str, str, dict[str, Any]]] = []

    def started(self, event: Any) -> None:
        command = event.command
        sent = {
            "find": lambda: [command["filter"]],
            "update": lambda: [update["q"] for update in command["updates"]],
            "delete": lambda: [delete["q"] for delete in command["deletes"]],
            "aggregate": lambda: [command["pipeline"][0]["$match"]],
        }.get(event.command_name, list)()
        self.filters += [(event.database_name, command[event.command_name], dict(q)) for q in sent]

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@pytest.fixture
async def watched(engine_url, prefix, storage, space):
    """The storage, and what it sends."""
    recorder = Recorder()
    client = AsyncIOMotorClient(engine_url, event_listeners=[recorder], tz_aware=True)
    yield Storage(client, prefix), recorder
    client.close()


async def use_content(space: SpaceStore) -> None:
    for body in (b"1", b"2"):
        await space.drafts.save([DraftChange("block", "a", body)], by="eve", at=NOON)
        await space.content.publish([Entry("block", "a", body), Entry("block", "b", body)], by="eve")
    await space.drafts.get("block", "a")
    await space.drafts.page()
    await space.drafts.page("block", keys=["a"])
    await space.drafts.page("block", after=("block", "a"))
    await space.drafts.delete("block", "a", expect_version=2)
    with pytest.raises(RuntimeError):
        await space.content.publish([Entry("block", "c", b"")], by="eve", on_progress=_fail)
    await space.content.tidy()
    await space.content.load(1)
    await space.content.changes(1, 2)
    await space.content.history("block", "a")
    await space.content.revisions()


def _fail(done: int, total: int) -> None:
    if done:
        raise RuntimeError("stopped")


async def use_events(space: SpaceStore) -> None:
    for seq, visitors in enumerate((["ann", "bob"], ["ann"])):
        events = tuple(LoggedEvent(f"{seq}{visitor}", visitor, b"") for visitor in visitors)
        bucket = Bucket("p", seq, NOON, events, tuple(Move(visitor, b"") for visitor in visitors))
        await space.events.append(bucket)
        await space.events.append(bucket)
    await space.events.known(["0ann", "x"])
    await space.events.open_moves(["ann", "bob"])
    await space.events.orphans(NOON + timedelta(1), "q")
    await space.events.since(NOON, NOON + timedelta(1))
    await space.events.touched(NOON, "q")
    await space.events.of_visitor("ann")
    await space.events.close(["p-000000000000"])
    await space.events.erase("ann")


async def use_the_rest(space: SpaceStore, storage: Storage) -> None:
    for version in (1, 2, 2):
        profile = StoredProfile(version, {"p": version}, b"", NOON)
        await space.profiles.write([ProfileChange("ann", version - 1, profile)])
    await space.profiles.get_many(["ann"])
    await space.profiles.get_many(["ann", "bob"])
    await space.decisions.append(DecisionBucket("d", NOON, ("ann",), b""))
    await space.decisions.get("d")
    await space.decisions.of_visitor("ann")
    await space.decisions.replace(DecisionBucket("d", NOON, ("ann",), b""), b"", [])
    await space.decisions.delete(["d"])
    for version in (0, 1):
        await space.states.put("s", b"", version)
    await space.states.get("s")
    await storage.control.create_space("main", NOON)
    await storage.control.spaces()
    await storage.control.create_token(StoredToken("t", "n", "main", (), False, NOON))
    await storage.control.find_token("t")
    await storage.control.tokens()
    await storage.control.tokens("main")
    await storage.control.revoke_token("t", NOON)
    await storage.control.secret("signing", b"1")
    await storage.control.find_secret("signing")
    await storage.control.replace_secret("signing", b"1", b"2")
    await storage.control.drop_secret("signing")


async def use_the_audit_log(storage: Storage) -> None:
    await storage.audit.prepare(timedelta(days=9))
    bucket = seal(Head.start("p"), [naming(0, [], timedelta(days=9))], SigningKey.of("secret"))
    await storage.audit.append(bucket)
    await storage.audit.naming()
    await storage.audit.last(bucket)
    await storage.audit.between(EPOCH, NOON, ["consent"], ["main"])
    assert [found async for found in storage.audit.all()] == [bucket]


async def test_every_query_has_its_index_and_every_index_its_query(engine_url, watched):
    storage, recorder = watched
    space = storage.space("main")
    await use_content(space)
    await use_events(space)
    await use_the_rest(space, storage)
    await use_the_audit_log(storage)
    used: set[tuple[str, str]] = set()
    scanned = []
    for db, collection, query in recorder.filters:
        if query or collection not in LISTED_WHOLE:
            index = await index_for(storage._client[db], collection, query)
            used.add((collection, index))
            if not index:
                scanned.append((collection, query))
    assert scanned == []
    every = {
        (collection, model.document["name"])
        for table in (space_indexes(Retention()), CONTROL_INDEXES, audit_indexes(timedelta(days=9)))
        for collection, models in table.items()
        for model in models
        if "expireAfterSeconds" not in model.document  # the store itself uses those
    }
    assert every - used == set()


async def index_for(db: Any, collection: str, query: dict[str, Any]) -> str:
    """The index that a query rides, or "". One clause that an index serves is enough for the whole."""
    for part in (query, *({field: clause} for field, clause in query.items())):
        explained = await db.command("explain", {"find": collection, "filter": part})
        stages = list(stages_of(explained["queryPlanner"]["winningPlan"]))
        if not any(stage["stage"] == "COLLSCAN" for stage in stages):
            return next((stage["indexName"] for stage in stages if "indexName" in stage), "_id_")
    return ""


def stages_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while plan:
        yield plan
        plan = plan.get("inputStage", {})


async def expiry(space: SpaceStore) -> int:
    return (await space._db["events"].index_information())["at_1"]["expireAfterSeconds"]


async def test_a_changed_retention_reaches_what_is_there(space):
    await space.prepare()
    assert await expiry(space) == Retention().events.total_seconds()
    await space.prepare(Retention(events=timedelta(days=7)))
    assert await expiry(space) == 7 * 86_400
    assert set(await space._db["events"].index_information()) == {
        "_id_",
        "events.i_1",
        "who_1_at_-1",
        "open_1",
        "at_1",
    }
