"""What an operator is, and what may stand beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from content_blocks.conditions.values import Test, is_number

MAX_LIST = 5_000
MAX_TEXT = 1_000
Takes = Literal["scalar", "list", "order", "version", "pattern", "kind", "flag", "items", "group", "own"]
Complaint = Callable[[Any], str | None]  # what is wrong with an operand, None when it is right


@dataclass(frozen=True, slots=True)
class Operator:
    """`phrase` says it in a sentence; `reads` are the keys under its path that the test looks at."""

    takes: Takes
    phrase: str
    complaint: Complaint
    build: Callable[[Any], Test]
    reads: Callable[[Any], tuple[str, ...]] = lambda operand: ()


def anything(operand: Any) -> str | None:
    return None


def a_list(operand: Any) -> str | None:
    if not isinstance(operand, list | tuple):
        return 'needs a list, as in ["a", "b"]'
    return f"takes at most {MAX_LIST:,} values" if len(operand) > MAX_LIST else None


def an_order(operand: Any) -> str | None:
    return None if is_number(operand) or isinstance(operand, str) else "needs a number or a text"


def a_version(operand: Any) -> str | None:
    return None if is_number(operand) or isinstance(operand, str) else 'needs a version, as in "17.2"'


def a_flag(operand: Any) -> str | None:
    return None if isinstance(operand, bool) else "needs true or false"


def a_name(operand: Any) -> str | None:
    return None if isinstance(operand, str) else "needs the name of a group"
