"""Replaying the real visits: a hundred thousand events through the same door as everybody's."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby, islice

from gateway.core.events import Event
from gateway.demo import msweb
from gateway.services.signals import LAG
from gateway.services.space import Space

BATCH = 500  # events in a request
IN_FLIGHT = 4  # requests

Progress = Callable[[int, int], None]  # done, total


async def replay(space: Space, visitors: int | None, on_progress: Progress) -> int:
    """Replay the visits of the first `visitors`, or of all; returns how many events were new.

    They are sent in the order of the visitors, so those that an earlier replay has sent are at the front.
    """
    everybody = await asyncio.to_thread(_by_visitor, visitors)
    start = await _first_stranger(space, [events[0].visitor for events in everybody])
    events = [event for visit in everybody[start:] for event in visit]
    if not events:
        return 0
    new = await _sent(space, events, on_progress)
    await _count(space)
    return new


def _by_visitor(visitors: int | None) -> list[list[Event]]:
    events = map(_event, msweb.visits(end=datetime.now(UTC)))
    return [list(visit) for _, visit in islice(groupby(events, lambda event: event.visitor), visitors)]


def _event(view: msweb.Document) -> Event:
    at = datetime.fromisoformat(view["occurredAt"]).timestamp()
    return Event(view["id"], view["type"], view["visitor"], at, block=view["block"])


async def _first_stranger(space: Space, visitors: list[str]) -> int:
    """By bisection; one visitor before it, since a batch may have ended in the middle of a visit."""
    low, high = 0, len(visitors)
    while low < high:
        middle = (low + high) // 2
        if (await space.profiles.get(visitors[middle])).clock:
            low = middle + 1
        else:
            high = middle
    return max(0, low - 1) if low < len(visitors) else low


async def _sent(space: Space, events: list[Event], on_progress: Progress) -> int:
    done = new = 0

    async def send(batches: Iterator[list[Event]]) -> None:
        nonlocal done, new
        for batch in batches:
            taken = await space.intake.submit(batch)
            new += taken.accepted
            done += len(batch)
            on_progress(done, len(events))

    batches = (events[start : start + BATCH] for start in range(0, len(events), BATCH))
    async with asyncio.TaskGroup() as senders:
        for _ in range(IN_FLIGHT):
            senders.create_task(send(batches))
    return new


async def _count(space: Space) -> None:
    """Popularity at once, without waiting for the newest to settle: nobody else writes this fast."""
    published = space.shelf.edition.catalogue.by_key
    await space.shelf.show(await space.signals.update(0.0, published, time.time() + LAG))
