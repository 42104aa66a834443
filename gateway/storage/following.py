"""Hearing of every bucket that any process writes, by a change stream: the server tells, nobody has to ask for each
visitor. It needs a replica set, as which the embedded engine counts.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorChangeStream, AsyncIOMotorCollection
from pymongo.errors import OperationFailure, PyMongoError

from gateway.errors import StoreUnavailable
from gateway.storage.failures import READ_SECONDS, translated

_AWAIT_MS = 1  # or a thread of the driver would stand waiting for each space
_PAUSE_SECONDS = 0.05  # between two looks that find nothing
_UNSUPPORTED = {13, 115, 40573}  # no right to, no such command, only on replica sets

# The bucket, not its moves: once it is there, both are.
_BUCKETS: Sequence[Mapping[str, Any]] = [
    {"$match": {"operationType": "insert", "fullDocument.who": {"$exists": True}}},
    {"$project": {"fullDocument.p": 1, "fullDocument.who": 1}},
]


class NoChangeStreams(Exception):
    """The server has none for us."""


@dataclass(frozen=True, slots=True)
class Written:
    """A bucket: whose it is, and whom it moved."""

    process: str
    visitors: Sequence[str]


async def written(events: AsyncIOMotorCollection[dict[str, Any]]) -> AsyncGenerator[Written | None, None]:
    """Each bucket written since the first value came; None whenever all of them have been told.

    Raises NoChangeStreams, and StoreUnavailable when the stream broke: some may have been missed then.
    """
    stream = events.watch(list(_BUCKETS), max_await_time_ms=_AWAIT_MS)
    try:
        while True:
            change = await _next(stream)
            if change is not None:
                yield Written(change["fullDocument"]["p"], change["fullDocument"]["who"])
            elif stream.alive:
                yield None
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                raise StoreUnavailable("the store ended its change stream; it is opened again in a moment")
    finally:
        with suppress(PyMongoError, TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await stream.close()


async def _next(stream: AsyncIOMotorChangeStream[dict[str, Any]]) -> Mapping[str, Any] | None:
    try:
        async with asyncio.timeout(READ_SECONDS):
            found: Mapping[str, Any] | None = await stream.try_next()
            return found
    except TimeoutError as error:
        raise StoreUnavailable("the store's change stream does not answer; it is opened again") from error
    except PyMongoError as error:
        if isinstance(error, OperationFailure) and error.code in _UNSUPPORTED:
            raise NoChangeStreams(str(error)) from error
        raise translated(error) from error
