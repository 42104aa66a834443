"""The edition that pages are chosen from: loaded at start, followed as others publish, kept for replays.

Compiling happens in a thread, and the finished edition is swapped in whole. Whoever needs to be ready for a
new edition before it is served (the GraphQL schema is) says so by `before`.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from gateway.core.catalogue import Catalogue, Entry, compile_catalogue
from gateway.core.editions import Edition
from gateway.core.signals import Signals
from gateway.services.signals import SignalKeeper
from gateway.storage.content import ContentStore, Row

log = logging.getLogger(__name__)

KEPT = 4  # earlier editions in memory, for replays of what was just served

Before = Callable[[Edition], Awaitable[None]]
Entries = Mapping[tuple[str, str], Entry]


class Shelf:
    def __init__(
        self, content: ContentStore, signals: SignalKeeper, builtin: Sequence[Mapping[str, Any]]
    ) -> None:
        self._content = content
        self._signals = signals
        self._builtin = builtin
        self._before: list[Before] = []
        self._lock = asyncio.Lock()
        self.on_served: Callable[[], None] = _nobody
        self._kept: OrderedDict[str, Edition] = OrderedDict()
        self.edition = Edition(compile_catalogue(0, (), builtin), Signals())

    async def before(self, ready: Before) -> None:
        """Call `ready` with the present edition, and with each later one before it is served."""
        self._before.append(ready)
        await ready(self.edition)

    async def refresh(self) -> Edition:
        """Follow what has been published, by whichever process."""
        async with self._lock:
            served = self.edition.catalogue
            revision = await self._content.current()
            if revision != served.revision:
                entries = await self._entries(served, revision)
                catalogue = await asyncio.to_thread(
                    compile_catalogue, revision, entries.values(), self._builtin, served
                )
                await self._serve(Edition(catalogue, self.edition.signals))
            return self.edition

    async def show(self, signals: Signals) -> None:
        """Rank by these signals from now on."""
        async with self._lock:
            if signals.version != self.edition.signals.version:
                await self._serve(Edition(self.edition.catalogue, signals))

    async def at(self, revision: str) -> Edition | None:
        """An earlier edition, from memory or made again; None when its parts have expired."""
        if revision == self.edition.revision:
            return self.edition
        if revision in self._kept:
            self._kept.move_to_end(revision)
            return self._kept[revision]
        content, _, version = revision.partition(".")
        signals = await self._signals.version(int(version))
        if signals is None:
            return None
        edition = Edition(await self._catalogue(int(content)), signals)
        self._keep(edition)
        return edition

    async def with_drafts(self, drafts: Iterable[Entry]) -> Edition:
        """The present edition as it would be if these drafts were published."""
        catalogue = self.edition.catalogue
        entries = {**catalogue.entries, **{(draft.kind, draft.key): draft for draft in drafts}}
        compiled = await asyncio.to_thread(
            compile_catalogue, catalogue.revision, entries.values(), self._builtin, catalogue
        )
        return Edition(compiled, self.edition.signals)

    async def _catalogue(self, revision: int) -> Catalogue:
        for edition in (self.edition, *self._kept.values()):
            if edition.catalogue.revision == revision:
                return edition.catalogue
        entries = _entries(await self._content.load(revision))
        return await asyncio.to_thread(compile_catalogue, revision, entries.values(), self._builtin)

    async def _entries(self, served: Catalogue, revision: int) -> Entries:
        if not served.revision or revision < served.revision:
            return _entries(await self._content.load(revision))
        changes = await self._content.changes(served.revision, revision)
        entries = {**served.entries, **_entries(changes.put)}
        for removed in changes.removed:
            entries.pop(removed, None)
        return entries

    async def _serve(self, edition: Edition) -> None:
        await asyncio.to_thread(edition.warm, time.time())
        for ready in self._before:
            await ready(edition)
        self._keep(self.edition)
        self.edition = edition
        self.on_served()
        log.info("serving edition %s: %d blocks", edition.revision, len(edition.catalogue.blocks))

    def _keep(self, edition: Edition) -> None:
        self._kept[edition.revision] = edition
        self._kept.move_to_end(edition.revision)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _nobody() -> None:
    """Nobody is told of a new edition."""


def _entries(rows: Iterable[Row]) -> Entries:
    return {
        (row.kind, row.key): Entry(row.kind, row.key, row.revision, row.body)
        for row in rows
        if row.body is not None
    }
