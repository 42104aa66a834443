import asyncio
import os
import signal
import time
from datetime import UTC, datetime

import pytest
from pymongo.errors import (
    AutoReconnect,
    DocumentTooLarge,
    ExecutionTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from gateway.errors import StoreUnavailable, TooLarge
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine
from gateway.storage.events import Bucket, LoggedEvent
from gateway.storage.failures import InDoubt, translated

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "becomes", "says"),
    [
        (ServerSelectionTimeoutError("x"), StoreUnavailable, "nothing was changed, try again"),
        (AutoReconnect("x"), InDoubt, "send it again"),
        (NotPrimaryError("x"), InDoubt, "send it again"),
        (ExecutionTimeout("x", 50), InDoubt, "send it again"),
        (DocumentTooLarge("x"), TooLarge, "send less at once"),
        (OperationFailure("x", 18), StoreUnavailable, "check user and password"),
        (OperationFailure("x", 14031), StoreUnavailable, "disk is full"),
        (OperationFailure("odd", 8000), StoreUnavailable, "odd"),
    ],
)
def test_every_driver_error_becomes_one_that_says_what_to_do(error, becomes, says):
    ours = translated(error)
    assert type(ours) is becomes
    assert says in ours.message


async def test_a_record_beyond_the_limit_is_refused(space):
    with pytest.raises(TooLarge):
        await space.states.put("big", bytes(17_000_000), 0)


async def test_a_store_that_is_not_there_is_noticed_within_a_second():
    storage = connect("mongodb://127.0.0.1:1/")
    started = time.monotonic()
    with pytest.raises(StoreUnavailable) as refused:
        await storage.ping()
    storage.close()
    assert type(refused.value) is StoreUnavailable
    assert time.monotonic() - started < 1.5


async def test_a_store_that_hangs_is_noticed_and_loses_nothing_when_it_wakes(tmp_path):
    engine = EmbeddedEngine(tmp_path)
    storage = connect(await engine.start())
    events = storage.space("main").events
    bucket = Bucket("p", 1, NOON, (LoggedEvent("e", "ann", b""),))
    await storage.ping()
    os.kill(engine.pid, signal.SIGSTOP)
    writing = asyncio.create_task(events.append(bucket))
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await events.known(["e"])
    assert time.monotonic() - started < 3
    with pytest.raises(InDoubt):
        await writing
    os.kill(engine.pid, signal.SIGCONT)
    async with asyncio.timeout(20):
        while not await came_through(events, bucket):
            pass
    assert await events.known(["e"]) == {"e"}
    storage.close()
    await engine.stop()


async def came_through(events, bucket) -> bool:
    try:
        await events.append(bucket)
    except StoreUnavailable:
        return False
    return True
