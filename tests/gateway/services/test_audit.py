import asyncio
import sys
from datetime import timedelta

import pytest

from gateway.core.chains import Bucket
from gateway.core.proofs import Proof
from gateway.errors import Overloaded, StoreUnavailable
from gateway.services import audit as module
from gateway.services.audit import Audit
from gateway.services.evidence import prove
from gateway.storage.audit import AuditStore
from gateway.storage.client import Storage
from schemas.vocabulary import AuditKind
from tests.documents import ROOT
from tests.gateway.core.logs import KEYS, told

CONSENT, ACCESS, REFUSED, LOST = AuditKind.CONSENT, AuditKind.ACCESS, AuditKind.TOKEN_REFUSED, AuditKind.LOST
KEPT = timedelta(days=30)


async def audit_of(storage: Storage, process: str = "p", store: AuditStore | None = None) -> Audit:
    audit = Audit(store or storage.audit, process, KEYS, KEPT)
    await audit.open()
    return audit


async def buckets(storage: Storage) -> list[Bucket]:
    found = [one async for one in storage.audit.all()]
    assert all(isinstance(one, Bucket) for one in found)
    return found


async def recorded(storage: Storage) -> list[tuple[str, dict[str, object]]]:
    """Kinds and details, without what the log says of itself."""
    entries = [entry for bucket in await buckets(storage) for entry in bucket.entries()]
    return [(str(entry.kind), entry.details) for entry in entries if entry.kind != AuditKind.CHAIN]


async def proven(storage: Storage) -> Proof:
    proof = await prove(storage.audit, KEYS.public, KEPT)
    assert told(proof) == []
    return proof


async def test_what_is_written_is_there_and_says_where(storage: Storage) -> None:
    audit = await audit_of(storage)
    subject = KEYS.pseudonyms("main").of("ann")
    assert await audit.write(CONSENT, "main", "website", subject, {"granted": True}) == "p-2"
    (bucket,) = await buckets(storage)
    opening, entry = bucket.entries()
    assert (opening.kind, opening.details) == (AuditKind.CHAIN, {"heads": {}, "days": 30})
    assert entry[1:] == (CONSENT, "main", "website", subject, {"granted": True})
    await proven(storage)


async def test_notes_are_gathered_and_taken_along(storage: Storage) -> None:
    audit = await audit_of(storage)
    for number in range(3):
        audit.note(ACCESS, "main", "website", details={"number": number})
    assert await buckets(storage) == []
    assert await audit.write(CONSENT, "main", "website") == "p-5"
    assert len(await buckets(storage)) == 1
    audit.note(ACCESS, "main", "website", details={"number": 3})
    await audit.flush()
    assert [details.get("number") for _, details in await recorded(storage)] == [0, 1, 2, None, 3]
    assert (await proven(storage)).entries == 6


async def test_nothing_to_say_writes_nothing(storage: Storage) -> None:
    audit = await audit_of(storage)
    await audit.flush()
    assert await buckets(storage) == []


async def test_many_who_write_at_once_share_buckets(storage: Storage) -> None:
    audit = await audit_of(storage)
    found = await asyncio.gather(*(audit.write(CONSENT, "main", str(number)) for number in range(100)))
    assert sorted(found, key=lambda id_: int(id_[2:])) == [f"p-{number}" for number in range(2, 102)]
    assert len(await buckets(storage)) <= 3
    await proven(storage)


async def test_more_than_goes_into_one_bucket_goes_into_several(storage: Storage) -> None:
    audit = await audit_of(storage)
    for number in range(1_200):
        audit.note(ACCESS, "main", "website", details={"number": number})
    await audit.flush()
    assert [bucket.count for bucket in await buckets(storage)] == [500, 500, 201]
    assert [details["number"] for _, details in await recorded(storage)] == list(range(1_200))
    await proven(storage)


