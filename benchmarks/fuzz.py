"""Random schemas, operations, variables and values: are compiled operations ever unlike graphql-core?

The generators are those of the tests (`tests/gateway/operations/fuzz`). Every document runs three times, with
other variables and other values, of which some are not what their types promise. Data with the order of its
keys, errors with their paths and places, and the calls of resolvers with their arguments are compared.

    python -m benchmarks.fuzz [--minutes 1] [--seed 1] [--show 3]
"""

import argparse
import asyncio
import sys
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn

sys.path.insert(0, str(Path(__file__).parents[1]))  # where the tests are, when this is run as a file

from tests.gateway.operations.fuzz.differences import (
    TIMES,
    alike,
    by_reference,
    by_us,
    case,
    operations,
    ready,
    report,
)
from tests.gateway.operations.fuzz.operations import document
from tests.gateway.operations.fuzz.schemas import made

DOCUMENTS = 40  # for each schema, which costs as much as several of them
WAYS = {"hits": "ran compiled", "bails": "bailed out", "fallbacks": "not compiled"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first schema; the next has the next")
    parser.add_argument("--show", type=int, default=3, help="differences that are printed in full")
    arguments = parser.parse_args()
    # graphql-core leaves what it had begun when a field beside it fails
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    counted = asyncio.run(fuzz(arguments.minutes * 60, arguments.seed, arguments.show))
    tell(counted)
    return 1 if counted["differences"] else 0


async def fuzz(seconds: float, seed: int, show: int) -> Counter[str]:
    counted: Counter[str] = Counter()
    started = time.monotonic()
    columns = (
        *Progress.get_default_columns()[:3],
        TimeRemainingColumn(),
        TextColumn("{task.fields[so_far]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("fuzz", total=seconds, so_far="")
        while (passed := time.monotonic() - started) < seconds:
            so_far = f"{counted['documents']:,} documents, {counted['differences']} differences"
            progress.update(task, completed=passed, so_far=so_far)
            counted += await one_schema(seed, max(0, show - counted["differences"]))
            seed += 1
    return counted


async def one_schema(seed: int, show: int) -> Counter[str]:
    counted = Counter(schemas=1)
    of = made(Random(seed), 1 + seed % 4)
    known = operations(of.schema)
    for number in range(DOCUMENTS):
        chance = Random(f"{seed}/{number}")
        written = document(of.schema._schema, chance)
        prepared, parsed = await ready(of, written, known)
        counted["documents"] += 1
        for _ in range(TIMES):
            one = case(of, chance, written)
            expected, given = await by_reference(one, parsed), await by_us(one, known, prepared)
            counted.update(answers=1, errors=bool(expected.errors), refused=expected.data is None)
            if not alike(one, expected, given, prepared.kind):
                counted["differences"] += 1
                if counted["differences"] <= show:
                    print(f"=== schema {seed}, document {number}", report(one, expected, given), sep="\n")
    return counted + ways(getattr(known, "counts", {}))


def ways(counts: Mapping[str, Any]) -> Counter[str]:
    return Counter({way: sum(getattr(one, way) for one in counts.values()) for way in WAYS})


def tell(counted: Counter[str]) -> None:
    def share(of: str) -> str:
        return f"{100 * counted[of] / max(1, counted['answers']):.0f} %"

    print(
        f"{counted['schemas']:,} schemas, {counted['documents']:,} documents, {counted['answers']:,} answers"
    )
    print(f"{share('errors')} with errors, {share('refused')} refused for their variables")
    print(", ".join(f"{share(way)} {told}" for way, told in WAYS.items()))
    print(f"{counted['differences']} differences")


if __name__ == "__main__":
    sys.exit(main())
