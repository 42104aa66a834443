"""What can be wrong with a condition, and the clause that failed."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True, slots=True)
class ConditionProblem:
    """`path` is a JSON Pointer into the condition."""

    path: str
    message: str
    code: str = "INVALID"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConditionError(ValueError):
    """A condition that cannot be compiled; `problems` lists all that is wrong with it."""

    def __init__(self, problems: Iterable[ConditionProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class FailedClause:
    """The clause that kept a condition from matching, and what was found in its place."""

    path: str
    operator: str
    expected: Any
    actual: Any


def pointer(base: str, key: str | int) -> str:
    return f"{base}/{str(key).replace('~', '~0').replace('/', '~1')}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """ "; did you mean ...?", or nothing when no known word is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
