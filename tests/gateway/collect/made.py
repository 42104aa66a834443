"""A live gateway that collects, and what became of what was sent to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from gateway.app import build_app
from gateway.core.events import Event
from gateway.core.profiles import Profile
from gateway.core.traits import opened
from gateway.server import serving
from gateway.services.gateway import MAIN, Gateway
from gateway.settings import Settings
from gateway.storage.client import connect
from schemas.vocabulary import Scope

PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Collecting:
    gateway: Gateway
    http: httpx.AsyncClient
    address: str

    async def token(self, *scopes: Scope, publishable: bool = True, space: str = MAIN) -> str:
        await self.gateway.create_space(space)
        token, _ = await self.gateway.tokens.create(space, scopes or (Scope.EVENTS,), "test", publishable)
        return token

    async def profile(self, visitor: str, space: str = MAIN) -> Profile:
        found = await self.gateway.space(space)
        return await found.people.get(found.key(visitor))

    async def traits(self, visitor: str) -> Mapping[str, Any]:
        traits = (await self.profile(visitor)).memory.traits
        return opened({name: trait.value for name, trait in traits.items()}, self.gateway.keys.sealer)[0]

    async def events(self, *visitors: str, space: str = MAIN) -> list[Event]:
        """What the log holds of these visitors, in the order of time."""
        store = self.gateway.storage.space(space).events
        key = (await self.gateway.space(space)).key
        names = {key(visitor): visitor for visitor in visitors}
        now = datetime.now(UTC)
        buckets = await store.since(now - timedelta(days=90), now + timedelta(days=1), 100_000)
        found = [
            Event.from_bytes(event.id, names[event.visitor], event.body)
            for bucket in buckets
            for event in bucket.events
            if event.visitor in names
        ]
        return sorted(found, key=lambda event: event.at)

    async def kept(self, *visitors: str, space: str = MAIN) -> list[tuple[str, str | None, float | None]]:
        """(type, block, value) of each."""
        return [(event.type, event.block, event.value) for event in await self.events(*visitors, space=space)]

    async def until_kept(self, count: int, *visitors: str) -> list[tuple[str, str | None, float | None]]:
        """The same once there are so many: browsers send when they like."""
        await until(lambda: self._enough(count, visitors))
        return await self.kept(*visitors)

    async def until_traits(self, visitor: str) -> Mapping[str, Any]:
        await until(lambda: self.traits(visitor))
        return await self.traits(visitor)

    async def _enough(self, count: int, visitors: Sequence[str]) -> bool:
        return len(await self.kept(*visitors)) >= count


async def until(holds: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110  # it is the store that changes
            await asyncio.sleep(0.05)


@asynccontextmanager
async def collecting(
    engine_url: str, prefix: str, open_access: bool = False, **settings: Any
) -> AsyncIterator[Collecting]:
    chosen = Settings(**{"database": prefix, "consent": "opt-out", "fold_seconds": 0.2, **settings})
    gateway = Gateway(connect(engine_url, prefix), chosen, alone=True)
    app = build_app(gateway, open_access=open_access)
    try:
        await gateway.open()
        async with (
            serving(app, "127.0.0.1", 0) as address,
            httpx.AsyncClient(base_url=address, timeout=15) as http,
        ):
            yield Collecting(gateway, http, address)
    finally:
        await gateway.close()
