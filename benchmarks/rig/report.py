"""The figures as Markdown, and whether they hold what was promised."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rig.rounds import Target

COLUMNS = (
    "one process each", "req/s", "x floor", "p50 ms", "p99 ms", "CPU us a request", "x floor", "x Mercurius JIT",
    "RSS MB", "bytes",
)  # fmt: skip


def table(targets: Iterable[Target], floor: Target, jit: Target | None) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield "| --- |" + " ---: |" * (len(COLUMNS) - 1)
    for target in targets:
        against = f"{target.ratio(jit, lambda run: run.cpu):.2f}" if jit else ""
        yield (
            f"| {target.title} | {target.median(lambda run: run.per_second):,.0f} "
            f"| {target.ratio(floor, lambda run: run.per_second):.2f} "
            f"| {target.median(lambda run: run.median):.1f} | {target.median(lambda run: run.worst):.1f} "
            f"| {target.median(lambda run: run.cpu):,.0f} | {target.ratio(floor, lambda run: run.cpu):.2f} "
            f"| {against} | {target.server.resident() / 1e6:.0f} | {target.median(lambda run: run.size):,.0f} |"
        )


@dataclass(frozen=True)
class Verdict:
    what: str
    seen: float
    most: float
    unit: str = ""

    def __str__(self) -> str:
        word = "PASS" if self.seen <= self.most else "MISS"
        return f"{word}  {self.what}: {self.seen:,.2f}{self.unit}, at most {self.most:g}{self.unit}"
