"""Programs that are no visitors: told by name, hints, address and pace, and counted apart.

A bot is answered like a visitor nobody knows; nothing of what it does is kept. The pace is that which one process
sees, and fades: a bot that has become slow is a visitor again.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.core.bots import BOT, Ranges, known_networks, networks_of
from gateway.core.context import Context
from gateway.core.context.agents import is_bot
from gateway.core.context.devices import BOT as MARK
from gateway.core.events import Event, Refusal
from gateway.errors import BadInput
from gateway.services.rates import pace_of
from gateway.settings import Settings

RECENT = 60.0  # seconds: what happened longer ago is told late, not done fast


def ranges_of(file: Path | None) -> Ranges:
    """The known ranges and those of a file. Raises BadInput."""
    try:
        more = networks_of(file.read_text("utf-8").splitlines()) if file else []
    except (OSError, ValueError) as error:
        raise BadInput(f"{file} cannot be read as ranges of addresses, one a line ({error})") from error
    return Ranges([*known_networks(), *more])


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks on whose behalf. `origin` is None unless it is the visitor's own: servers speak for many."""

    space: str
    origin: str | None = None


class Bots:
    def __init__(self, settings: Settings) -> None:
        """Raises BadInput."""
        self.ranges = ranges_of(settings.bot_ranges)
        self.counts: Counter[tuple[str, str]] = Counter()  # (pages or events, by what they were told)
        self._visitors = pace_of(settings.bot_rate)
        self._origins = pace_of(settings.bot_address_rate)

    def sign(self, agent: str | None, address: str | None) -> str | None:
        """By what a program gives itself away, if it does."""
        if agent and is_bot(agent):
            return "user-agent"
        return "address" if address and self.ranges.hold(address[:64]) else None

    def page(self, context: Context, asking: Asking, visitor: str | None) -> Context:
        """The circumstances of one page, as those of a bot where it is one."""
        if context.bot:
            self.counts["pages", told_by(context)] += 1
            return context
        if not self._hurries(asking, visitor, 1.0, time.monotonic()):
            return context
        self.counts["pages", "rate"] += 1
        device = {**context.facts["device"], **MARK}
        return replace(context, bot=True, facts={**context.facts, "device": device})

    def hurried(self, events: Iterable[Event], asking: Asking, received: float) -> frozenset[str]:
        """The visitors among them who do more than anybody can; `received` in epoch seconds."""
        done = Counter(event.visitor for event in events if event.at > received - RECENT)
        now = time.monotonic()
        found = frozenset([visitor for visitor, n in done.items() if self._hurries(asking, visitor, n, now)])
        if found:
            self.counts["events", "rate"] += sum(done[visitor] for visitor in found)
        return found

    def refused(
        self,
        events: Sequence[Event],
        contexts: Mapping[str, Context],
        own: Context,
        asking: Asking,
        received: float,
    ) -> dict[str, Refusal]:
        """Why events are not taken, by their ids; `contexts` by visitor, `own` that of the request itself."""
        found: dict[str, Refusal] = {}
        others = []
        for event in events:
            context = contexts.get(event.visitor, own)
            if context.bot:
                self.counts["events", told_by(context)] += 1
                found[event.id] = BOT
            else:
                others.append(event)
        hurried = self.hurried(others, asking, received)
        return found | {event.id: BOT for event in others if event.visitor in hurried}

    def _hurries(self, asking: Asking, visitor: str | None, amount: float, now: float) -> bool:
        by_visitor = by_origin = False
        if visitor is not None and self._visitors is not None:
            by_visitor = self._visitors.beyond((asking.space, visitor), amount, now)
        if asking.origin is not None and self._origins is not None:
            by_origin = self._origins.beyond(asking.origin, amount, now)
        return by_visitor or by_origin


def told_by(context: Context) -> str:
    """`user-agent`, a hint's name, `address`, or `context` where the client said it outright."""
    return context.sources.get("device.bot", "context")
