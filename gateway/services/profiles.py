"""Profiles in memory: loaded at need, moved by what was made durable, folded into the store later.

The event log is the truth and a profile is a fold of it (docs/decisions/0003). A visitor's newest state is
therefore the stored profile and whatever open buckets it does not include yet. Reading goes buckets first,
profile second: in the other order a folding between the two reads would hide a bucket.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gateway.core.memory import Learning, Memory, from_bytes, to_bytes
from gateway.core.profiles import CLOCK_ENTRIES, Clock, Profile, moved, stranger, trimmed
from gateway.errors import StoreUnavailable
from gateway.services.following import Following
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
        """`max_age`: seconds a profile may be served from memory that nobody follows the others for (`follow`).

        None where no other process writes.
        """
        self._events = events
        self._store = store
        self._process = process
        self._learning = learning
        self._capacity = capacity
        self._max_age = max_age
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._open = _Open()
        self._folding = asyncio.Lock()
        self._following = Following()
        # A store of our own takes writes faster one after the other than all at once (docs/storage.md).
        self.turns: AbstractAsyncContextManager[None] = asyncio.Lock() if max_age is None else nullcontext()
        self.on_moved: Callable[[str], None] = _nobody
        self.reseal: Callable[[Memory], Memory] = _as_it_is  # before a profile is written

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

    async def follow(self) -> None:
        """Hear of what other processes write, until cancelled: so memory need not be read again and again.

        Returns at once where that is not needed, or the server cannot tell. Raises StoreUnavailable; call it again.
        """
        if self._max_age is None or not self._following.possible:
            return
        async with aclosing(self._following.visitors(self._events.written(), self._process)) as heard:
            async for visitor in heard:
                entry = self._entries.get(visitor)
                if entry is not None:
                    entry.loaded = float("-inf")
                self.on_moved(visitor)

    @property
    def followed(self) -> bool:
        """Whether what other processes write is told here as it is written."""
        return self._following.alive(time.monotonic())

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
    ) -> set[str]:
        stored = await self._store.get_many(visitors)
        left = await self._still_open(process, moves, stored)
        bases = {visitor: self._base(visitor, stored.get(visitor)) for visitor in visitors}
        after = {
            visitor: _Base(base.version + 1, moved(base.profile, process, left.get(visitor, moves[visitor])))
            for visitor, base in bases.items()
        }
        changed = {v: base for v, base in after.items() if base.profile.clock != bases[v].profile.clock}
        lost = await self._write(await self._trimmed(changed))
        for visitor in visitors:
            self.drop(visitor)
        return lost

    async def _still_open(
        self, process: str, moves: Mapping[str, Sequence[Move]], stored: Mapping[str, StoredProfile]
    ) -> dict[str, list[Move]]:
        """Where the clock is full, whoever else took a move over may have dropped the process from it since."""
        unsure = [visitor for visitor in stored if _full(stored[visitor], {process})]
        still = await self._events.open_moves(unsure) if unsure else {}
        numbers = {visitor: _numbers(still.get(visitor, ())) for visitor in unsure}
        return {
            visitor: [move for move in moves[visitor] if (process, move[0]) in numbers[visitor]]
            for visitor in unsure
        }

    async def _trimmed(self, bases: dict[str, _Base]) -> list[ProfileChange]:
        """As they are to be written over the version before: clocks that grew too long are cut where that is safe.

        A process whose moves were all closed when the version before had been read will not be met again.
        """
        long = [visitor for visitor, base in bases.items() if len(base.profile.clock) > CLOCK_ENTRIES]
        still = await self._events.open_moves(long) if long else {}
        for visitor in long:
            keep = {move.process for move in still.get(visitor, ())} | {self._process}
            profile = bases[visitor].profile
            bases[visitor].profile = replace(profile, clock=trimmed(profile.clock, keep))
        for base in bases.values():
            base.profile = replace(base.profile, memory=self.reseal(base.profile.memory))
        return [
            ProfileChange(visitor, base.version - 1, _stored(base.version, base.profile))
            for visitor, base in bases.items()
        ]

    def _fresh(self, entry: _Entry) -> bool:
        if entry.base is None:
            return False
        if self._max_age is None:
            return True
        now = time.monotonic()
        return now - entry.loaded < self._max_age or self._following.holds(entry.loaded, now)

    async def _load(self, visitors: list[str]) -> dict[str, Profile]:
        found: dict[str, Profile] = {}
        for _ in range(ATTEMPTS):
            asked = time.monotonic()
            # Without other processes every open move is known here already.
            pending = await self._events.open_moves(visitors) if self._max_age is not None else {}
            stored = await self._store.get_many(visitors)
            closed = await self._closed_since(pending, stored)
            overtaken = {}
            for visitor in visitors:
                base = self._base(visitor, stored.get(visitor))
                entry = self._entries.get(visitor)
                if entry is not None and entry.base is not None and entry.base.version > base.version:
                    overtaken[visitor] = entry.view
                    continue
                moves = pending.get(visitor, ())
                found[visitor] = self._view(visitor, base.profile, moves)
                if visitor in closed:
                    overtaken[visitor] = found[visitor]
                    continue
                certain = all(move.counts for move in moves)
                self._keep(visitor, _Entry(base, found[visitor], self._loaded(visitor, asked, certain)))
            visitors = list(overtaken)
            if not visitors:
                break
        return found | overtaken

    def _loaded(self, visitor: str, asked: float, certain: bool) -> float:
        """When this was as it is in the store; not to be believed again where something is under way."""
        return asked if certain and not self._following.told_since(visitor, asked) else float("-inf")

    async def _closed_since(
        self, pending: Mapping[str, Sequence[OpenMove]], stored: Mapping[str, StoredProfile]
    ) -> set[str]:
        """Visitors whose moves may have been folded, and dropped from a full clock, between the two readings."""
        unsure = [
            visitor
            for visitor, moves in pending.items()
            if _full(stored.get(visitor), {move.process for move in moves})
        ]
        still = await self._events.open_moves(unsure) if unsure else {}
        return {
            visitor for visitor in unsure if _numbers(pending[visitor]) - _numbers(still.get(visitor, ()))
        }

    def _view(self, visitor: str, profile: Profile, pending: Iterable[OpenMove]) -> Profile:
        for move in pending:
            if move.counts:
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
        taken: dict[str, tuple[Move, ...]] = {}
        bases: dict[str, _Base] = {}
        for visitor in visitors:
            base = self._entries[visitor].base
            moves = tuple(self._open.moves.get(visitor, ()))
            if base is None or not moves:
                continue
            taken[visitor] = moves
            bases[visitor] = _Base(base.version + 1, moved(base.profile, self._process, moves))
        lost = await self._write(await self._trimmed(bases))
        finished: list[int] = []
        for visitor, moves in taken.items():
            base, entry = bases[visitor], self._entries.get(visitor)
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


def _full(stored: StoredProfile | None, processes: set[str]) -> bool:
    """Whether one of these processes may have been cut from its clock."""
    return stored is not None and len(stored.clock) >= CLOCK_ENTRIES and not processes <= stored.clock.keys()


def _numbers(moves: Iterable[OpenMove]) -> set[tuple[str, int]]:
    return {(move.process, move.seq) for move in moves}


def _nobody(visitor: str) -> None:
    """Nobody is told of a visitor's move."""


def _as_it_is(memory: Memory) -> Memory:
    return memory


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
