"""What editors do: save drafts, publish, take back. Everything is checked whole before anything is written."""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from content_blocks.publishing import NotAllowed, States, move
from gateway.core.bundles import KINDS, Bundle, stale_patches
from gateway.core.catalogue import Entry
from gateway.core.editions import Edition
from gateway.errors import BadInput, Conflict, InvalidContent, NotFound, Problem
from gateway.services.audit import Ledger
from gateway.services.checks import Checks, Progress
from gateway.services.shelf import Shelf
from gateway.storage import content
from gateway.storage.client import SpaceStore
from gateway.storage.drafts import Draft, DraftChange
from schemas.json_schemas import builtin_block_types
from schemas.vocabulary import AuditKind

log = logging.getLogger(__name__)

CONTENT = tuple(kind for kind in KINDS if kind != "event")
# What may be done to a draft without publishing it.
MOVES = ("submit", "reject", "cancel", "archive", "restore")
SCHEDULE = "schedule"  # the state that says which drafts are to be published when
MOST_DRAFTS = 10_000  # looked at when a publication names none

Ref = tuple[str, str]  # kind, key


@dataclass(frozen=True, slots=True)
class Item:
    """A document in the editors' hands: its draft where there is one, else what is published."""

    kind: str
    key: str
    state: str
    version: int  # of the draft; 0 when there is none
    body: bytes
    published_revision: int | None
    updated: datetime | None = None
    publish_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Published:
    revision: int
    put: int
    removed: int
    warnings: Sequence[Problem] = ()


