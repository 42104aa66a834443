"""Folding what a process left behind that is gone: its buckets stay open until somebody takes them over."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from gateway.core.memory import from_bytes
from gateway.services.profiles import Move, Profiles
from gateway.storage.events import Bucket, EventStore

log = logging.getLogger(__name__)

SILENT = timedelta(seconds=30)  # a living process folds its buckets long before


async def recover(events: EventStore, profiles: Profiles, process: str, silent: timedelta = SILENT) -> int:
    """Fold the orphaned buckets of every other process, each process's in their order; returns how many.

    Harmless where the other process lives after all: a profile takes each numbered move once.
    """
    recovered = 0
    while orphans := await events.orphans(datetime.now(UTC) - silent, process):
        finished: list[str] = []
        for name, buckets in groupby(sorted(orphans, key=lambda b: (b.process, b.seq)), lambda b: b.process):
            finished += await _take_over(profiles, name, list(buckets))
        if not finished:
            break  # others are at work on the same; the next round sees what is left
        await events.close(finished)
        recovered += len(finished)
    if recovered:
        log.info("folded %d buckets that another process had left open", recovered)
    return recovered


async def _take_over(profiles: Profiles, process: str, buckets: Sequence[Bucket]) -> list[str]:
    """The ids of the buckets that are folded now: all, or none."""
    moves: dict[str, list[Move]] = defaultdict(list)
    for bucket in buckets:
        for move in bucket.moves:
            moves[move.visitor].append((bucket.seq, from_bytes(move.body)))
    return [bucket.id for bucket in buckets] if await profiles.take_over(process, moves) else []
