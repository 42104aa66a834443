"""Gateway processes in miniature: each with its own memory, all on one store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from gateway.core.bundles import Bundle
from gateway.core.editions import Edition
from gateway.core.events import Event
from gateway.core.memory import Learning
from gateway.core.personalize import choose_page
from gateway.core.profiles import Profile
from gateway.services.audit import Audit
from gateway.services.ingest import Intake, Taken
from gateway.services.profiles import Profiles
from gateway.services.space import Space
from gateway.settings import Settings
from gateway.storage.client import SpaceStore, Storage
from tests.gateway.core.logs import KEYS
from tests.gateway.core.made import SMALL_TYPE, asking

LEARNING = Learning()
NOW = 1_796_500_000.0
AT_ONCE = timedelta(seconds=-5)  # for recovery: whoever wrote nothing in the next five seconds is gone
_numbers = count(1)


def features(block: str | None, variant: str | None) -> dict[str, float] | None:
    """Every block teaches its own name."""
    return {block: 1.0} if block else None


@dataclass
class Process:
    name: str
    profiles: Profiles
    intake: Intake

    async def track(self, *events: Event, **more: Any) -> Taken:
        return await self.intake.submit(events, **more)

    async def views(self, visitor: str = "ann") -> int:
        return (await self.profiles.get(visitor)).memory.page_views


@asynccontextmanager
async def process(
    space: SpaceStore,
    name: str = "p",
    *,
    events: Any = None,
    store: Any = None,
    agreed: bool = True,
    gather: float = 0.002,
    capacity: int = 1_000,
    alone: bool = False,
    max_age: float = 0.0,
) -> AsyncIterator[Process]:
    """`max_age` 0: nothing is served from memory that another process may have changed."""
    events, store = events or space.events, store or space.profiles
    profiles = Profiles(events, store, name, LEARNING, capacity, None if alone else max_age)
    intake = Intake(events, profiles, name, LEARNING, features, agreed, gather)
    running = asyncio.create_task(intake.run())
    try:
        yield Process(name, profiles, intake)
    finally:
        await intake.drain()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def view(number: int | None = None, visitor: str = "ann", block: str | None = None, **fields: Any) -> Event:
    """One page view; without a number one that was never sent before."""
    id_ = f"e{number}" if number is not None else f"n{next(_numbers)}"
    said = {"type": "view", "at": NOW, "block": block, **fields}
    return Event(id=id_, visitor=visitor, **said)


@asynccontextmanager
async def working(
    storage: Storage, process_name: str = "p", alone: bool = True, **settings: Any
) -> AsyncIterator[Space]:
    """The space `main` as a whole. What goes on in the background comes seldom; tests call it themselves."""
    seldom = {"fold_seconds": 60, "refresh_seconds": 60, "signals_seconds": 3600, "consent": "opt-out"}
    chosen = Settings(**{**seldom, **settings})
    audit = Audit(storage.audit, process_name, KEYS, timedelta(days=30))
    await audit.open()
    space = Space("main", storage.space("main"), chosen, process_name, alone, KEYS, audit)
    await space.open()
    try:
        yield space
    finally:
        await space.close()


def bundle(**documents: list[dict[str, Any]]) -> Bundle:
    return Bundle.of({"blockType": [SMALL_TYPE], **documents})


def chosen(
    edition: Edition, profile: Profile | None = None, slug: str = "home"
) -> dict[str, list[tuple[str, str]]]:
    """Block and variant of all that the page shows."""
    picks = choose_page(edition, edition.catalogue.pages[slug], asking(edition, profile)).picks
    return {name: [(one.block_key, one.variant.key) for one in picked] for name, picked in picks.items()}
