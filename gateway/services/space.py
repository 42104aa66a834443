"""One space at work: its content, its visitors, and what goes on beside the requests."""

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from gateway.core.consent import Consents
from gateway.core.events import Event
from gateway.core.keys import Keys
from gateway.core.memory import Features
from gateway.core.placeholders import identity
from gateway.core.pseudonyms import Pseudonym
from gateway.core.sealing import PersonalTraits
from gateway.core.terms import Defaults
from gateway.core.traits import resealed, sealed
from gateway.errors import StoreUnavailable
from gateway.services.audit import Audit, Ledger
from gateway.services.author import Authoring
from gateway.services.background import every
from gateway.services.decisions import Decisions
from gateway.services.deliver import Delivery
from gateway.services.elsewhere import Elsewhere
from gateway.services.ingest import Intake
from gateway.services.joining import Joining
from gateway.services.notices import Notices
from gateway.services.people import People
from gateway.services.personal_data import PersonalData
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
from schemas.vocabulary import AuditKind

log = logging.getLogger(__name__)

MAX_AGE = 0.75  # seconds a profile is served from memory where other processes may have moved it
LOOK_SECONDS = 0.25
FOLLOW_SECONDS = 0.5  # until a change stream that broke is opened again
DECISIONS_SECONDS = 1.0
RECOVERY_SECONDS = 10.0
SCHEDULE_SECONDS = 1.0
SWEEP_SECONDS = 5.0
TIDY_SECONDS = 30.0
EVENTS = "an event"  # who told of a visitor's consent, where the mutation did not


def new_process_name() -> str:
    """Unique, alphanumeric, and ascending with the time of start (see core/profiles)."""
    started = base64.b32hexencode(int(time.time()).to_bytes(5, "big")).decode().lower()
    return started + secrets.token_hex(3)


class Space:
    """Open one with `await space.open()`, and close it: what is acknowledged is folded before it ends."""

    def __init__(
        self,
        name: str,
        store: SpaceStore,
        settings: Settings,
        process: str,
        alone: bool,
        keys: Keys,
        audit: Audit,
    ) -> None:
        """`alone`: no other process writes to this store, so profiles in memory stay right."""
        self.name = name
        self._settings = settings
        self._store = store
        self._process = process
        self._alone = alone
        learning = settings.learning
        self.key = keys.pseudonyms(name).of
        """A visitor's pseudonym: what services and the store know the visitor by."""
        self._nobody = frozenset(id_.casefold() for id_ in settings.blocked_ids)
        self.defaults = Defaults(settings.consent, settings.consent_countries)
        self.ledger = Ledger(audit, name, keys.signing)
        seal = partial(sealed, personal=PersonalTraits(settings.personal_traits), sealer=keys.sealer)
        self.decisions = Decisions(store.decisions, process, keys.sealer)
        self.signals = SignalKeeper(store.events, store.states, store.decisions, learning)
        self.shelf = Shelf(store.content, self.signals, builtin_block_types())
        self.profiles = Profiles(
            store.events, store.profiles, process, learning, settings.profile_cache,
            None if alone else MAX_AGE,
        )  # fmt: skip
        self._elsewhere = Elsewhere(store.events, self.profiles, process)
        self.notices = Notices(self.profiles.get_many, None if alone else self._changed)
        self.profiles.reseal = partial(resealed, sealer=keys.sealer)
        self.people = People(self.profiles, self.notices, process, settings.profile_cache)
        self.profiles.on_moved = self.people.moved
        self.shelf.on_served = self.notices.published
        self.intake = Intake(
            store.events, self.profiles, process, learning, self._features,
            settings.consent == "opt-out", settings.gather_ms / 1000,
        )  # fmt: skip
        self.intake.on_said = self._said
        self.intake.views, self.intake.spread = self.people.of, self.people.spread
        self.joining = Joining(self.people, self.profiles, self.intake, self.ledger.write)
        self.delivery = Delivery(self.people, settings, keys.sealer)
        self.replays = Replays(self.decisions, self.shelf.at, self.profiles.get, learning, keys.sealer)
        self.privacy = Privacy(
            store, self.intake, self.profiles, self.people, self.decisions, seal, self.ledger
        )
        self.personal_data = PersonalData(
            store, self.profiles, self.people, self.decisions, keys.sealer, self.ledger
        )
        self.authoring = Authoring(store, self.shelf, self.ledger)
        self._tasks: list[asyncio.Task[None]] = []

    def identity(self, given: str) -> Pseudonym:
        """Of an id that is to be joined to another. Raises BadIdentity for what names nobody."""
        return self.key(identity(given, self._nobody))

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
            "erasing what came late": (SWEEP_SECONDS, self.privacy.sweep),
            "tidying earlier revisions": (TIDY_SECONDS, self._store.content.tidy),
            "recovering open buckets": (RECOVERY_SECONDS, self._recover),
        }
        if not self._alone:
            self._start(
                every(FOLLOW_SECONDS, self.profiles.follow, f"following other processes of {self.name}"),
                "following other processes",
            )
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

    def keyed(self, event: Event) -> Event:
        """The event under its visitor's pseudonym."""
        return replace(event, visitor=self.key(event.visitor))

    async def update_signals(self, older_than: float | None = None) -> None:
        """Make popularity anew from the log when it is older than so many seconds, by default the setting's."""
        age = self._settings.signals_seconds if older_than is None else older_than
        published = self.shelf.edition.catalogue.by_key
        await self.shelf.show(await self.signals.update(age, published, time.time()))

    async def _changed(self) -> Collection[str]:
        """Whose pages may be others by what other processes have written, where no change stream tells."""
        if self.profiles.followed:
            return ()
        return self.people.audience(await self._elsewhere.changed())

    async def _recover(self) -> None:
        await recover(self._store.events, self.profiles, self._process)

    def _said(self, visitor: str, consents: Consents) -> None:
        words = {str(purpose): answer.granted for purpose, answer in consents.items()}
        self.ledger.note(AuditKind.CONSENT, EVENTS, Pseudonym(visitor), words)

    def _features(self, block: str | None, variant: str | None) -> Features | None:
        return self.shelf.edition.catalogue.features(block, variant)

    def _start(self, work: Any, name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=f"{self.name}: {name}"))
