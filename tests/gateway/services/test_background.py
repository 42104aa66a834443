import asyncio
import logging
from collections.abc import Callable

import pytest

from gateway.errors import StoreUnavailable
from gateway.services.background import every


async def run(outcomes: list[Callable[[], object]]) -> None:
    """The work, once for each outcome."""
    left = list(outcomes)
    done = asyncio.Event()

    async def work() -> None:
        if not left:
            done.set()
            await asyncio.Event().wait()
        left.pop(0)()

    task = asyncio.create_task(every(0.0, work, "the work"))
    await done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def fine() -> None:
    return


def away() -> None:
    raise StoreUnavailable("the store is away")


def broken() -> None:
    raise ZeroDivisionError("a mistake")


async def test_work_is_repeated_until_cancelled(caplog):
    caplog.set_level(logging.INFO)
    await run([fine] * 5)
    assert caplog.messages == []


async def test_a_store_that_is_away_is_told_of_once_and_when_it_is_back(caplog):
    caplog.set_level(logging.INFO)
    await run([away, away, away, fine, fine, away, fine])
    assert caplog.messages == [
        "the work waits for the store: the store is away",
        "the work works again",
        "the work waits for the store: the store is away",
        "the work works again",
    ]


async def test_a_mistake_is_logged_each_time_and_does_not_end_the_work(caplog):
    await run([broken, broken, fine])
    assert caplog.messages == ["the work failed; it is tried again in 0 s"] * 2
    assert all(record.exc_info for record in caplog.records)
