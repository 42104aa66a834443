from datetime import timedelta

import pytest
from bson import ObjectId

from gateway.core.chains import EPOCH, moment_of
from gateway.errors import StoreUnavailable
from gateway.storage import audit as module
from gateway.storage.client import Storage
from tests.gateway.core.logs import DAY, LATELY, log

TURNS = [("p", 2), ("q", 1), ("p", 1), ("pq", 3), ("q", 2), ("p", 1)]
LATER = moment_of(LATELY + DAY)


@pytest.fixture
async def filled(storage: Storage) -> Storage:
    await storage.audit.prepare(timedelta(days=30))
    for bucket in log(TURNS, start=LATELY):
        await storage.audit.append(bucket)
    return storage


async def everything(storage: Storage) -> list[object]:
    return [found async for found in storage.audit.all()]


async def test_buckets_come_back_as_they_were_each_chain_in_its_order(filled: Storage) -> None:
    assert await everything(filled) == sorted(log(TURNS, start=LATELY), key=lambda bucket: bucket.id)
    assert await filled.audit.count() == len(TURNS)


async def test_the_same_bucket_again_changes_nothing(filled: Storage) -> None:
    await filled.audit.append(log(TURNS, start=LATELY)[0])
    assert await filled.audit.count() == len(TURNS)


async def test_a_place_that_is_taken_by_something_else_is_not_passed_over(filled: Storage) -> None:
    (other, *_) = log([("p", 7)], start=LATELY)
    with pytest.raises(StoreUnavailable, match="restart this process"):
        await filled.audit.append(other)
    assert await everything(filled) == sorted(log(TURNS, start=LATELY), key=lambda bucket: bucket.id)


async def test_those_that_name_heads_are_found_newest_first(filled: Storage) -> None:
    p, q, _, pq, *_ = log(TURNS, start=LATELY)
    assert await filled.audit.naming() == [pq, q, p]
    assert await filled.audit.naming(2) == [pq, q]


@pytest.mark.parametrize("length", [1, 2, 7, 40])
async def test_the_end_of_a_chain_is_found_from_any_of_its_buckets(storage: Storage, length: int) -> None:
    chain = log([("p", 1)] * length, start=LATELY)
    for bucket in [*chain, *log([("pa", 1)] * 3)]:
        await storage.audit.append(bucket)
    assert {(await storage.audit.last(bucket)).number for bucket in chain} == {length}


async def test_buckets_are_found_by_time_kind_and_space_newest_first(filled: Storage) -> None:
    p, q, second, pq, fifth, last = log(TURNS, start=LATELY)
    between = filled.audit.between
    assert await between(EPOCH, LATER) == [last, fifth, pq, second, q, p]
    assert await between(q.at, pq.at) == [pq, second, q]
    assert await between(EPOCH, LATER, kinds=["chain", "export"]) == [pq, q, p]
    assert await between(EPOCH, LATER, spaces=["shop"]) == []
    assert await between(EPOCH, LATER, spaces=["", "shop"]) == [pq, q, p]


async def test_retention_can_be_changed(filled: Storage) -> None:
    await filled.audit.prepare(timedelta(days=7))
    indexes = await filled.audit._audit.index_information()
    assert indexes["at_1"]["expireAfterSeconds"] == 7 * 86_400


STRANGE = {
    "an id of another kind": {"_id": ObjectId("65f0c0ffee65f0c0ffee65f0")},
    "an id that does not fit": {"_id": "p-000000000009"},
    "a field more": {"note": "hello"},
    "a number as text": {"n": "3"},
    "a number as truth": {"n": True},
    "a number as a fraction": {"first": 1.0},
    "no number at all": {"n": 0, "_id": "p-000000000000"},
    "a time as a number": {"at": 5},
    "hashes cut off": {"hashes": b"123"},
    "no hashes": {"hashes": b""},
    "a body as text": {"body": "body"},
    "naming at another time": {"naming": EPOCH},
}


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
async def test_what_is_no_bucket_comes_as_its_id(filled: Storage, change: dict[str, object]) -> None:
    audit = filled.audit._audit
    found = await audit.find_one({"_id": "p-000000000003"})
    strange = {**found, "_id": "p-000000000004", "n": 4, **change}
    await audit.insert_one(strange)
    assert [one for one in await everything(filled) if isinstance(one, str)] == [f"_id {strange['_id']!r}"]


async def test_a_field_that_is_missing_makes_it_no_bucket(filled: Storage) -> None:
    for field, _ in module._FIELDS.values():
        await filled.audit._audit.update_one({"_id": "p-000000000001"}, {"$unset": {field: 1}})
        assert "_id 'p-000000000001'" in await everything(filled)
        await filled.audit._audit.delete_one({"_id": "p-000000000001"})
        await filled.audit.append(log(TURNS, start=LATELY)[0])
