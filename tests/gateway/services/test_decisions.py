import asyncio
from types import MappingProxyType

import pytest

from gateway.core.records import Record, remembered
from gateway.errors import StoreUnavailable
from gateway.services import decisions as module
from gateway.services.decisions import Decisions
from gateway.storage.decisions import DecisionStore
from tests.gateway.core.logs import KEYS
from tests.gateway.core.made import NOW, liking, visitor

SEALER = KEYS.sealer


def record(name: str | None = "ann", **fields) -> Record:
    said = {
        "at": NOW,
        "slug": "home",
        "revision": "1.0",
        "basis": "PERSONAL",
        "context": {"time": {"epoch": NOW}},
        "locales": ["en"],
        "share": 0.5,
        "purposes": ["ANALYTICS"],
        "chosen": [["hero", 0, "hero", "default"]],
        "visitor": name,
    }
    return Record(**{**said, **fields})


def parts(page: str) -> tuple[str, int]:
    bucket, _, number = page.rpartition(".")
    return bucket, int(number)


async def find(decisions: Decisions, page: str) -> Record | None:
    return await decisions.find(*parts(page))


async def test_a_record_is_found_before_and_after_it_is_stored(space):
    here, elsewhere = Decisions(space.decisions, "p", SEALER), Decisions(space.decisions, "q", SEALER)
    kept = record(**(remembered(visitor(liking(travel=1.0))) | {"visitor": "ann"}))
    page = here.record(kept)
    assert await find(here, page) == kept
    assert await find(elsewhere, page) is None
    await here.flush()
    assert await find(here, page) == kept
    assert await find(elsewhere, page) == kept


async def test_facts_are_stored_whatever_read_only_view_they_come_in(space):
    decisions = Decisions(space.decisions, "p", SEALER)
    page = decisions.record(
        record(
            context={
                "geo": MappingProxyType({"country": "GB"}),
                "tags": frozenset({"b", "a"}),
                "pair": (1, 2),
            }
        )
    )
    await decisions.flush()
    found = await find(decisions, page)
    assert found.context == {"geo": {"country": "GB"}, "tags": ["a", "b"], "pair": [1, 2]}


@pytest.mark.parametrize("page", ["p-9.0", "p-1.7", "other.0", "p-lost.0"])
async def test_what_was_never_recorded_is_not_found(space, page):
    decisions = Decisions(space.decisions, "p", SEALER)
    decisions.record(record())
    await decisions.flush()
    assert await find(decisions, page) is None


async def test_each_record_has_an_id_of_its_own(space, monkeypatch):
    monkeypatch.setattr(module, "RECORDS", 3)
    decisions = Decisions(space.decisions, "p", SEALER)
    pages = [decisions.record(record(at=NOW + n)) for n in range(8)]
    assert pages == ["p-1.0", "p-1.1", "p-1.2", "p-2.0", "p-2.1", "p-2.2", "p-3.0", "p-3.1"]
    await decisions.flush()
    assert [(await find(decisions, page)).at - NOW for page in pages] == list(range(8))


async def test_storing_nothing_is_fine_and_storing_twice_too(space):
    decisions = Decisions(space.decisions, "p", SEALER)
    await decisions.flush()
    page = decisions.record(record())
    await asyncio.gather(decisions.flush(), decisions.flush())
    assert await find(decisions, page) == record()


class Away(DecisionStore):
    """The store of decisions while it does not answer."""

    def __init__(self, store: DecisionStore) -> None:
        self._decisions = store._decisions
        self.off = True

    async def append(self, bucket) -> None:
        if self.off:
            raise StoreUnavailable("the store is away")
        await super().append(bucket)


async def test_under_more_than_can_be_stored_the_newest_are_let_go_and_counted(space, monkeypatch):
    monkeypatch.setattr(module, "RECORDS", 2)
    monkeypatch.setattr(module, "BUCKETS", 3)
    store = Away(space.decisions)
    decisions = Decisions(store, "p", SEALER)
    pages = [decisions.record(record()) for _ in range(6)]
    with pytest.raises(StoreUnavailable):
        await decisions.flush()
    lost = decisions.record(record())
    assert (lost, decisions.unrecorded) == ("p-lost.0", 1)
    assert await find(decisions, lost) is None
    store.off = False
    await decisions.flush()
    assert [await find(decisions, page) for page in pages] == [record()] * 6
    assert await find(decisions, decisions.record(record())) == record()


async def test_an_erased_visitor_leaves_blanks_and_the_others_their_numbers(space):
    decisions = Decisions(space.decisions, "p", SEALER)
    pages = [decisions.record(record(name)) for name in ("ann", "bob", None, "ann")]
    await decisions.flush()
    pages.append(decisions.record(record("ann")))  # not stored yet
    assert await decisions.erase("ann") == 3
    found = [await find(decisions, page) for page in pages]
    assert [one.slug for one in found] == ["", "home", "home", "", ""]
    blank = found[0]
    assert (blank.visitor, blank.context, blank.memory, blank.chosen) == (None, {}, None, [])
    assert await space.decisions.of_visitor("ann") == []
    assert await space.decisions.of_visitor("bob") == ["p-1"]
    assert await decisions.erase("ann") == 0


async def test_two_erasures_at_once_both_hold(space):
    one, other = Decisions(space.decisions, "p", SEALER), Decisions(space.decisions, "q", SEALER)
    for name in ("ann", "bob", "cid") * 3:
        one.record(record(name))
    await one.flush()
    assert await asyncio.gather(one.erase("ann"), other.erase("bob"), one.erase("cid")) == [3, 3, 3]
    found = [await find(other, f"p-1.{number}") for number in range(9)]
    assert {one.visitor for one in found} == {None}
