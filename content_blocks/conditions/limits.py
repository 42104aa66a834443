"""How large a condition may be, looked at before anything else, without recursion."""

from collections.abc import Iterable, Mapping
from typing import Any

from content_blocks.conditions.operands import MAX_TEXT
from content_blocks.conditions.problems import ConditionProblem, pointer

MAX_DEPTH = 32
MAX_CLAUSES = 500
MAX_PATTERNS = 20
MAX_VALUES = 20_000
_MAX_BITS = 1_024  # of a whole number: what a double can hold
Place = tuple["Place", Any] | None  # linked from the leaf up; a pointer is made only for a problem


def oversize(document: Any) -> list[ConditionProblem]:
    """The first thing that is too large, if any: beyond it nothing else is looked at."""
    waiting: list[tuple[Any, Place, int]] = [(document, None, 1)]
    seen = 0
    while waiting:
        value, place, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            return [ConditionProblem("", f"holds more than {MAX_VALUES:,} values", "TOO_MANY")]
        if depth > MAX_DEPTH:
            return [ConditionProblem("", f"is nested deeper than {MAX_DEPTH} levels", "TOO_DEEP")]
        if _too_long(value):
            message = f"is too long; at most {MAX_TEXT:,} characters, or {_MAX_BITS:,} bits of a number"
            return [ConditionProblem(_pointer(place), message, "TOO_LONG")]
        waiting.extend([(inner, (place, key), depth + 1) for key, inner in _inside(value)])
    return []


def _pointer(place: Place) -> str:
    return "" if place is None else pointer(_pointer(place[0]), place[1])


def _too_long(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > MAX_TEXT
    return isinstance(value, int) and value.bit_length() > _MAX_BITS


def _inside(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, str | int | float):
        return ()
    if isinstance(value, Mapping):
        return [*value.items(), *zip(value, value, strict=True)]  # a key can be too long as well
    return enumerate(value) if isinstance(value, list | tuple) else ()
