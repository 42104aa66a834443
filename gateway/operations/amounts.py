"""Numbers that may depend on a request's variables. They stop growing at CEILING, so that no bomb makes bignums."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Amount: TypeAlias = int | Callable[[Mapping[str, Any]], int]

CEILING = 10**15


def total(parts: Iterable[Amount]) -> Amount:
    known, open_ = _divided(parts)
    fixed = min(sum(known), CEILING)
    if not open_:
        return fixed
    return lambda variables: min(fixed + sum(part(variables) for part in open_), CEILING)


def largest(parts: Iterable[Amount]) -> Amount:
    """Of none: 0."""
    known, open_ = _divided(parts)
    fixed = max(known, default=0)
    if not open_:
        return fixed
    return lambda variables: max(fixed, *(part(variables) for part in open_))


def times(size: Amount, below: Amount) -> Amount:
    if isinstance(size, int) and isinstance(below, int):
        return min(size * below, CEILING)
    return lambda variables: min(valued(size, variables) * valued(below, variables), CEILING)


def valued(amount: Amount, variables: Mapping[str, Any]) -> int:
    return amount if isinstance(amount, int) else amount(variables)


def _divided(parts: Iterable[Amount]) -> tuple[list[int], list[Callable[[Mapping[str, Any]], int]]]:
    known: list[int] = []
    open_: list[Callable[[Mapping[str, Any]], int]] = []
    for part in parts:
        if isinstance(part, int):
            known.append(part)
        else:
            open_.append(part)
    return known, open_
