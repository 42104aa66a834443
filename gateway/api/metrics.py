"""Figures in Prometheus' text format. They are read when somebody looks: counting costs a request nothing more."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
WAYS = {
    "compiled": "hits",
    "bailed": "bails",
    "reference": "fallbacks",
}  # how an operation ran, by its counter


class Counts(Protocol):
    """How often an operation ran compiled, had to be finished by the reference, or was wholly the reference's."""

    hits: int
    bails: int
    fallbacks: int


CountsByName = Mapping[str, Counts]


class OperationCollector(Collector):
    """`read` gives the counts of each schema's operations, by their names."""

    def __init__(self, read: Callable[[], Iterable[CountsByName]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        ran: Counter[tuple[str, str]] = Counter()
        for counts in self._read():
            for name, found in list(counts.items()):
                ran.update({(name, way): getattr(found, counter) for way, counter in WAYS.items()})
        told = CounterMetricFamily(
            "blockloom_operations",
            "Operations by name, and how they ran: bailed and reference cost about twenty times as much.",
            labels=["operation", "ran"],
        )
        for labels, number in sorted(ran.items()):
            told.add_metric(labels, number)
        yield told


class BotCollector(Collector):
    """`counts`: of pages and events, by what their bots were told."""

    def __init__(self, counts: Mapping[tuple[str, str], int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        told = CounterMetricFamily(
            "blockloom_bots", "Pages and events of bots, and what told them.", labels=["what", "by"]
        )
        for labels, number in sorted(self._counts.items()):
            told.add_metric(labels, number)
        yield told


def registry(
    read: Callable[[], Iterable[CountsByName]], bots: Mapping[tuple[str, str], int] | None = None
) -> CollectorRegistry:
    """`bots`: as services/bots counts them."""
    found = CollectorRegistry()
    found.register(OperationCollector(read))
    found.register(BotCollector({} if bots is None else bots))
    ProcessCollector(registry=found)
    return found


def exposed(registry: CollectorRegistry) -> bytes:
    return generate_latest(registry)
