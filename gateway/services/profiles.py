"""Profiles in memory: loaded at need, moved by what was made durable, folded into the store later.

The event log is the truth and a profile is a fold of it (docs/decisions/0003). A visitor's newest state is
therefore the stored profile and whatever open buckets it does not include yet. Reading goes buckets first,
profile second: in the other order a folding between the two reads would hide a bucket.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.core.memory import Learning, Memory, from_bytes, to_bytes
from gateway.core.profiles import Clock, Profile, moved, stranger
from gateway.errors import StoreUnavailable
from gateway.storage.events import EventStore, OpenMove, bucket_id
from gateway.storage.profiles import ProfileChange, ProfileStore, StoredProfile

CHUNK = 16  # profiles a folding moves at once; the loop and the engine breathe in between
NEW = 100  # ... and makes at once: the embedded engine inserts ten times as fast as it updates
ATTEMPTS = 5  # a load that a folding overtook is repeated

Move = tuple[int, Memory]  # the number of this process's bucket, and what it does to one visitor


@dataclass(slots=True)
class _Base:
    """What the store holds: the version is what a write must find."""

    version: int
    profile: Profile


@dataclass(slots=True)
class _Entry:
    base: _Base | None  # None: must be read again before it can be written
    view: Profile  # the base, with every open move that is known
    loaded: float  # monotonic seconds


@dataclass(slots=True)
class _Open:
    """Moves of this process that are durable in the log but not folded yet."""

    moves: dict[str, list[Move]] = field(default_factory=dict)  # by visitor, ascending
    visitors: dict[int, int] = field(default_factory=dict)  # bucket number -> visitors still to fold


class Profiles:
    def __init__(
        self,
        events: EventStore,
        store: ProfileStore,
        process: str,
        learning: Learning,
        capacity: int,
        max_age: float | None,
    ) -> None:
        """`max_age`: seconds a profile may be served from memory; None where no other process writes."""
        self._events = events
        self._store = store
        self._process = process
        self._learning = learning
        self._capacity = capacity
        self._max_age = max_age
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._open = _Open()
        self._folding = asyncio.Lock()
        # A store of our own takes writes faster one after the other than all at once (docs/storage.md).
        self.turns: AbstractAsyncContextManager[None] = asyncio.Lock() if max_age is None else nullcontext()
        self.on_moved: Callable[[str], None] = _nobody

    @property
    def backlog(self) -> int:
        """Visitors with moves that are not folded yet."""
        return len(self._open.moves)

    def cached(self, visitor: str, at_least: Clock | None = None) -> Profile | None:
        """The newest state known here, if it is fresh enough."""
        entry = self._entries.get(visitor)
        if entry is None or not self._fresh(entry):
            return None
        if at_least is not None and not entry.view.includes(at_least):
            return None
        self._entries.move_to_end(visitor)
        return entry.view

    async def get(self, visitor: str, at_least: Clock | None = None) -> Profile:
        """The visitor's state, including at least these writes; a stranger's where nothing is stored."""
        return self.cached(visitor, at_least) or (await self._load([visitor]))[visitor]

    async def get_many(self, visitors: Iterable[str]) -> dict[str, Profile]:
        visitors = list(visitors)
        found = {visitor: profile for visitor in visitors if (profile := self.cached(visitor))}
        missing = [visitor for visitor in visitors if visitor not in found]
        return found | (await self._load(missing) if missing else {})

    def move(
        self, number: int, moves: Mapping[str, Memory], known: Mapping[str, Profile]
    ) -> dict[str, Profile]:
        """Bucket `number` of this process is durable, and does this to these visitors, `known` before it.

        Returns their states with it.
        """
        if moves:
            self._open.visitors[number] = len(moves)
        for visitor, memory in moves.items():
            self._open.moves.setdefault(visitor, []).append((number, memory))
            entry = self._entries.get(visitor)
            if entry is None:
                before = known.get(visitor) or stranger(visitor, self._learning)
                entry = _Entry(None, before, float("-inf"))
                self._keep(visitor, entry)
            entry.view = moved(entry.view, self._process, [(number, memory)])
            self.on_moved(visitor)
        return {visitor: self._entries[visitor].view for visitor in moves}

    def drop(self, visitor: str) -> None:
        """Forget what is known here; the next reader loads it."""
        entry = self._entries.get(visitor)
        if entry is not None:
            entry.base, entry.loaded = None, float("-inf")

    async def fold(self) -> int:
        """Write every open move into its profile; returns how many profiles were written."""
        async with self._folding:
            written = 0
            for visitors in self._chunks(list(self._open.moves)):
                written += await self._fold(visitors)
            return written

    def _chunks(self, waiting: list[str]) -> Iterator[list[str]]:
        new = [visitor for visitor in waiting if self._is_new(visitor)]
        old = [visitor for visitor in waiting if not self._is_new(visitor)]
        for visitors, size in ((new, NEW), (old, CHUNK)):
            yield from (visitors[start : start + size] for start in range(0, len(visitors), size))

    def _is_new(self, visitor: str) -> bool:
        entry = self._entries.get(visitor)
        return entry is not None and entry.base is not None and entry.base.version == 0

    async def settle(self, visitor: str) -> None:
        """Fold until the stored profile holds all that is open now; StoreUnavailable when others are always faster."""
        newest = max((number for number, _ in self._open.moves.get(visitor, ())), default=0)
        for _ in range(ATTEMPTS):
            async with self._folding:
                await self._fold([visitor])
            if all(number > newest for number, _ in self._open.moves.get(visitor, ())):
                return
        raise StoreUnavailable("other processes are writing this visitor's profile; repeat it in a moment")

    async def take_over(self, process: str, moves: Mapping[str, Sequence[Move]]) -> bool:
        """Fold what another process left open: by visitor, ascending. True when all profiles include it."""
        lost = list(moves)
        for _ in range(ATTEMPTS):
            left: list[str] = []
            for start in range(0, len(lost), CHUNK):
                left += await self._take_over(process, moves, lost[start : start + CHUNK])
            lost = left
            if not lost:
                return True
        return False

    async def _take_over(
        self, process: str, moves: Mapping[str, Sequence[Move]], visitors: list[str]
    ) -> Collection[str]:
        stored = await self._store.get_many(visitors)
        writes = []
        for visitor in visitors:
            base = self._base(visitor, stored.get(visitor))
            profile = moved(base.profile, process, moves[visitor])
            if profile.clock != base.profile.clock:
                writes.append(ProfileChange(visitor, base.version, _stored(base.version + 1, profile)))
        lost = await self._write(writes)
        for visitor in visitors:
            self.drop(visitor)
        return lost

    def _fresh(self, entry: _Entry) -> bool:
        if entry.base is None:
            return False
        return self._max_age is None or time.monotonic() - entry.loaded < self._max_age

    async def _load(self, visitors: list[str]) -> dict[str, Profile]:
        found: dict[str, Profile] = {}
        for _ in range(ATTEMPTS):
            asked = time.monotonic()
            # Without other processes every open move is known here already.
            pending = await self._events.open_moves(visitors) if self._max_age is not None else {}
            stored = await self._store.get_many(visitors)
            overtaken = {}
            for visitor in visitors:
                base = self._base(visitor, stored.get(visitor))
                entry = self._entries.get(visitor)
                if entry is not None and entry.base is not None and entry.base.version > base.version:
                    overtaken[visitor] = entry.view
                    continue
                found[visitor] = self._view(visitor, base.profile, pending.get(visitor, ()))
                self._keep(visitor, _Entry(base, found[visitor], asked))
            visitors = list(overtaken)
            if not visitors:
                break
        return found | overtaken

    def _view(self, visitor: str, profile: Profile, pending: Iterable[OpenMove]) -> Profile:
        for move in pending:
            profile = moved(profile, move.process, [(move.seq, from_bytes(move.body))])
        return moved(profile, self._process, self._open.moves.get(visitor, ()))

    def _base(self, visitor: str, stored: StoredProfile | None) -> _Base:
        if stored is None:
            return _Base(0, stranger(visitor, self._learning))
        profile = Profile(visitor, from_bytes(stored.body), stored.clock, self._learning)
        return _Base(stored.version, profile)

    def _keep(self, visitor: str, entry: _Entry) -> None:
        self._entries[visitor] = entry
        self._entries.move_to_end(visitor)
        while len(self._entries) > self._capacity:
            oldest = next(iter(self._entries))
            if oldest in self._open.moves:  # not before it is folded
                self._entries.move_to_end(oldest)
                break
            del self._entries[oldest]

    async def _fold(self, visitors: list[str]) -> int:
        await self._read_bases(visitors)
        writes, taken = [], {}
        for visitor in visitors:
            base = self._entries[visitor].base
            moves = tuple(self._open.moves.get(visitor, ()))
            if base is None or not moves:
                continue
            taken[visitor] = _Base(base.version + 1, moved(base.profile, self._process, moves)), moves
            writes.append(
                ProfileChange(visitor, base.version, _stored(base.version + 1, taken[visitor][0].profile))
            )
        lost = await self._write(writes)
        finished: list[int] = []
        for visitor, (base, moves) in taken.items():
            entry = self._entries.get(visitor)
            if visitor in lost:
                if entry is not None:
                    entry.base = None
                continue
            if entry is not None and entry.base is not None and entry.base.version < base.version:
                entry.base = base
                self._entries.move_to_end(visitor)  # a load that is under way shall find it
            finished += self._folded(visitor, moves)
        if finished:
            async with self.turns:
                await self._events.close([bucket_id(self._process, number) for number in finished])
        return len(taken) - len(lost)

    async def _write(self, writes: list[ProfileChange]) -> set[str]:
        if not writes:
            return set()
        async with self.turns:
            return await self._store.write(writes)

    async def _read_bases(self, visitors: list[str]) -> None:
        unread = [
            visitor
            for visitor in visitors
            if visitor not in self._entries or self._entries[visitor].base is None
        ]
        if unread:
            await self._load(unread)

    def _folded(self, visitor: str, moves: tuple[Move, ...]) -> list[int]:
        """Note that these moves are in the profile; returns the buckets that have none left."""
        left = self._open.moves[visitor][len(moves) :]
        if left:
            self._open.moves[visitor] = left
        else:
            del self._open.moves[visitor]
        finished = []
        for number, _ in moves:
            self._open.visitors[number] -= 1
            if not self._open.visitors[number]:
                del self._open.visitors[number]
                finished.append(number)
        return finished


def _nobody(visitor: str) -> None:
    """Nobody is told of a visitor's move."""


def _stored(version: int, profile: Profile) -> StoredProfile:
    memory = profile.memory
    return StoredProfile(
        version=version,
        clock=profile.clock,
        body=to_bytes(memory),
        seen=_date(memory.last_touched),
        forgotten=_date(memory.forgotten) if memory.forgotten and memory.first_seen is None else None,
    )


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
