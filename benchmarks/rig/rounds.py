"""Targets measured in turns, so that what else the machine does meets them all alike."""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rig import wrk
from rig.processes import Server
from rig.wrk import Run

IDLE_TICKS = 0.02  # CPU seconds in a tenth of a second that a server takes when nobody asks
PATIENCE = 10.0  # seconds for what is under way to end


@dataclass(frozen=True)
class Target:
    """Requests for a server."""

    name: str
    title: str
    server: Server
    requests: Path
    connections: int = wrk.CONNECTIONS
    runs: list[Run] = field(default_factory=list)

    def median(self, value: Callable[[Run], float]) -> float:
        return statistics.median(map(value, self.runs))

    def ratio(self, base: "Target", value: Callable[[Run], float]) -> float:
        """The median of the rounds' own ratios: a slow minute is slow for both."""
        pairs = zip(self.runs, base.runs, strict=True)
        return statistics.median(value(mine) / value(theirs) for mine, theirs in pairs)


def measure(targets: Sequence[Target], rounds: int, seconds: float) -> None:
    """Fills their runs; the order is reversed each round."""
    for target in targets:
        wrk.run(target.server, target.requests, min(seconds, 2.0), target.connections)  # for the JITs
    for number in range(rounds):
        for target in targets if number % 2 == 0 else reversed(targets):
            settle(target.server)
            run = wrk.run(target.server, target.requests, seconds, target.connections)
            target.runs.append(run)
            print(
                f"round {number + 1} of {rounds}: {target.name:16}{run.per_second:>8,.0f}/s"
                f"{run.cpu:>10,.0f} us CPU{run.worst:>8,.1f} ms p99",
                file=sys.stderr,
            )


def settle(server: Server) -> None:
    """Wait until it has done with what an earlier run left behind."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        before = server.cpu()
        time.sleep(0.1)
        if server.cpu() - before <= IDLE_TICKS:
            return
