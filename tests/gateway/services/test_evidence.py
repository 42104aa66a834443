from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.chains import Entry, Head, moment_of, naming, seal
from gateway.errors import BadInput
from gateway.services.evidence import Page, Wanted, page, prove
from gateway.storage.client import Storage
from schemas.vocabulary import AuditKind
from tests.gateway.core.logs import DAY, KEPT, KEYS, LATELY, log, told

CONSENT, EXPORT = AuditKind.CONSENT, AuditKind.EXPORT
FIRST = LATELY - 600 * DAY


async def filled(storage: Storage) -> Storage:
    """Numbers ascend with time: three processes, buckets of different sizes, from minutes to years apart."""
    heads: dict[str, Head] = {}
    number, at = 0, FIRST
    for process, count, pause in (
        ("p", 3, 0), ("q", 1, 10), ("p", 2, 200_000), ("r", 4, DAY), ("p", 1, 1),
        ("q", 2, 90 * DAY), ("r", 1, 500 * DAY),
    ):  # fmt: skip
        at += pause
        entries = []
        for _ in range(count):
            at, number = at + 1, number + 1
            kind, space = (EXPORT, "shop") if number % 3 == 0 else (CONSENT, "main")
            entries.append(Entry(at, kind, space, "website", "", {"n": number}))
        if process not in heads:
            entries.insert(0, naming(entries[0].at, [], KEPT))
        bucket = seal(heads.get(process, Head.start(process)), entries, KEYS.signing)
        heads[process] = bucket.head
        await storage.audit.append(bucket)
    return storage


ALL = list(range(14, 0, -1))
EXPORTED = [12, 9, 6, 3]


async def read(storage: Storage, wanted: Wanted = Wanted(("main", "shop")), first: int = 50) -> list[int]:  # noqa: B008
    """All pages, one after the other."""
    found: list[int] = []
    cursor, more = None, True
    while more:
        got = await page(storage.audit, KEYS.public, wanted, first, cursor)
        found += [entry.details["n"] for entry in got.entries]
        more, cursor = got.more, got.entries[-1].cursor if got.entries else None
    return found


@pytest.mark.parametrize("first", [1, 2, 3, 5, 14, 50])
async def test_pages_of_any_size_give_everything_once_newest_first(storage: Storage, first: int) -> None:
    assert await read(await filled(storage), first=first) == ALL


async def test_entries_are_chosen_by_kind_space_and_time(storage: Storage) -> None:
    await filled(storage)
    assert await read(storage, Wanted(kinds=(EXPORT,)), 1) == EXPORTED
    assert await read(storage, Wanted(("shop",)), 2) == EXPORTED
    assert await read(storage, Wanted(("elsewhere",))) == []
    all_ = (await page(storage.audit, KEYS.public, Wanted(("main", "shop")))).entries
    since, until = all_[9].at, all_[3].at  # of the numbers 5 and 11
    assert await read(storage, Wanted(("main", "shop"), since=since, until=until), 2) == [
        11,
        10,
        9,
        8,
        7,
        6,
        5,
    ]
    assert (
        await read(storage, Wanted(("main", "shop"), since=datetime.now(UTC) + timedelta(days=3_000))) == []
    )


async def test_an_entry_says_everything(storage: Storage) -> None:
    found = await page(
        (await filled(storage)).audit, KEYS.public, Wanted(kinds=(EXPORT,), until=moment_of(FIRST + DAY))
    )
    assert [(e.id, e.kind, e.space, e.actor, e.subject, e.details) for e in found.entries] == [
        ("p-6", EXPORT, "shop", "website", "", {"n": 6}),
        ("p-4", EXPORT, "shop", "website", "", {"n": 3}),
    ]


async def test_of_no_log_there_is_an_empty_page(storage: Storage) -> None:
    assert await page(storage.audit, KEYS.public, Wanted()) == Page((), more=False)


async def test_more_buckets_at_one_moment_than_are_read_at_once_are_all_shown(storage: Storage) -> None:
    for number in range(120):
        details = {"n": number}
        entry = Entry(FIRST + number // 40, CONSENT, "main", "website", "", details)
        await storage.audit.append(seal(Head.start(f"p{number:03d}"), [entry], KEYS.signing))
    assert sorted(await read(storage, first=7)) == list(range(120))


@pytest.mark.parametrize("cursor", ["x", "1.p.1", "x.p.1.1", f"{10**30}.p.1.1", "1.p.1.y"])
async def test_a_cursor_that_is_none_is_refused(storage: Storage, cursor: str) -> None:
    with pytest.raises(BadInput, match="cursor"):
        await page(storage.audit, KEYS.public, Wanted(), after=cursor)


@pytest.mark.parametrize("first", [0, -1, 1_001])
async def test_a_page_has_a_size(storage: Storage, first: int) -> None:
    with pytest.raises(BadInput, match="first"):
        await page(storage.audit, KEYS.public, Wanted(), first)


async def test_what_was_changed_is_not_shown_but_named(storage: Storage) -> None:
    await filled(storage)
    await storage.audit._audit.update_one({"_id": "p-000000000002"}, {"$set": {"body": b"nonsense"}})
    found = await page(storage.audit, KEYS.public, Wanted(("main", "shop")))
    assert found.doubtful == ("p-000000000002",)
    assert [entry.details["n"] for entry in found.entries] == [n for n in ALL if n not in {5, 6}]


# --- proving what the store really holds ---

TURNS = [("p", 2), ("q", 1), ("p", 1), ("r", 2), ("q", 2), ("p", 1)]
CHANGES = {
    "_id": "p-000000000042", "p": "q", "n": 42, "first": 42, "at": moment_of(LATELY - DAY),
    "before": moment_of(LATELY - DAY), "previous": b"x" * 32, "hashes": b"x" * 64, "body": b"x", "spaces": ["shop"],
    "kinds": [], "key": "another", "signature": b"x" * 64, "naming": moment_of(LATELY), "more": 1,
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, len(TURNS) - 1))
async def test_a_document_that_was_changed_is_found(storage: Storage, field: str, which: int) -> None:
    audit = storage.audit._audit
    await audit.delete_many({})
    for bucket in log(TURNS, start=LATELY):
        await storage.audit.append(bucket)
    found = await audit.find_one({"_id": log(TURNS, start=LATELY)[which].id})
    assert found is not None
    value = CHANGES[field] if found.get(field) != CHANGES[field] else None
    await audit.delete_one({"_id": found["_id"]})
    await audit.insert_one({**found, field: value})
    assert (await prove(storage.audit, KEYS.public, KEPT)).broken


async def test_the_progress_is_told_to_its_end(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.services.evidence.BREATH", 2)
    for bucket in log(TURNS, start=LATELY):
        await storage.audit.append(bucket)
    steps: list[tuple[int, int]] = []
    proof = await prove(storage.audit, KEYS.public, KEPT, on_progress=lambda *step: steps.append(step))
    assert (told(proof), steps) == ([], [(2, 6), (4, 6), (6, 6), (6, 6)])


async def test_what_is_no_bucket_is_told(storage: Storage) -> None:
    await storage.audit._audit.insert_one({"_id": "hello"})
    assert told(await prove(storage.audit, KEYS.public, KEPT)) == [
        "_id 'hello': is no bucket of this log: it was put there, or changed beyond reading"
    ]
