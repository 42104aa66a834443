"""Replaying the real visits: a hundred thousand events through the same door as everybody's."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice

from gateway.core.events import Event
from gateway.demo import msweb
from gateway.services.signals import LAG
from gateway.services.space import Space

BATCH = 500  # events in a request
IN_FLIGHT = 4  # requests
BACKLOG = 4_000  # visitors that wait to be folded: that many are kept in memory

Progress = Callable[[int, int], None]  # done, total


async def replay(space: Space, visitors: int | None, on_progress: Progress) -> int:
    """Replay the visits of the first `visitors`, or of all; returns how many events were new.

    They are sent in the order of the visitors, so those that an earlier replay has sent are at the front.
    """
    lengths = (await asyncio.to_thread(msweb.lengths))[:visitors]
    first = await _first_stranger(space, len(lengths))
    start, end = sum(lengths[:first]), sum(lengths)
    if start == end:
        return 0
    events = (
        space.keyed(_event(view)) for view in islice(msweb.visits(end, end=datetime.now(UTC)), start, None)
    )
    new = await _sent(space, events, lambda done: on_progress(done, end - start))
    await _count(space)
    return new


def _event(view: msweb.Document) -> Event:
    at = datetime.fromisoformat(view["occurredAt"]).timestamp()
    return Event(view["id"], view["type"], view["visitor"], at, block=view["block"])


async def _first_stranger(space: Space, visitors: int) -> int:
    """By bisection; one visitor before it, since a batch may have ended in the middle of a visit."""
    low, high = 0, visitors
    while low < high:
        middle = (low + high) // 2
        if (await space.profiles.get(space.key(msweb.visitor_id(middle)))).clock:
            low = middle + 1
        else:
            high = middle
    return max(0, low - 1) if low < visitors else low


async def _sent(space: Space, events: Iterator[Event], on_progress: Callable[[int], None]) -> int:
    done = new = 0

    async def send() -> None:
        nonlocal done, new
        while batch := list(islice(events, BATCH)):
            taken = await space.intake.submit(batch)
            new += taken.accepted
            done += len(batch)
            on_progress(done)
            if space.profiles.backlog > BACKLOG:
                await space.profiles.fold()

    async with asyncio.TaskGroup() as senders:
        for _ in range(IN_FLIGHT):
            senders.create_task(send())
    return new


async def _count(space: Space) -> None:
    """Popularity at once, without waiting for the newest to settle: nobody else writes this fast."""
    published = space.shelf.edition.catalogue.by_key
    await space.shelf.show(await space.signals.update(0.0, published, time.time() + LAG))
