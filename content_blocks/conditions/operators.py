"""The operators, as a table. Those that hold conditions of their own are in `parsing`."""

import operator as compare
from collections.abc import Callable, Iterable
from typing import Any

from content_blocks.conditions import patterns
from content_blocks.conditions.operands import Operator, a_flag, a_list, a_version, an_order, anything
from content_blocks.conditions.places import PLACE_OPERATORS
from content_blocks.conditions.times import TIME_OPERATORS
from content_blocks.conditions.values import (
    ARRAYS,
    NO_MEMBER,
    Test,
    comparable,
    equal,
    kind_of,
    lower,
    member_key,
    same_scalar,
    version_key,
    version_text,
)

KINDS = ("array", "boolean", "null", "number", "object", "string")
Order = Callable[[Any, Any], bool]


def equals(expected: Any, fold: Callable[[Any], Any] | None = None) -> Test:
    """Deep equality, for a value that stands without an operator."""
    if fold is None:
        return lambda value: equal(value, expected)
    folded = fold(expected)
    return lambda value: equal(fold(value), folded)


def _is(expected: Any) -> Test:
    return lambda value: same_scalar(value, expected)


def _ordered(order: Order) -> Callable[[Any], Test]:
    return lambda expected: lambda value: comparable(value, expected) and order(value, expected)


def _version(order: Order) -> Callable[[Any], Test]:
    def build(expected: Any) -> Test:
        key = version_key(version_text(expected))
        return lambda value: comparable(value, expected) and order(version_key(version_text(value)), key)

    return build


def member_of(expected: Iterable[Any], fold: Callable[[Any], Any] = lambda value: value) -> Test:
    """One of the expected; of a list, at least one item."""
    members = frozenset(member_key(fold(value)) for value in expected) - {NO_MEMBER}

    def test(value: Any) -> bool:
        if isinstance(value, ARRAYS):
            return any(member_key(fold(item)) in members for item in value)
        return member_key(fold(value)) in members

    return test


def negated(test: Test) -> Test:
    return lambda value: not test(value)


def _not(build: Callable[[Any], Test]) -> Callable[[Any], Test]:
    return lambda expected: negated(build(expected))


def _member_of_lower(expected: Iterable[Any]) -> Test:
    return member_of(expected, lower)


def _exists(wanted: bool) -> Test:
    return lambda value: (value is not None) is wanted


def _searches(ignore_case: bool, wanted: bool) -> Callable[[Any], Test]:
    return lambda pattern: patterns.searches(pattern, ignore_case, wanted)


def _about_kind(operand: Any) -> str | None:
    return None if operand in KINDS else f"needs one of {', '.join(KINDS)}"


OPERATORS: dict[str, Operator] = {
    "$eq": Operator("scalar", "is {}", anything, _is),
    "$ne": Operator("scalar", "is not {}", anything, _not(_is)),
    "$gt": Operator("order", "is over {}", an_order, _ordered(compare.gt)),
    "$gte": Operator("order", "is at least {}", an_order, _ordered(compare.ge)),
    "$lt": Operator("order", "is below {}", an_order, _ordered(compare.lt)),
    "$lte": Operator("order", "is at most {}", an_order, _ordered(compare.le)),
    "$veq": Operator("version", "is version {}", a_version, _version(compare.eq)),
    "$vne": Operator("version", "is not version {}", a_version, _not(_version(compare.eq))),
    "$vgt": Operator("version", "is after version {}", a_version, _version(compare.gt)),
    "$vgte": Operator("version", "is version {} or later", a_version, _version(compare.ge)),
    "$vlt": Operator("version", "is before version {}", a_version, _version(compare.lt)),
    "$vlte": Operator("version", "is version {} or earlier", a_version, _version(compare.le)),
    "$in": Operator("list", "is {}", a_list, member_of),
    "$nin": Operator("list", "is not {}", a_list, _not(member_of)),
    "$ini": Operator("list", "is {} in any case", a_list, _member_of_lower),
    "$nini": Operator("list", "is not {} in any case", a_list, _not(_member_of_lower)),
    "$exists": Operator("flag", "is {}", a_flag, _exists),
    "$type": Operator(
        "kind", "is of type {}", _about_kind, lambda kind: lambda value: kind_of(value) == kind
    ),
    "$regex": Operator("pattern", "matches {}", patterns.complaint, _searches(False, True)),
    "$regexi": Operator("pattern", "matches {} in any case", patterns.complaint, _searches(True, True)),
    "$notRegex": Operator("pattern", "does not match {}", patterns.complaint, _searches(False, False)),
    "$notRegexi": Operator(
        "pattern", "does not match {} in any case", patterns.complaint, _searches(True, False)
    ),
    **TIME_OPERATORS,
    **PLACE_OPERATORS,
}
