"""Keeping the shared snapshot of popularity: whoever comes first folds the new part of the event log.

Each snapshot is kept as long as the decisions that were made by it.
"""

import asyncio
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gateway.core.events import Event
from gateway.core.memory import Learning
from gateway.core.percentiles import quantiles_of, sampled
from gateway.core.signals import Signals, folded, from_bytes, to_bytes
from gateway.storage.decisions import DecisionBucket, DecisionStore
from gateway.storage.events import Bucket, EventStore
from gateway.storage.states import StateStore

NAME = "signals"
LAG = 2.0  # seconds that the newest buckets are left to settle: inserts overtake each other
BUCKETS = 200  # read at once


class SignalKeeper:
    def __init__(
        self, events: EventStore, states: StateStore, history: DecisionStore, learning: Learning
    ) -> None:
        self._events = events
        self._states = states
        self._history = history
        self._learning = learning

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
            signals = folded(signals, events, self._learning.weights, upto, published)
            signals = self._with_engagement(signals, events)
        return signals

    def _with_engagement(self, signals: Signals, events: Sequence[Event]) -> Signals:
        weights, half_life = self._learning.engagement.weights, self._learning.half_life_usual
        sample = sampled(signals.sample, events, weights, half_life)
        return replace(signals, sample=sample, quantiles=quantiles_of(sample))

    async def _put(self, before: Signals, moved: Signals, expected: int) -> Signals:
        if moved is before:
            return before
        after = replace(moved, version=before.version + 1)
        if not await self._states.put(NAME, to_bytes(after), expected):
            return await self.latest()  # another process was faster
        body = to_bytes(replace(after, sample={}))  # a replay asks for the quantiles alone
        await self._history.append(DecisionBucket(f"{NAME}-{after.version}", datetime.now(UTC), (), body))
        return after


def _events(buckets: list[Bucket]) -> list[Event]:
    return [
        Event.from_bytes(event.id, event.visitor, event.body) for bucket in buckets for event in bucket.events
    ]


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
