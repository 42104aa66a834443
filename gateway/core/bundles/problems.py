"""Lists of problems that stay readable, however much is wrong."""

from collections.abc import Iterable
from itertools import islice

from gateway.errors import Problem

MAX_PROBLEMS = 1_000


def capped(problems: Iterable[Problem]) -> list[Problem]:
    """The first 1,000, and the count of the rest."""
    waiting = iter(problems)
    listed = list(islice(waiting, MAX_PROBLEMS))
    more = sum(1 for _ in waiting)
    return [*listed, Problem("", f"and {more:,} more problems", "MORE")] if more else listed
