"""Calling on many connections again and again, evenly spread, by one task."""

import asyncio
from collections import OrderedDict
from typing import Protocol

TICK = 0.25  # seconds
BREATH = 20  # calls, before the loop has its turn


class Member(Protocol):
    def beat(self) -> None:
        """Must not wait."""


class Beats:
    def __init__(self, every: float) -> None:
        """`every`: seconds between two beats of one member, at the least."""
        self._every = every
        self._due: OrderedDict[Member, float] = OrderedDict()  # the next first
        self._task: asyncio.Task[None] | None = None

    def add(self, member: Member) -> None:
        self._due[member] = asyncio.get_running_loop().time() + self._every
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="beats")

    def remove(self, member: Member) -> None:
        self._due.pop(member, None)
        if not self._due and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(TICK, self._every))
            await self._round()

    async def _round(self) -> None:
        """Call everybody who is due."""
        loop = asyncio.get_running_loop()
        called = 0
        while self._due and next(iter(self._due.values())) <= loop.time():
            member = next(iter(self._due))
            self._due[member] = loop.time() + self._every
            self._due.move_to_end(member)
            member.beat()
            called += 1
            if called % BREATH == 0:
                await asyncio.sleep(0)
