"""One space at work: its content, its visitors, and what goes on beside the requests."""

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from gateway.core.memory import Features
from gateway.errors import StoreUnavailable
from gateway.services.author import Authoring
from gateway.services.background import every
from gateway.services.decisions import Decisions
from gateway.services.deliver import Delivery
from gateway.services.elsewhere import Elsewhere
from gateway.services.ingest import Intake
from gateway.services.notices import Notices
from gateway.services.privacy import Privacy
from gateway.services.profiles import Profiles
from gateway.services.recovery import recover
from gateway.services.replay import Replays
from gateway.services.shelf import Shelf
from gateway.services.signals import SignalKeeper
from gateway.settings import Settings
from gateway.storage.client import SpaceStore
from gateway.storage.indexes import Retention
from schemas.json_schemas import builtin_block_types

log = logging.getLogger(__name__)

MAX_AGE = 0.75  # seconds a profile is served from memory where other processes may have moved it
LOOK_SECONDS = 0.25
DECISIONS_SECONDS = 1.0
RECOVERY_SECONDS = 10.0
SCHEDULE_SECONDS = 1.0
TIDY_SECONDS = 30.0


def new_process_name() -> str:
    """Unique, alphanumeric, and ascending with the time of start (see core/profiles)."""
    started = base64.b32hexencode(int(time.time()).to_bytes(5, "big")).decode().lower()
    return started + secrets.token_hex(3)


class Space:
    """Open one with `await space.open()`, and close it: what is acknowledged is folded before it ends."""

    def __init__(self, name: str, store: SpaceStore, settings: Settings, process: str, alone: bool) -> None:
        """`alone`: no other process writes to this store, so profiles in memory stay right."""
        self.name = name
        self._settings = settings
        self._store = store
        self._process = process
        self._alone = alone
        learning = settings.learning
        self.decisions = Decisions(store.decisions, process)
        self.signals = SignalKeeper(store.events, store.states, store.decisions, learning.weights)
        self.shelf = Shelf(store.content, self.signals, builtin_block_types())
        self.profiles = Profiles(
            store.events, store.profiles, process, learning, settings.profile_cache,
            None if alone else MAX_AGE,
        )  # fmt: skip
        elsewhere = Elsewhere(store.events, self.profiles, process)
        self.notices = Notices(self.profiles.get_many, None if alone else elsewhere.changed)
        self.profiles.on_moved = self.notices.moved
        self.shelf.on_served = self.notices.published
        self.intake = Intake(
            store.events, self.profiles, process, learning, self._features,
            settings.consent == "opt-out", settings.gather_ms / 1000,
        )  # fmt: skip
        self.delivery = Delivery(self.profiles, settings)
        self.replays = Replays(self.decisions, self.shelf.at, learning)
        self.privacy = Privacy(store, self.intake, self.profiles, self.decisions, settings)
        self.authoring = Authoring(store, self.shelf)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        settings = self._settings
        await self._store.prepare(
            Retention(
                events=timedelta(days=settings.events_days),
                profiles=timedelta(days=settings.profiles_days),
                decisions=timedelta(days=settings.decisions_days),
            )
        )
        await self.shelf.refresh()
        await self.shelf.show(await self.signals.latest())
        silent = timedelta(0) if self._alone else timedelta(seconds=30)
        await recover(self._store.events, self.profiles, self._process, silent)
        self._start(self.intake.run(), "intake")
        work: Mapping[str, tuple[float, Any]] = {
            "folding profiles": (settings.fold_seconds, self.profiles.fold),
            "looking for the store": (LOOK_SECONDS, self.delivery.look),
            "following publications": (settings.refresh_seconds, self.shelf.refresh),
            "updating signals": (settings.signals_seconds / 2, self.update_signals),
            "storing decisions": (DECISIONS_SECONDS, self.decisions.flush),
            "publishing what is scheduled": (SCHEDULE_SECONDS, self.authoring.publish_due),
            "tidying earlier revisions": (TIDY_SECONDS, self._store.content.tidy),
            "recovering open buckets": (RECOVERY_SECONDS, self._recover),
        }
        for name, (seconds, call) in work.items():
            self._start(every(seconds, call, f"{name} of {self.name}"), name)

    async def close(self) -> None:
        await self.intake.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.intake.close()
        with suppress(StoreUnavailable):  # then the next process folds what is open
            await self.profiles.fold()
            await self.decisions.flush()

    async def update_signals(self, older_than: float | None = None) -> None:
        """Make popularity anew from the log when it is older than so many seconds, by default the setting's."""
        age = self._settings.signals_seconds if older_than is None else older_than
        published = self.shelf.edition.catalogue.by_key
        await self.shelf.show(await self.signals.update(age, published, time.time()))

    async def _recover(self) -> None:
        await recover(self._store.events, self.profiles, self._process)

    def _features(self, block: str | None, variant: str | None) -> Features | None:
        return self.shelf.edition.catalogue.features(block, variant)

    def _start(self, work: Any, name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=f"{self.name}: {name}"))
