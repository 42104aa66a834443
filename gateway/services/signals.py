"""Keeping the shared snapshot of popularity: whoever comes first folds the new part of the event log.

Each snapshot is kept as long as the decisions that were made by it.
"""

import asyncio
import time
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

    async def update(self, older_than: float, published: Container[str], lag: float = LAG) -> Signals:
        """The newest snapshot; made anew from the log when it is more than `older_than` seconds old.

        `published` holds the keys of the blocks that are counted.
        """
        state = await self._states.get(NAME)
        signals = from_bytes(state.body) if state else Signals()
        now = time.time()
        if now - signals.upto < older_than:
            return signals
        until = now - lag
        moved = signals
        while True:
            buckets = await self._events.since(_date(moved.upto), _date(until), limit=BUCKETS)
            if not buckets:
                break
            upto = until if len(buckets) < BUCKETS else _after(buckets[-1])
            events = await asyncio.to_thread(_events, buckets)
            moved = folded(moved, events, self._weights, upto, published)
            if upto == until:
                break
        if moved is signals:
            return signals
        return await self._put(signals, moved, state.version if state else 0)

    async def _put(self, before: Signals, moved: Signals, expected: int) -> Signals:
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


def _after(bucket: Bucket) -> float:
    return bucket.at.timestamp() + 0.001  # MongoDB's times are whole milliseconds


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
