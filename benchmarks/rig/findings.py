"""What no load as fast as possible tells: what is asked for the first time, and answers at a steady rate."""

import statistics
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

from rig import firsts
from rig.client import steady
from rig.ours import Gateway
from rig.report import Verdict
from rig.rounds import Target, settle

DOCUMENTS = 100  # new ones a round
SHARE = 0.7  # of the most that the gateway answers

median = statistics.median


@dataclass(frozen=True)
class Bench:
    gateway: Gateway
    page: Target
    floor: Target
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Finding:
    sentence: str
    verdict: Verdict


def after_event(bench: Bench) -> Finding:
    """By difference; in turns, the order reversed each round."""
    more: list[float] = []
    worst: list[float] = []
    for number in range(bench.rounds):
        order = (True, False) if number % 2 == 0 else (False, True)
        seen = {own: run(firsts.after_events(bench.gateway, bench.seconds, own)) for own in order}
        more.append(seen[True].cpu - seen[False].cpu)
        worst.append(percentile(seen[True].took, 0.99))
        _say("after-event", number, bench, f"{more[-1]:,.0f} us CPU more than a page that was ranked before")
    taken = bench.page.median(lambda found: found.cpu) + median(more)
    ratio = taken / bench.floor.median(lambda found: found.cpu)
    return Finding(
        f"Right after an event of the visitor {taken:,.0f} us of CPU, {ratio:.1f} x the floor: the warm page's, and "
        f"what a pair of event and page takes more when both are of one visitor. p99 {median(worst):.1f} ms.",
        Verdict("CPU of the page right after an event, x floor", ratio, 5.0),
    )


def cold(bench: Bench) -> Finding:
    found = []
    for number in range(bench.rounds):
        found.append(run(firsts.cold_documents(bench.gateway, DOCUMENTS)))
        _say("cold", number, bench, f"{median(found[-1].took):.1f} ms at the client")
    wall, worst = (median(percentile(one.took, share) for one in found) for share in (0.5, 0.99))
    cpu = median(one.cpu for one in found) / 1e3
    return Finding(
        f"A document never seen: {wall:.1f} ms at the client (p99 {worst:.1f} ms), {cpu:.1f} ms of CPU.",
        Verdict("a document never seen, at the client", wall, 15.0, " ms"),
    )


def at_steady_rate(bench: Bench) -> Finding:
    rate = SHARE * bench.page.median(lambda found: found.per_second)
    worst: dict[str, list[float]] = {bench.page.name: [], bench.floor.name: []}
    for number in range(bench.rounds):
        for target in (bench.page, bench.floor) if number % 2 == 0 else (bench.floor, bench.page):
            settle(target.server)
            took = run(steady(target.server.port, bench.gateway.pages(), rate, bench.seconds))
            worst[target.name].append(percentile(took, 0.99))
        _say("steady", number, bench, ", ".join(f"{name} {ms[-1]:.1f} ms p99" for name, ms in worst.items()))
    ours, theirs = (median(ms) for ms in worst.values())
    return Finding(
        f"At a steady {rate:,.0f}/s, {SHARE:.0%} of the most, p99 {ours:.1f} ms; the floor at that rate {theirs:.1f}.",
        Verdict(f"p99 at {SHARE:.0%} of the load", ours, 10.0, " ms"),
    )


FINDINGS: Mapping[str, Callable[[Bench], Finding]] = {
    "steady": at_steady_rate,
    "cold": cold,
    "after-event": after_event,  # last: the events change the signals, and with them every visitor's ranking
}


def percentile(values: Sequence[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return uvloop.run(work)


def _say(what: str, number: int, bench: Bench, text: str) -> None:
    print(f"round {number + 1} of {bench.rounds}: {what:16} {text}", file=sys.stderr)