async def test_what_waited_for_long_is_told_in_buckets_of_a_minute(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = await audit_of(storage)
    for minutes in (0, 0.5, 1.5, 2, 10, 9):  # the clock is set back once
        monkeypatch.setattr("time.time", lambda minutes=minutes: 1_796_500_000 + 60 * minutes)
        audit.note(ACCESS, "main", "website")
    await audit.flush()
    found = await buckets(storage)
    assert [bucket.count for bucket in found] == [3, 2, 2]
    assert [bucket.at for bucket in found] == sorted(bucket.at for bucket in found)
    await proven(storage)


# --- several processes ---


async def test_a_chain_begins_by_naming_those_that_nobody_has_named(storage: Storage) -> None:
    one, two, three = [await audit_of(storage, process) for process in ("p", "q", "r")]
    for audit in (one, two, one, three):
        await audit.write(CONSENT, "main", "website")
    named = {bucket.process: bucket.entries()[0].details["heads"] for bucket in await storage.audit.naming()}
    heads = {
        process: {name: number for name, (number, *_) in found.items()} for process, found in named.items()
    }
    assert heads == {"p": {}, "q": {"p": 1}, "r": {"p": 2, "q": 1}}
    assert [head.process for head in (await proven(storage)).heads()] == ["r"]


async def test_a_chain_that_lives_long_names_the_others_again(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = [await audit_of(storage, process) for process in ("p", "q")]
    for audit in (one, two, two):
        await audit.write(CONSENT, "main", "website")
    monkeypatch.setattr(module, "NAMING_MILLIS", 0)
    await one.write(CONSENT, "main", "website")
    assert [head.process for head in (await proven(storage)).heads()] == ["p"]


async def test_processes_that_write_at_once_do_not_wait_for_each_other(storage: Storage) -> None:
    audits = [await audit_of(storage, f"p{number}") for number in range(4)]
    ids = await asyncio.gather(
        *(audits[n % 4].write(CONSENT, "main", "x", details={"n": n}) for n in range(80))
    )
    assert len(set(ids)) == 80
    assert sorted(details["n"] for _, details in await recorded(storage)) == list(range(80))
    assert (await proven(storage)).chains == 4


async def test_a_kill_leaves_a_log_that_is_proven(storage: Storage, engine_url: str, prefix: str) -> None:
    """Two processes, killed at different moments, and one that lives on."""
    await storage.audit.prepare(KEPT)
    command = [sys.executable, "-m", "tests.gateway.services.audit_writer", engine_url, prefix]
    alive = await audit_of(storage, "alive")
    writers = [
        await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
        for _ in range(2)
    ]
    told_durable = []
    for count, writer in enumerate(writers, 3):
        assert writer.stdout is not None
        told_durable += [(await writer.stdout.readline()).decode().strip() for _ in range(count)]
        await alive.write(CONSENT, "main", "website")
        writer.kill()
        await writer.wait()
    last = await audit_of(storage, "zlast")
    await last.write(CONSENT, "main", "website")
    proof = await proven(storage)
    assert proof.chains == 4
    assert {head.process for head in proof.heads()} == {"zlast"}
    stored = {(bucket.process, bucket.head.last) for bucket in await buckets(storage)}
    lasts = dict(sorted(stored))
    assert len(set(told_durable)) == 3 + 4
    for id_ in told_durable:
        process, number = id_.split("-")
        assert int(number) <= lasts[process]


# --- the store is away, or slow ---


class Away(AuditStore):
    """The store of the log, which can be switched off, and can take a bucket without saying so."""

    def __init__(self, store: AuditStore) -> None:
        super().__init__(store._db)
        self.off = False
        self.silent = False

    async def append(self, bucket: Bucket) -> None:
        if self.off:
            raise StoreUnavailable("the store is away")
        await super().append(bucket)
        if self.silent:
            await asyncio.sleep(60)


async def test_while_the_store_is_away_writers_are_told_and_everything_waits(storage: Storage) -> None:
    store = Away(storage.audit)
    audit = await audit_of(storage, store=store)
    store.off = True
    audit.note(ACCESS, "main", "website", details={"n": 1})
    for number in (2, 3):
        with pytest.raises(StoreUnavailable):
            await audit.write(CONSENT, "main", "website", details={"n": number})
    with pytest.raises(StoreUnavailable):
        await audit.flush()
    store.off = False
    await audit.flush()
    assert await recorded(storage) == [("access", {"n": 1}), ("consent", {"n": 2}), ("consent", {"n": 3})]
    assert audit.lost == 0
    await proven(storage)


async def test_a_bucket_that_was_taken_without_a_word_is_there_once(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.5)
    store = Away(storage.audit)
    audit = await audit_of(storage, store=store)
    store.silent = True
    with pytest.raises(StoreUnavailable, match="send it again"):
        await audit.write(CONSENT, "main", "website", details={"n": 1})
    store.silent = False
    assert await audit.write(CONSENT, "main", "website", details={"n": 2}) == "p-3"
    assert await recorded(storage) == [("consent", {"n": 1}), ("consent", {"n": 2})]
    await proven(storage)


async def test_what_cannot_be_kept_is_counted_and_the_log_says_so(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 5)
    monkeypatch.setattr(module, "REFUSALS", 2)
    audit = await audit_of(storage)
    for _ in range(9):
        audit.note(ACCESS, "main", "website")
        audit.note(REFUSED, "", "")
    assert audit.lost == 4 + 7
    await audit.flush()
    first, *others = await recorded(storage)
    assert first == (LOST, {"access": 4, "token-refused": 7})
    assert sorted(kind for kind, _ in others) == ["access"] * 5 + ["token-refused"] * 2
    assert (await proven(storage)).lost == 11
    audit.note(REFUSED, "", "")
    await audit.flush()
    assert (audit.lost, (await proven(storage)).lost) == (11, 11)


async def test_a_writer_is_refused_when_too_much_waits(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 2)
    store = Away(storage.audit)
    audit = await audit_of(storage, store=store)
    store.off = True
    for _ in range(2):
        audit.note(CONSENT, "main", "website")
    with pytest.raises(Overloaded):
        await audit.write(CONSENT, "main", "website")
    assert audit.lost == 0


async def test_what_was_tampered_with_does_not_keep_others_from_writing(storage: Storage) -> None:
    one = await audit_of(storage, "p")
    await one.write(CONSENT, "main", "website")
    await storage.audit._audit.update_many({}, {"$set": {"body": b"nonsense"}})
    two = await audit_of(storage, "q")
    await two.write(CONSENT, "main", "website")
    assert told(await prove(storage.audit, KEYS.public, KEPT)) == [
        "p: bucket 1 (entries 1 to 2): changed after it was signed"
    ]
