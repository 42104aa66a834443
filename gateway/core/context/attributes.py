"""Facts of the client's own (`context.attributes`): any JSON object of a modest size."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

_DEEPEST = 8
_MOST_VALUES = 500
_LONGEST_TEXT = 4096


def check_attributes(value: Any) -> Mapping[str, Any]:
    """The same object; ValueError if it is none, no JSON, or too large. Never recurses: depth is bounded."""
    if not isinstance(value, Mapping):
        raise ValueError("must be an object")
    level: list[Any] = [value]
    seen = 0
    for _ in range(_DEEPEST + 1):  # the last has scalars only
        level = [child for parent in level for child in _children(parent)]
        seen += len(level)
        if seen > _MOST_VALUES:
            raise ValueError(f"may hold {_MOST_VALUES} values at most: send only what conditions ask for")
        if not level:
            return value
    raise ValueError(f"may be nested {_DEEPEST} levels deep at most")


def _children(value: Any) -> list[Any]:
    """The parts of an object or array, none of a JSON scalar; ValueError for anything else."""
    if isinstance(value, Mapping):
        for name in value:
            _check_scalar(name, str)
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    _check_scalar(value, str | int | float | bool | None)
    return []


def _check_scalar(value: Any, kind: Any) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"must be JSON, which knows no {type(value).__name__}")
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise ValueError(f"may hold texts of {_LONGEST_TEXT} characters at most")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("may hold finite numbers only")
    if isinstance(value, int) and value.bit_length() > 63:
        raise ValueError("may hold whole numbers of 64 bits at most: send longer ones as texts")
