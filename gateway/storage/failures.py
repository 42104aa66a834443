"""Every driver error leaves the storage as one of ours, decided here and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from gateway.errors import BlockloomError, StoreUnavailable, TooLarge

READ_SECONDS = 2.0
WRITE_SECONDS = 5.0
BATCH_SECONDS = 10.0

P = ParamSpec("P")
T = TypeVar("T")


class InDoubt(StoreUnavailable):
    """The write was sent and no answer came: it may have happened. Repeating it is safe."""


# Raised before anything was sent.
_NOT_SENT = (ServerSelectionTimeoutError, WaitQueueTimeoutError, ConfigurationError, InvalidOperation)

_NO_ANSWER = "the store did not answer in time; send it again, a repetition changes nothing"

_TOO_LARGE = "one record is larger than the 16 MB that the store takes; send less at once"
_TOO_LARGE_CODES = {10334, 17280}
_SERVER_SAYS = {
    13: "the store refused the login's rights; give the user of BLOCKLOOM_MONGODB_URL readWrite",
    18: "the store refused the login; check user and password in BLOCKLOOM_MONGODB_URL",
    14031: "the store's disk is full; free some space, then send it again",
}


def guarded(within: float) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Coroutine[Any, Any, T]]]:
    """Bound all the driver does in one call to `within` seconds and translate what it raises."""

    def decorate(call: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(call)
        async def run(*args: P.args, **kwargs: P.kwargs) -> T:
            # The driver's own deadlines would also stretch its search for a dead server, which is to fail fast.
            try:
                async with asyncio.timeout(within):
                    return await call(*args, **kwargs)
            except TimeoutError as error:
                raise InDoubt(_NO_ANSWER) from error
            except (PyMongoError, DocumentTooLarge) as error:
                raise translated(error) from error

        return run

    return decorate


def translated(error: PyMongoError | DocumentTooLarge) -> BlockloomError:
    if isinstance(error, BulkWriteError):
        return _of_a_bulk(error.details["writeErrors"])
    if isinstance(error, DocumentTooLarge):
        return TooLarge(_TOO_LARGE)
    if isinstance(error, _NOT_SENT):
        return StoreUnavailable("the store does not answer; nothing was changed, try again")
    if isinstance(error, ConnectionFailure) or error.timeout:
        return InDoubt(_NO_ANSWER)
    if isinstance(error, OperationFailure) and error.code in _SERVER_SAYS:
        return StoreUnavailable(_SERVER_SAYS[error.code])
    said = str(error).partition(", full error")[0]  # the rest may hold what was to be written
    return StoreUnavailable(f"the store refused: {said}; try again")


def _of_a_bulk(refusals: Sequence[Mapping[str, Any]]) -> BlockloomError:
    """Only what the server says of the first: beside it stands the document, which is nobody's to read."""
    if not refusals:
        return InDoubt("the store could not confirm a write; send it again, a repetition changes nothing")
    if refusals[0]["code"] in _TOO_LARGE_CODES:
        return TooLarge(_TOO_LARGE)
    return StoreUnavailable(f"the store refused with code {refusals[0]['code']}; try again")
