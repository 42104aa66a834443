"""Folding what a process left behind that is gone: its buckets stay open until somebody takes them over."""

import logging
from datetime import UTC, datetime, timedelta

from gateway.core.memory import from_bytes
from gateway.services.profiles import Profiles
from gateway.storage.events import EventStore

log = logging.getLogger(__name__)

SILENT = timedelta(seconds=30)  # a living process folds its buckets long before


async def recover(events: EventStore, profiles: Profiles, process: str, silent: timedelta = SILENT) -> int:
    """Fold the orphaned buckets of every other process, each process's in their order; returns how many.

    Harmless where the other process lives after all: a profile takes each numbered move once.
    """
    recovered = 0
    while orphans := await events.orphans(datetime.now(UTC) - silent, process):
        stuck: set[str] = set()
        finished: list[str] = []
        for bucket in orphans:
            moves = {move.visitor: from_bytes(move.body) for move in bucket.moves}
            if bucket.process in stuck or not await profiles.take_over(bucket.process, bucket.seq, moves):
                stuck.add(bucket.process)
                continue
            finished.append(bucket.id)
        if finished:
            await events.close(finished)
        recovered += len(finished)
        if stuck:
            break
    if recovered:
        log.info("folded %d buckets that another process had left open", recovered)
    return recovered
