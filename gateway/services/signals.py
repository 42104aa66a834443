"""Keeping the shared snapshot of popularity: whoever comes first folds the new part of the event log.

Each snapshot is kept as long as the decisions that were made by it.
"""

import asyncio
from collections.abc import Container, Mapping
from datetime import UTC, datetime

from gateway.core.events import Event
from gateway.core.signals import Signals, folded, from_bytes, to_bytes
from gateway.storage.decisions import DecisionBucket, DecisionStore
from gateway.storage.events import Bucket, EventStore
from gateway.storage.states import StateStore

NAME = "signals"
LAG = 2.0  # seconds that the newest buckets are left to settle: inserts overtake each other
BUCKETS = 200  # read at once


class SignalKeeper:
    def __init__(
        self, events: EventStore, states: StateStore, history: DecisionStore, weights: Mapping[str, float]
    ) -> None:
        self._events = events
        self._states = states
        self._history = history
        self._weights = weights

    async def latest(self) -> Signals:
        state = await self._states.get(NAME)
        return from_bytes(state.body) if state else Signals()

    async def version(self, number: int) -> Signals | None:
        """An earlier snapshot, for a replay; None once it has expired."""
        if number == 0:
            return Signals()
        latest = await self.latest()
        if latest.version == number:
            return latest
        found = await self._history.get(f"{NAME}-{number}")
        return from_bytes(found.body) if found else None

    async def update(self, older_than: float, published: Container[str], now: float) -> Signals:
        """The newest snapshot; made anew from the log when it is more than `older_than` seconds old.

        `published` holds the keys of the blocks that are counted.
        """
        state = await self._states.get(NAME)
        signals = from_bytes(state.body) if state else Signals()
        if now - signals.upto < older_than:
            return signals
        moved = await self._folded(signals, published, now - LAG)
        return await self._put(signals, moved, state.version if state else 0)

    async def _folded(self, signals: Signals, published: Container[str], until: float) -> Signals:
        """The same signals when nothing has happened."""
        limit = BUCKETS
        while signals.upto < until:
            buckets = await self._events.since(_date(signals.upto), _date(until), limit)
            if not buckets:
                break
            upto = until
            if len(buckets) == limit:  # the last millisecond may go on beyond it
                upto = buckets[-1].at.timestamp()
                buckets = [bucket for bucket in buckets if bucket.at.timestamp() < upto]
                if not buckets:
                    limit *= 2
                    continue
            events = await asyncio.to_thread(_events, buckets)
            signals = folded(signals, events, self._weights, upto, published)
        return signals

    async def _put(self, before: Signals, moved: Signals, expected: int) -> Signals:
        if moved is before:
            return before
        after = Signals(before.version + 1, moved.landmark, moved.upto, moved.shown, moved.won)
        body = to_bytes(after)
        if not await self._states.put(NAME, body, expected):
            return await self.latest()  # another process was faster
        await self._history.append(DecisionBucket(f"{NAME}-{after.version}", datetime.now(UTC), (), body))
        return after


def _events(buckets: list[Bucket]) -> list[Event]:
    return [
        Event.from_bytes(event.id, event.visitor, event.body) for bucket in buckets for event in bucket.events
    ]


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
