"""Bots among those who send: by what the request tells, or a message of the visitor whom a server speaks for."""

from collections import Counter
from collections.abc import Iterable

from gateway.collect.collected import Alias, Circumstances, Item
from gateway.collect.taking import Sorted
from gateway.core.bots import BOT
from gateway.core.events import Refusal
from gateway.services.bots import Asking, Bots


class Screen:
    """Of one request. `own` is by what the request itself was told as a bot's, None if it was not."""

    def __init__(self, bots: Bots, own: str | None) -> None:
        self._bots = bots
        self._own = own
        self._signs: dict[tuple[str | None, str | None], str | None] = {}

    def items(self, items: Iterable[Item]) -> list[Item]:
        """The messages, with a refusal in place of each that a bot caused."""
        told: Counter[tuple[str, str]] = Counter()
        found: list[Item] = []
        for item in items:
            sign = None if isinstance(item, Refusal | Alias) else self._sign(item.around)
            found.append(BOT if sign else item)
            if sign:
                told["events", sign] += 1
        self._bots.counts.update(told)
        return found

    def _sign(self, around: Circumstances) -> str | None:
        key = around.user_agent, around.ip
        if key == (None, None):
            return self._own
        if key not in self._signs:
            self._signs[key] = self._bots.sign(*key)
        return self._signs[key]


def slowed(found: Sorted, bots: Bots, asking: Asking, received: float) -> None:
    """Take out what visitors do faster than anybody can."""
    hurried = bots.hurried(found.events, asking, received)
    if hurried:
        refused = [event for event in found.events if event.visitor in hurried]
        found.rejected |= {found.places[event.id]: BOT for event in refused}
        found.events = [event for event in found.events if event.visitor not in hurried]
