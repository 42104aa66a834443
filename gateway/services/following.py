"""What this process hears of the other processes' writes, and so what of its memory still holds.

While every write is told within a moment, a visitor that nobody was heard to write is as remembered.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from gateway.storage.following import NoChangeStreams, Written

LATEST = 0.5  # seconds that the last word may be old
BACKSTOP = 30.0  # seconds that anything is believed, whatever was heard
REMEMBERED = 30.0  # seconds that a load may take, at most


class Following:
    def __init__(self) -> None:
        self._since = float("inf")  # everything written after this has been heard
        self._latest = float("-inf")  # ... until this
        self._told: OrderedDict[str, float] = OrderedDict()  # when who was last heard of
        self.possible = True

    def alive(self, now: float) -> bool:
        """Whether everything that is written is heard."""
        return now - self._latest < LATEST

    def holds(self, loaded: float, now: float) -> bool:
        """Whether what was read at `loaded` is as it was, but for visitors that were told of."""
        return self._since <= loaded and self.alive(now) and now - loaded < BACKSTOP

    def told_since(self, visitor: str, asked: float) -> bool:
        """Whether a reading that began at `asked` may have come too early."""
        return self._told.get(visitor, float("-inf")) >= asked

    async def visitors(
        self, stream: AsyncGenerator[Written | None, None], own: str
    ) -> AsyncGenerator[str, None]:
        """Everybody that a process other than `own` writes, as it is told."""
        try:
            async with aclosing(stream):
                async for bucket in stream:
                    now = time.monotonic()
                    self._since = min(self._since, now)
                    if bucket is None:
                        self._latest = now
                        self._forget(now - REMEMBERED)
                    elif bucket.process != own:
                        for visitor in self._note(bucket.visitors, now):
                            yield visitor
        except NoChangeStreams:
            self.possible = False
        finally:
            self._since = float("inf")

    def _note(self, visitors: Iterable[str], now: float) -> Iterable[str]:
        for visitor in visitors:
            self._told[visitor] = now
            self._told.move_to_end(visitor)
            yield visitor

    def _forget(self, before: float) -> None:
        while self._told and next(iter(self._told.values())) < before:
            self._told.popitem(last=False)
