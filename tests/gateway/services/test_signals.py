import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from gateway.core.signals import HALF_LIFE, Signals
from gateway.services import signals as module
from gateway.services.signals import LAG, SignalKeeper
from gateway.storage.events import Bucket, LoggedEvent
from tests.gateway.services.processes import LEARNING, NOW, view

BLOCKS = {"hero", "feed"}
numbers = count(1)


def keeper(space) -> SignalKeeper:
    return SignalKeeper(space.events, space.states, space.decisions, LEARNING)


async def happened(space, *blocks: str, at: float = NOW) -> None:
    """A bucket of views for each block, all of one millisecond."""
    for block in blocks:
        one = view(block=block, at=at)
        event = LoggedEvent(one.id, "ann", one.to_bytes())
        await space.events.append(Bucket(f"p{next(numbers)}", 1, datetime.fromtimestamp(at, UTC), (event,)))


async def update(one: SignalKeeper, now: float = NOW + 60, older_than: float = 0.0) -> Signals:
    return await one.update(older_than, BLOCKS, now)


def won(signals: Signals, at: float = NOW) -> dict[str, float]:
    fade = 2.0 ** ((signals.landmark - at) / HALF_LIFE)
    return {key: pytest.approx(value * fade) for key, value in signals.won.items()}


async def test_at_first_there_are_none(space):
    one = keeper(space)
    assert await one.latest() == await update(one) == await one.version(0) == Signals()
    assert await one.version(1) is None


async def test_each_event_is_counted_once(space):
    one = keeper(space)
    await happened(space, "hero", "hero", "feed", "unknown")
    first = await update(one)
    assert (first.version, won(first)) == (1, {"hero": 0.2, "feed": 0.1})
    assert await update(one, NOW + 70) == first
    await happened(space, "feed", at=NOW + 61)
    second = await update(one, NOW + 80)
    assert (second.version, won(second)) == (2, {"hero": 0.2, "feed": pytest.approx(0.2, rel=1e-4)})


async def test_every_process_sees_the_same_snapshot(space):
    one, other = keeper(space), keeper(space)
    await happened(space, "hero")
    found = await asyncio.gather(*(update(each) for each in (one, other, one, other)))
    assert {signals.version for signals in found} == {1}
    assert await one.latest() == await other.latest() == found[0]
    assert won(found[0]) == {"hero": 0.1}


async def test_a_fresh_snapshot_is_not_made_anew(space):
    one = keeper(space)
    await happened(space, "hero")
    first = await update(one)
    await happened(space, "hero", at=NOW + 61)
    assert await update(one, NOW + 80, older_than=30.0) == first
    assert (await update(one, NOW + 95, older_than=30.0)).version == 2


async def test_the_newest_buckets_are_left_to_settle(space):
    one = keeper(space)
    await happened(space, "hero")
    assert await update(one, NOW + LAG) == Signals()
    assert won(await update(one, NOW + LAG + 0.001)) == {"hero": 0.1}


async def test_earlier_snapshots_can_be_had_again(space):
    one = keeper(space)
    versions = []
    for minute in range(3):
        await happened(space, "hero", at=NOW + 60 * minute)
        versions.append(await update(one, NOW + 60 * minute + 30))
    for signals in versions:
        found = await one.version(signals.version)
        assert found is not None
        assert replace(found, sample=signals.sample) == signals
    assert await one.version(9) is None


@pytest.mark.parametrize("pieces", [1, 4, 10, 11])
async def test_many_buckets_are_read_in_pieces_and_none_is_missed(space, monkeypatch, pieces):
    monkeypatch.setattr(module, "BUCKETS", pieces)
    for times, at in ((1, NOW), (6, NOW + 0.001), (3, NOW + 5)):
        await happened(space, *["hero"] * times, at=at)
    signals = await update(keeper(space))
    assert (signals.version, signals.upto) == (1, NOW + 60 - LAG)
    assert won(signals) == {"hero": pytest.approx(1.0, rel=1e-4)}
