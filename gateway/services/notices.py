"""Telling subscribers that something they look at may have changed.

A notice carries nothing: whoever is woken looks for himself. So many changes during one look are one notice,
and a slow subscriber costs no memory.

A change of one visitor wakes who watches him at once, and then at most every PAUSE seconds. A publication wakes
everybody, but one in each turn of the event loop, in order, so that requests have their turns in between; the
visitors' profiles are read in bulk before.
"""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Collection
from itertools import islice
from types import TracebackType
from typing import Self

from gateway.errors import StoreUnavailable
from gateway.services.background import every

log = logging.getLogger(__name__)

PAUSE = 0.1  # seconds between two looks because of the same visitor's changes
BATCH = 25  # watchers whose visitors' profiles are read at once
ELSEWHERE_SECONDS = 0.5  # between looks for what other processes have changed

Read = Callable[[Collection[str]], Awaitable[object]]
Elsewhere = Callable[[], Awaitable[Collection[str]]]


async def _nothing(visitors: Collection[str]) -> None:
    """Nothing needs to be read."""


class Notices:
    def __init__(self, read: Read = _nothing, elsewhere: Elsewhere | None = None) -> None:
        """`read` is told who will look next; `elsewhere` names visitors whom other processes have changed."""
        self._read = read
        self._elsewhere = elsewhere
        self._watching: dict[str, set[Watch]] = {}
        self._waiting: dict[Watch, None] = {}  # for their turn, in order
        self._waking: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self.watching = 0

    def watch(self, visitor: str) -> "Watch":
        """Use it as a context."""
        return Watch(self, visitor)

    def moved(self, visitor: str) -> None:
        """Something of this visitor has changed."""
        for watch in self._watching.get(visitor, ()):
            watch.changed()

    def published(self) -> None:
        """The content has changed, for everybody."""
        for watches in self._watching.values():
            self._waiting.update(dict.fromkeys(watches))
        self._wake()

    def later(self, watch: "Watch") -> None:
        """Wake it when its turn has come."""
        self._waiting[watch] = None
        self._wake()

    def add(self, watch: "Watch") -> None:
        self._watching.setdefault(watch.visitor, set()).add(watch)
        self.watching += 1
        if self._elsewhere is not None and self._following is None:
            follow = every(ELSEWHERE_SECONDS, self._follow, "looking for visitors' events elsewhere")
            self._following = asyncio.create_task(follow, name="notices: following")

    def remove(self, watch: "Watch") -> None:
        self._waiting.pop(watch, None)
        watches = self._watching[watch.visitor]
        watches.remove(watch)
        if not watches:
            del self._watching[watch.visitor]
        self.watching -= 1
        if not self.watching and self._following is not None:
            self._following.cancel()
            self._following = None

    async def _follow(self) -> None:
        if self._elsewhere is not None:
            for visitor in await self._elsewhere():
                self.moved(visitor)

    def _wake(self) -> None:
        if self._waiting and self._waking is None:
            self._waking = asyncio.create_task(self._wake_all(), name="notices: waking")

    async def _wake_all(self) -> None:
        reading = True
        try:
            while batch := list(islice(self._waiting, BATCH)):
                reading = reading and await self._read_for({watch.visitor for watch in batch})
                for watch in batch:
                    if watch in self._waiting:  # it has not left meanwhile
                        del self._waiting[watch]
                        watch.wake()
                        await asyncio.sleep(0)
                gc.collect(
                    1
                )  # what is new is also what replaces the old, so it would be left to grow very large
        finally:
            self._waking = None

    async def _read_for(self, visitors: Collection[str]) -> bool:
        """False when the store is away: those who look will say what they miss."""
        try:
            await self._read(visitors)
        except StoreUnavailable as error:
            log.info("subscribers look without their visitors' profiles: %s", error)
            return False
        return True


class Watch:
    """One subscriber's attention to one visitor. It is small: there may be tens of thousands."""

    __slots__ = ("_future", "_missed", "_next", "_notices", "_timer", "visitor")

    def __init__(self, notices: Notices, visitor: str) -> None:
        self._notices = notices
        self.visitor = visitor
        self._missed = False  # a change came while it looked
        self._next = 0.0  # when it may look again because of its visitor
        self._future: asyncio.Future[None] | None = None  # it waits
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._notices.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_timer()
        self._notices.remove(self)

    async def change(self, within: float | None = None) -> None:
        """Wait until something has changed since the last time this was called, or for so many seconds."""
        loop = asyncio.get_running_loop()
        if self._missed:
            self._missed = False
            self._at(self._next)
        elif within is not None:
            self._at(loop.time() + within)
        self._future = loop.create_future()
        try:
            await self._future
        finally:
            self._future = None
            self._stop_timer()
        self._next = loop.time() + PAUSE

    def changed(self) -> None:
        """Its visitor has."""
        if self._future is None:
            self._missed = True
        elif asyncio.get_running_loop().time() >= self._next:
            self.wake()
        else:
            self._at(self._next)

    def wake(self) -> None:
        if self._future is None:
            self._missed = True
        elif not self._future.done():
            self._future.set_result(None)

    def _at(self, when: float) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_at(when, self._notices.later, self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