class Authoring:
    def __init__(self, store: SpaceStore, shelf: Shelf, ledger: Ledger) -> None:
        self._ledger = ledger
        self._store = store
        self._shelf = shelf
        self._checks = Checks(shelf)
        self._built_in = {document["name"] for document in builtin_block_types()}

    async def save(
        self, kind: str, document: Mapping[str, Any], by: str, expect_version: int | None = None
    ) -> tuple[Item, Sequence[Problem]]:
        """Save a draft; returns it and the warnings. Raises InvalidContent, Conflict."""
        key = document[KINDS[kind].identity]
        if kind == "blockType" and key in self._built_in:
            raise Conflict(f"the block type {key} is built in; give yours another name")
        drafts = await self._drafts()
        bundle = Bundle.of({kind: [dict(document)]})
        warnings = await self._checks.check(
            self._checks.dependents(bundle, drafts), self._checks.existing(drafts)
        )
        before = await self._store.drafts.get(kind, key)
        state = _moved(States(before.state), "edit") if before else States.DRAFT
        change = DraftChange(kind, key, orjson.dumps(document), state)
        await self._store.drafts.save([change], by=by, at=datetime.now(UTC), expect_version=expect_version)
        return await self.item(kind, key), [*warnings, *self._moved_under(kind, document, before)]

    def _moved_under(self, kind: str, document: Mapping[str, Any], before: Draft | None) -> list[Problem]:
        """Warnings on patches under which this save moves the data of their block."""
        entry = self._shelf.edition.catalogue.entries.get((kind, document[KINDS[kind].identity]))
        last = before or entry
        if kind != "block" or last is None:
            return []
        return stale_patches(orjson.loads(last.body), dict(document))

    async def item(self, kind: str, key: str) -> Item:
        """Raises NotFound."""
        draft = await self._store.drafts.get(kind, key)
        entry = self._shelf.edition.catalogue.entries.get((kind, key))
        schedule = await self._schedule()
        return _item(draft, entry, schedule) if draft or entry else _missing(kind, key)

    async def items(
        self, kind: str, first: int, after: str | None, state: str | None = None
    ) -> tuple[list[Item], bool]:
        """In the order of their keys, after the key `after`; and whether there are more."""
        schedule = await self._schedule()
        last = (kind, after) if after is not None else None
        drafts = {d.key: d for d in await self._store.drafts.page(kind, after=last, limit=MOST_DRAFTS)}
        entries = {
            key: entry
            for (name, key), entry in self._shelf.edition.catalogue.entries.items()
            if name == kind and (after is None or key > after)
        }
        found: list[Item] = []
        for key in sorted(drafts.keys() | entries.keys()):
            item = _item(drafts.get(key), entries.get(key), schedule)
            if state is None or item.state == state:
                found.append(item)
            if len(found) > first:
                break
        return found[:first], len(found) > first

    async def revisions(self, first: int) -> list[content.Revision]:
        """Newest first."""
        return await self._store.content.revisions(first)

    async def discard(self, kind: str, key: str) -> bool:
        """Throw a draft away; what is published stays."""
        return await self._store.drafts.delete(kind, key)

    async def act(self, refs: Collection[Ref], action: str, by: str) -> list[Item]:
        """Move drafts along by one of MOVES. Raises Conflict where that is not possible."""
        if action not in MOVES:
            raise BadInput(
                f"drafts can be moved by {', '.join(MOVES)}; publish and schedule are of their own"
            )
        return await self._move(refs, action, by)

    async def _move(self, refs: Collection[Ref], action: str, by: str) -> list[Item]:
        found = [await self._draft(ref) for ref in refs]
        changes = [DraftChange(d.kind, d.key, d.body, _moved(States(d.state), action)) for d in found]
        await self._store.drafts.save(changes, by=by, at=datetime.now(UTC))
        return [await self.item(*ref) for ref in refs]

    async def schedule(self, refs: Collection[Ref], at: datetime, by: str) -> list[Item]:
        """Publish these drafts at that moment, together."""
        if at.timestamp() <= time.time():
            raise Conflict("the moment lies in the past; publish now instead")
        await self._put_schedule({f"{kind}:{key}": at.timestamp() for kind, key in refs})
        return await self._move(refs, "schedule", by)

    async def publish_due(self) -> None:
        """Publish what is scheduled for now or earlier; called again and again."""
        due = {name: at for name, at in (await self._schedule()).items() if at <= time.time()}
        if not due:
            return
        for moment in sorted(set(due.values())):
            names = [name.partition(":") for name, at in due.items() if at == moment]
            await self._publish_scheduled([(kind, key) for kind, _, key in names])
        await self._put_schedule(dict.fromkeys(due, None))

    async def _publish_scheduled(self, refs: Collection[Ref]) -> None:
        """What can no longer be published must not be tried for ever, nor keep others waiting."""
        drafts = [draft for ref in refs if (draft := await self._store.drafts.get(*ref))]
        waiting = [(d.kind, d.key) for d in drafts if d.state == States.SCHEDULED]
        if not waiting:
            return
        try:
            await self.publish(waiting, by="schedule")
        except InvalidContent as error:
            log.error("what was scheduled is a draft again, for it cannot be published: %s", error)
            await self.act(waiting, "cancel", by="schedule")

    async def publish(
        self,
        refs: Collection[Ref] | None = None,
        *,
        by: str,
        note: str = "",
        on_progress: Progress | None = None,
    ) -> Published:
        """Publish drafts, all of them when none is named, as one new revision."""
        drafts = await self._chosen(refs)
        entries = [content.Entry(draft.kind, draft.key, draft.body) for draft in drafts]
        warnings = await self._checks.result(entries)
        published = await self._publish(entries, by, note, on_progress)
        for draft in drafts:
            with suppress(Conflict):  # it was edited meanwhile, and stays
                await self._store.drafts.delete(draft.kind, draft.key, draft.version)
        return replace(published, warnings=warnings)

    async def unpublish(self, refs: Collection[Ref], by: str, note: str = "") -> Published:
        """Take content off the pages; it stays as a draft."""
        entries = self._shelf.edition.catalogue.entries
        for ref in refs:
            if ref not in entries:
                _missing(*ref)
        await self._checks.result([content.Entry(kind, key, None) for kind, key in refs])
        kept = [DraftChange(*ref, entries[ref].body, States.DRAFT) for ref in refs]
        drafted = {(d.kind, d.key) for d in await self._drafts()}
        await self._store.drafts.save(
            [change for change in kept if (change.kind, change.key) not in drafted],
            by=by,
            at=datetime.now(UTC),
        )
        return await self._publish([content.Entry(kind, key, None) for kind, key in refs], by, note)

    async def rollback(self, revision: int, by: str) -> Published:
        """Publish anew what was published at `revision`."""
        known = {found.number for found in await self._store.content.revisions()}
        if revision not in known:
            raise NotFound(f"there is no revision {revision} any more; known are {sorted(known)}")
        then = {(row.kind, row.key): row.body for row in await self._store.content.load(revision)}
        now = self._shelf.edition.catalogue.entries
        entries = [content.Entry(kind, key, body) for (kind, key), body in then.items()]
        entries += [content.Entry(*ref, None) for ref in now if ref not in then]
        return await self._publish(entries, by, f"rollback to {revision}")

    async def load(
        self,
        bundle: Bundle,
        by: str,
        on_progress: Progress | None = None,
        *,
        checking: Progress | None = None,
        wrong: Sequence[Problem] = (),
        drafts_only: bool = False,
    ) -> Published:
        """Check a whole bundle, then publish its content (or save it as drafts). Its events are checked, no more.

        `wrong` is what the caller found wrong already; it is told with the rest.
        """
        existing = self._checks.existing(await self._drafts() if drafts_only else ())
        warnings = await self._checks.check(self._checks.dependents(bundle, ()), existing, checking, wrong)
        found = [
            (kind, document[KINDS[kind].identity], orjson.dumps(document))
            for kind in CONTENT
            for document in bundle.documents[kind]
        ]
        if drafts_only:
            changes = [DraftChange(*parts) for parts in found]
            await self._store.drafts.save(changes, by=by, at=datetime.now(UTC))
            return Published(self._shelf.edition.catalogue.revision, 0, 0, warnings)
        entries = [content.Entry(*parts) for parts in found]
        return replace(await self._publish(entries, by, "load", on_progress), warnings=warnings)

    def export(self) -> Bundle:
        """All published content."""
        documents: dict[str, list[dict[str, Any]]] = {}
        for (kind, _), entry in sorted(self._shelf.edition.catalogue.entries.items()):
            documents.setdefault(kind, []).append(dict(entry.document))
        return Bundle.of(documents)

    async def drafted(self) -> Edition:
        """The present edition as it would be with every draft published."""
        drafts = await self._drafts()
        return await self._shelf.with_drafts(
            Entry(d.kind, d.key, -d.version, d.body) for d in drafts if d.state != States.ARCHIVED
        )

    async def _publish(
        self, entries: Sequence[content.Entry], by: str, note: str, on_progress: Progress | None = None
    ) -> Published:
        revision = await self._store.content.publish(entries, by=by, note=note, on_progress=on_progress)
        await self._shelf.refresh()
        removed = sum(entry.body is None for entry in entries)
        put = len(entries) - removed
        if entries:
            details = {"revision": revision, "published": put, "removed": removed}
            await self._ledger.write(AuditKind.PUBLICATION, by, details=details)
        return Published(revision, put, removed)

    async def _chosen(self, refs: Collection[Ref] | None) -> list[Draft]:
        if refs is not None:
            drafts = [await self._draft(ref) for ref in refs]
            for draft in drafts:
                _moved(States(draft.state), "publish")
            return drafts
        drafts = [d for d in await self._drafts() if d.state in {States.DRAFT, States.REVIEW}]
        if not drafts:
            raise NotFound("there are no drafts to publish; save something first")
        return drafts

    async def _draft(self, ref: Ref) -> Draft:
        return await self._store.drafts.get(*ref) or _missing(*ref, "draft of ")

    async def _drafts(self) -> list[Draft]:
        return await self._store.drafts.page(limit=MOST_DRAFTS)

    async def _schedule(self) -> dict[str, float]:
        state = await self._store.states.get(SCHEDULE)
        return orjson.loads(state.body) if state else {}

    async def _put_schedule(self, changes: Mapping[str, float | None]) -> None:
        while True:
            state = await self._store.states.get(SCHEDULE)
            times = orjson.loads(state.body) if state else {}
            body = orjson.dumps({name: at for name, at in {**times, **changes}.items() if at is not None})
            if await self._store.states.put(SCHEDULE, body, state.version if state else 0):
                return


def _item(draft: Draft | None, entry: Entry | None, schedule: Mapping[str, float]) -> Item:
    revision = entry.revision if entry else None
    if draft is None:
        if entry is None:
            raise LookupError("neither draft nor published")
        return Item(entry.kind, entry.key, States.PUBLISHED, 0, entry.body, revision)
    at = schedule.get(f"{draft.kind}:{draft.key}") if draft.state == States.SCHEDULED else None
    return Item(
        kind=draft.kind,
        key=draft.key,
        state=draft.state,
        version=draft.version,
        body=draft.body,
        published_revision=revision,
        updated=draft.updated,
        publish_at=datetime.fromtimestamp(at, UTC) if at else None,
    )


def _moved(state: States, action: str) -> States:
    """An edited draft is a draft again, whatever it was waiting for."""
    if action == "edit":
        return States.DRAFT
    try:
        return move(state, action)
    except NotAllowed as error:
        raise Conflict(str(error)) from error


def _missing(kind: str, key: str, what: str = "") -> Any:
    raise NotFound(f"there is no {what}{kind} {key!r}")
