"""Published content in many versions: a reader of revision 7 sees 7, whatever is published meanwhile.

At a revision the newest row of each thing counts, and a row without a body says that it was removed. So
publishing only inserts, and then moves the pointer. `tidy` later notes on replaced rows until when they
counted, which spares readers from reading them and lets them expire.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.errors import BadInput, BlockloomError
from gateway.storage.batches import INSERTED_AT_ONCE, batches
from gateway.storage.drafts import ref
from gateway.storage.indexes import Database
from gateway.storage.pointer import Claim, Pointer
from gateway.storage.rows import Entry, Revision, Row, Rows, document, row_of
from gateway.storage.tidying import tidy

__all__ = ["Changes", "ContentStore", "Entry", "Progress", "Revision", "Row"]

_READ_WHOLE_FROM = 5_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Changes:
    put: tuple[Row, ...]
    removed: tuple[tuple[str, str], ...]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ContentStore:
    def __init__(
        self, db: Database, pointer: Pointer | None = None, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._rows = Rows(db)
        self._pointer = pointer or Pointer(db, clock)
        self._clock = clock

    async def current(self) -> int:
        """0: nothing was published yet."""
        return (await self._pointer.read()).revision

    async def load(self, revision: int) -> list[Row]:
        """All that a reader of that revision sees, in the order of kind and key."""
        voids = (await self._pointer.read()).voids
        newest = await _newest(self._rows.find({"to": {"$gt": revision}}), revision, voids)
        return [row for row in newest if row.body is not None]

    async def changes(self, old: int, new: int) -> Changes:
        """What turns a catalogue of revision `old` into one of `new`."""
        voids = (await self._pointer.read()).voids
        newest = await _newest(self._rows.find({"from": {"$gt": old, "$lte": new}}), new, voids)
        return Changes(
            tuple(row for row in newest if row.body is not None),
            tuple((row.kind, row.key) for row in newest if row.body is None),
        )

    async def history(self, kind: str, key: str) -> list[Row]:
        """Its published versions that are still kept, newest first; a body of None is a removal."""
        position = await self._pointer.read()
        found = [row async for row in self._rows.find({"ref": ref(kind, key)})]
        live = [row_of(row) for row in found if position.shows(row["from"])]
        return sorted(live, key=lambda row: -row.revision)

    async def revisions(self, limit: int = 100) -> list[Revision]:
        """Newest first."""
        position = await self._pointer.read()
        noted = await self._rows.revisions(limit + len(position.voids) + 1)
        return [revision for revision in noted if position.shows(revision.number)][:limit]

    async def publish(
        self, entries: Sequence[Entry], *, by: str, note: str = "", on_progress: Progress | None = None
    ) -> int:
        """The revision that shows the entries, all or none; the current one when they say nothing new.

        Until the pointer moves, readers see nothing of it, and a crash leaves them where they were.
        Raises BadInput when a thing is named twice, Conflict when another publication takes too long.
        """
        if len({(entry.kind, entry.key) for entry in entries}) < len(entries):
            raise BadInput("a publication names something twice; name each thing once")
        claim = await self._pointer.claim()
        try:
            changed = await self._changed(entries, claim, on_progress)
            if not changed:
                await self._pointer.release(claim, void=False)
                return claim.base
            await self._insert(changed, claim, on_progress)
            await self._rows.note(_revision(claim, [entry for entry, _ in changed], self._clock(), by, note))
            await self._pointer.flip(claim, self._clock())
        except BaseException:
            await self._give_up(claim)
            raise
        return claim.number

    async def _changed(
        self, entries: Sequence[Entry], claim: Claim, on_progress: Progress | None
    ) -> list[tuple[Entry, bool]]:
        """Entries that differ from what is visible, each with whether it replaces something."""
        there: dict[tuple[str, str], bytes | None] = {}
        for query in _queries(entries, claim.base) if claim.base else ():
            for row in await _newest(self._held(query, claim), claim.base, claim.voids):
                there[row.kind, row.key] = row.body
            await self._step(claim, 0, len(entries), on_progress)
        named = [(entry, there.get((entry.kind, entry.key))) for entry in entries]
        return [(entry, body is not None) for entry, body in named if entry.body != body]

    async def _held(self, query: Mapping[str, Any], claim: Claim) -> AsyncIterator[dict[str, Any]]:
        """The rows, however many, while the claim is kept alive."""
        count = 0
        async for row in self._rows.find(query):
            count += 1
            if count % INSERTED_AT_ONCE == 0:
                await self._pointer.renew(claim)
            yield row

    async def _insert(
        self, changed: Sequence[tuple[Entry, bool]], claim: Claim, on_progress: Progress | None
    ) -> None:
        done = 0
        for batch in batches(changed, INSERTED_AT_ONCE):
            await self._rows.insert([document(entry, over, claim.number) for entry, over in batch])
            done += len(batch)
            await self._step(claim, done, len(changed), on_progress)

    async def _step(self, claim: Claim, done: int, total: int, on_progress: Progress | None) -> None:
        await self._pointer.renew(claim)
        if on_progress is not None:
            on_progress(done, total)

    async def _give_up(self, claim: Claim) -> None:
        try:
            await self._pointer.release(claim, void=True)
        except BlockloomError:
            return  # the store is away: the lease will end, and the next publisher voids the number

    async def tidy(self, keep: timedelta = timedelta(days=90)) -> None:
        """Let replaced rows expire after `keep`, which is how long older revisions can be loaded.

        Run it after publishing, beside the answer; stopped anywhere, it goes on the next time.
        """
        await tidy(self._rows, self._pointer, self._clock() + keep)


def _queries(entries: Sequence[Entry], base: int) -> Iterator[dict[str, Any]]:
    """What finds the published rows of the entries: each by its name, or for very many everything once."""
    if len(entries) > _READ_WHOLE_FROM:
        yield {"to": {"$gt": base}}
        return
    for batch in batches(entries):
        yield {"ref": {"$in": [ref(entry.kind, entry.key) for entry in batch]}}


async def _newest(rows: AsyncIterator[dict[str, Any]], revision: int, voids: frozenset[int]) -> list[Row]:
    """Of each thing the row that counts at the revision, removals too, in the order of kind and key."""
    newest: dict[str, dict[str, Any]] = {}
    async for row in rows:
        before = newest.get(row["ref"])
        counts = row["from"] <= revision and row["from"] not in voids
        if counts and (before is None or before["from"] < row["from"]):
            newest[row["ref"]] = row
    return [row_of(newest[name]) for name in sorted(newest)]


def _revision(claim: Claim, entries: Sequence[Entry], at: datetime, by: str, note: str) -> Revision:
    removed = sum(entry.body is None for entry in entries)
    return Revision(claim.number, at, by, note, put=len(entries) - removed, removed=removed)
