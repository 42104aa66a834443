"""Which visitors other processes have changed: read from the end of the log, whatever the number of subscribers."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from gateway.services.profiles import Profiles
from gateway.storage.events import EventStore

OVERLAP = timedelta(seconds=5)  # clocks differ, and inserts overtake each other
LONGEST = timedelta(seconds=60)  # that is read at once, after the store was away


class Elsewhere:
    def __init__(self, events: EventStore, profiles: Profiles, process: str) -> None:
        self._events = events
        self._profiles = profiles
        self._process = process
        self._asked = datetime.min.replace(tzinfo=UTC)
        self._seen: frozenset[str] = frozenset()  # buckets

    async def changed(self) -> Collection[str]:
        """Visitors in what was written since the last call; their profiles will be read again."""
        now = datetime.now(UTC)
        found = await self._events.touched(max(self._asked, now - LONGEST) - OVERLAP, self._process)
        visitors = {
            visitor for bucket, those in found.items() if bucket not in self._seen for visitor in those
        }
        self._asked, self._seen = now, frozenset(found)
        for visitor in visitors:
            self._profiles.drop(visitor)
        return visitors
