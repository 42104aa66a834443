"""How often a token, and an address, may ask.

Tokens are counted exactly, by `limits`: in memory, or in a Redis that processes share. A request does not ask it:
a process takes a twentieth of a limit at once, and gives it out by itself, which costs a request no round trip.
So after a pause a token may have a twentieth more than its limit from each process.

Addresses, of which there are ever so many, are counted by a sketch of constant memory, each process by itself.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

from gateway.core.access import Caller, digest_of
from gateway.core.bots import origin_of
from gateway.core.context.addresses import client_address
from gateway.core.sketch import Pace
from gateway.errors import BadInput, RateLimited
from gateway.settings import Settings

log = logging.getLogger(__name__)

PARTS = 20  # that a limit is given out in
MOST_AT_ONCE = 1_000
KNOWN = 10_000  # tokens whose shares are remembered
LONGEST = 200  # characters of a token that make a difference
PATIENCE = 0.5  # seconds for the storage to answer
AWAY = 5.0  # seconds until it is asked again

TOO_MANY = "this token makes more requests than it may; send it again later"
TOO_MANY_FROM_HERE = "more requests come from your address than may; send it again later"
TOO_MANY_UNKNOWN = "too many unknown tokens came from your address; check the token, and try again later"


def pace_of(rate: str | None) -> Pace | None:
    """Of a rate as the settings have it, like `6000/minute`."""
    if rate is None:
        return None
    item = parse(rate)
    return Pace(item.amount, item.get_expiry())


@dataclass(slots=True)
class _Share:
    """What this process may still give out of a token's limit; times are monotonic seconds."""

    left: int = 0
    until: float = 0.0
    refused: float = 0.0  # until then nothing more is to be had
    asking: asyncio.Task[None] | None = None


class Tokens(Protocol):
    async def caller(self, token: str) -> Caller:
        """Raises Unauthenticated, StoreUnavailable."""


class Rates:
    def __init__(self, settings: Settings) -> None:
        """Raises BadInput for a storage that cannot be one."""
        self._trusted_proxies = settings.trusted_proxies
        self._limit = parse(settings.rate_limit) if settings.rate_limit else None
        self._addresses = pace_of(settings.rate_limit_address)
        self._unknown = pace_of(settings.rate_limit_unknown)
        self._shares: OrderedDict[str, _Share] = OrderedDict()  # by the token's digest
        self._trying: dict[str, asyncio.Task[Caller]] = {}
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._pool: ConnectionPool | None = None
        self._shared: MovingWindowRateLimiter | None = None
        if settings.rate_storage is not None:
            url = settings.rate_storage.get_secret_value()
            self._pool = _pool(url)
            storage = RedisStorage(
                url, wrap_exceptions=True, implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type]  # its documentation allows it
            )  # fmt: skip
            self._shared = MovingWindowRateLimiter(storage)
        self._away = 0.0  # until then the shared storage is not asked

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    def address(self, headers: Mapping[str, str], peer: str | None) -> str | None:
        found = client_address(headers.get("x-forwarded-for"), peer, self._trusted_proxies)
        return found[:64] if found else None

    def origin(self, headers: Mapping[str, str], peer: str | None) -> str | None:
        """Whose requests are counted together; None where that cannot be told."""
        address = self.address(headers, peer)
        return origin_of(address) if address else None

    async def caller(self, tokens: Tokens, token: str, origin: str | None) -> Caller:
        """Whose that token is, counted as a request. Raises RateLimited, Unauthenticated, StoreUnavailable."""
        digest = digest_of(token[:LONGEST])
        if digest in self._shares:
            caller = await tokens.caller(token)
        else:
            caller = await self._stranger(tokens, token, digest, origin)
        if self._addresses is not None and caller.publishable and origin is not None:
            wait = self._addresses.wait(origin, time.monotonic())
            if wait:
                raise RateLimited(TOO_MANY_FROM_HERE, wait)
        if self._limit is not None:
            await self._count(self._limit, digest)
        return caller

    async def _stranger(self, tokens: Tokens, token: str, digest: str, origin: str | None) -> Caller:
        """Forged tokens cost a look-up each, and there is no end of them. Those that were good once pass by this.

        The requests that a good one brings at once after a start are one attempt.
        """
        if digest not in self._trying:
            if self._unknown is not None and origin is not None:
                wait = self._unknown.wait(origin, time.monotonic())
                if wait:
                    raise RateLimited(TOO_MANY_UNKNOWN, wait)
            self._trying[digest] = asyncio.create_task(self._try(tokens, token, digest))
        return await asyncio.shield(self._trying[digest])

    async def _try(self, tokens: Tokens, token: str, digest: str) -> Caller:
        try:
            caller = await tokens.caller(token)
            self._share(digest)
            return caller
        finally:
            del self._trying[digest]

    def _share(self, digest: str) -> _Share:
        share = self._shares.get(digest)
        if share is None:
            share = self._shares[digest] = _Share()
            if len(self._shares) > KNOWN:
                self._shares.popitem(last=False)
        return share

    async def _count(self, limit: RateLimitItem, digest: str) -> None:
        share = self._share(digest)
        while True:
            now = time.monotonic()
            if share.left and now < share.until:
                share.left -= 1
                return
            if now < share.refused:
                raise RateLimited(TOO_MANY, share.refused - now)
            if share.asking is None:
                share.asking = asyncio.create_task(self._ask(limit, digest, share))
            await asyncio.shield(share.asking)

    async def _ask(self, limit: RateLimitItem, digest: str, share: _Share) -> None:
        """Either something is left afterwards, or it is known how long nothing will be."""
        try:
            share.left, wait = await self._granted(limit, digest)
            share.until = time.monotonic() + limit.get_expiry()
            share.refused = time.monotonic() + wait
        finally:
            share.asking = None

    async def _granted(self, limit: RateLimitItem, digest: str) -> tuple[int, float]:
        """As of the shared storage; while it is away each process counts by itself, for somebody must be served."""
        if self._shared is not None and time.monotonic() >= self._away:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await _granted(self._shared, limit, digest)
            except (StorageError, TimeoutError) as error:
                self._away = time.monotonic() + AWAY
                log.warning("rates are counted by each process alone: %s", error or "the storage is too slow")
        return await _granted(self._own, limit, digest)


async def _granted(limiter: MovingWindowRateLimiter, limit: RateLimitItem, digest: str) -> tuple[int, float]:
    """(how many may be given out, else the seconds until more may be)."""
    part = min(MOST_AT_ONCE, max(1, limit.amount // PARTS))
    for amount in (part, 1):
        if await limiter.hit(limit, digest, cost=amount):
            return amount, 0.0
    reset, _ = await limiter.get_window_stats(limit, digest)
    return 0, min(max(reset - time.time(), 0.05), limit.get_expiry())


def _pool(url: str) -> ConnectionPool:
    try:
        return ConnectionPool.from_url(url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
    except ValueError as error:
        raise BadInput(f"BLOCKLOOM_RATE_STORAGE is no URL like redis://host:6379 ({error})") from error
