"""Telling subscribers that something they look at may have changed.

A notice carries nothing: whoever is woken looks for himself. So many changes during one look are one notice,
and a slow subscriber costs no memory.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress


class Notices:
    def __init__(self, look_again: float | None) -> None:
        """`look_again`: seconds after which subscribers look anyway, since other processes write too."""
        self._look_again = look_again
        self._watching: dict[str, set[asyncio.Event]] = {}

    @property
    def watching(self) -> int:
        return sum(map(len, self._watching.values()))

    def moved(self, visitor: str) -> None:
        """Something of this visitor has changed."""
        for woken in self._watching.get(visitor, ()):
            woken.set()

    def published(self) -> None:
        """The content has changed, for everybody."""
        for watchers in self._watching.values():
            for woken in watchers:
                woken.set()

    async def watch(self, visitor: str) -> AsyncGenerator[None, None]:
        """Once at the start, and again after each change, until closed."""
        woken = asyncio.Event()
        self._watching.setdefault(visitor, set()).add(woken)
        try:
            while True:
                woken.clear()
                yield
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), self._look_again)
        finally:
            watchers = self._watching[visitor]
            watchers.discard(woken)
            if not watchers:
                del self._watching[visitor]
