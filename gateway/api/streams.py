"""What lasts: operations over WebSocket and server-sent events, answered one result after the other.

Each operation is answered from what is published when it comes, not when its connection was opened, for as long
as the connection's token holds. Where the block types change under a subscription, and with them the
schema, it is prepared anew for that; a client hears of it only where it does not fit any more.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import NamedTuple, Protocol

from graphql import OperationType

from gateway.api.beats import Beats
from gateway.api.exchange import Wanted
from gateway.api.failures import told
from gateway.api.request import Request
from gateway.api.schema import SpaceSchema
from gateway.api.served import Served
from gateway.core.access import Caller
from gateway.errors import Overloaded, Unauthenticated
from gateway.operations.preparing import Prepared
from gateway.operations.results import Result

Headers = Mapping[str, str]
Address = tuple[str, int] | None
OF_THE_HANDSHAKE = (
    "accept-encoding",
    "cache-control",
    "connection",
    "cookie",
    "origin",
    "sec-websocket-",
    "upgrade",
)
BEAT = (
    12.0  # seconds between signs of life: proxies end what is silent for longer, the strictest after 15 or so
)


class Front(Protocol):
    """Who asks, for which space."""

    served: Served

    async def asking(self, headers: Headers, client: Address) -> tuple[Request, SpaceSchema]:
        """Raises Unauthenticated, Forbidden, NotFound, StoreUnavailable."""

    async def caller(self, headers: Headers) -> Caller:
        """Raises Unauthenticated, StoreUnavailable."""


class Left(Exception):
    """Nobody is at the other end any more."""


class Answer(NamedTuple):
    result: Result
    request: Request | None = None  # None where it did not come so far

    @property
    def degraded(self) -> Collection[str]:
        return self.request.degraded if self.request else ()

    @property
    def unauthenticated(self) -> bool:
        return any(
            (error.extensions or {}).get("code") == Unauthenticated.code for error in self.result.errors
        )


Push = Callable[[Answer], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One connection's other end."""

    front: Front
    headers: dict[str, str]
    client: Address

    async def check(self) -> None:
        """Raises Unauthenticated when the token has expired or was revoked."""
        await self.front.caller(self.headers)

    async def open(self) -> tuple[Request, SpaceSchema]:
        request, schema = await self.front.asking(self.headers, self.client)
        request.renew = partial(self.front.caller, self.headers)
        return request, schema


class Streams:
    """Of one process: how many there are, and their beats."""

    def __init__(self, front: Front, most: int) -> None:
        """`most`: connections, and likewise operations over them."""
        self.front = front
        self.beats = Beats(BEAT)
        self._most = most
        self.connections = 0
        self.operations = 0

    def line(self, headers: Mapping[str, str], client: Address) -> Line:
        """What is still of interest of a request when its connection stands; thousands of clients send the same."""
        kept = {
            intern(name): intern(value)
            for name, value in headers.items()
            if not name.startswith(OF_THE_HANDSHAKE)
        }
        return Line(self.front, kept, client)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Raises Overloaded."""
        if self.connections >= self._most:
            raise self._full()
        self.connections += 1
        try:
            yield
        finally:
            self.connections -= 1

    async def deliver(self, line: Line, wanted: Wanted, push: Push) -> bool:
        """Push everything that the operation answers. False when it was refused, or ended by an error.

        `push` may raise Left.
        """
        if self.operations >= self._most:
            await push(Answer(Result(None, (told(self._full()),))))
            return False
        self.operations += 1
        try:
            return await _deliver(line, wanted._replace(query=intern(wanted.query)), push)
        except Left:
            raise
        except Exception as error:
            await push(Answer(Result(None, (told(error),))))
            return False
        finally:
            self.operations -= 1

    def _full(self) -> Overloaded:
        return Overloaded(f"this process serves {self._most} subscribers already; try again in some seconds")


async def _deliver(line: Line, wanted: Wanted, push: Push) -> bool:
    last: int | None = None
    while True:
        request, schema = await line.open()
        _, prepared = await line.front.served.prepared(schema, wanted)
        found = await _results(schema, prepared, wanted, request)
        if isinstance(found, Result):
            await push(Answer(found, request))
            return found.data is not None
        async with aclosing(found):
            async for result in found:
                mark = hash(result.data) if not result.errors else None
                if mark is None or mark != last:  # what looks the same is not sent again
                    last = mark
                    await push(Answer(result, request))
                del result  # while the next is waited for, this is not kept
        if request.space.shelf.edition.catalogue.types_signature == request.edition.catalogue.types_signature:
            return True


async def _results(
    schema: SpaceSchema, prepared: Prepared, wanted: Wanted, request: Request
) -> AsyncGenerator[Result, None] | Result:
    if prepared.errors:
        return Result(None, prepared.errors)
    if prepared.kind is OperationType.SUBSCRIPTION:
        return await schema.operations.subscribe(prepared, wanted.variables, request)
    return await schema.operations.run(prepared, wanted.variables, request)


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel what still runs, and wait until it has put everything down."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
