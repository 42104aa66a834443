"""From a tree of clauses to one closure.

Nearly every clause of a page's rules compares one text or number two keys deep, so those are
closures of their own, which look at the class of the fact before anything else. What they do not
expect goes to the clause's full test, which is right for every value.
"""

import operator
from collections.abc import Callable, Hashable
from typing import Any
from weakref import WeakValueDictionary

from content_blocks.conditions.nodes import All, Clause, Node, Not, Some
from content_blocks.conditions.values import Test, is_number, value_at

Match = Callable[[Any], bool]
Order = Callable[[Any, Any], bool]
_ORDERS: dict[str, Order] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_SHARED_OPERANDS = 20
_SHARED: WeakValueDictionary[Hashable, Match] = WeakValueDictionary()  # no larger than what is in use


def compiled(node: Node) -> Match:
    match node:
        case Clause():
            return _clause(node)
        case All(parts):
            return _every([compiled(part) for part in parts])
        case Some(parts):
            return _some([compiled(part) for part in parts])
        case Not(part):
            return _negation(compiled(part))


def _every(matches: list[Match]) -> Match:
    match matches:
        case []:
            return _always
        case [first]:
            return first
        case [first, second]:
            return lambda facts: first(facts) and second(facts)
        case [first, second, third]:
            return lambda facts: first(facts) and second(facts) and third(facts)
        case [first, second, third, fourth]:
            return lambda facts: first(facts) and second(facts) and third(facts) and fourth(facts)
    return _every([_every(half) for half in _halves(matches)])


def _some(matches: list[Match]) -> Match:
    if len(matches) == 1:
        return matches[0]
    first, second = map(_some, _halves(matches))
    return lambda facts: first(facts) or second(facts)


def _halves(matches: list[Match]) -> tuple[list[Match], list[Match]]:
    """So that the calls of five hundred clauses are nine deep, not five hundred."""
    middle = len(matches) // 2
    return matches[:middle], matches[middle:]


def _always(facts: Any) -> bool:
    return True


def _negation(match: Match) -> Match:
    return lambda facts: not match(facts)


def _clause(clause: Clause) -> Match:
    """One closure serves all conditions that hold the same clause."""
    key = _key(clause)
    if key is None:
        return _closure(clause)
    match = _SHARED.get(key)
    if match is None:
        match = _SHARED[key] = _closure(clause)
    return match


def _key(clause: Clause) -> Hashable | None:
    """None for clauses that say more than what is written (a group), or say it at length."""
    operands = clause.expected if isinstance(clause.expected, list | tuple) else (clause.expected,)
    if clause.operator in ("$inGroup", "$notInGroup") or len(operands) > _SHARED_OPERANDS:
        return None
    if not all(isinstance(each, str | int | float | None) for each in operands):
        return None
    return clause.path, clause.operator, clause.literal, repr(clause.expected)


def _closure(clause: Clause) -> Match:
    steps, expected, test = clause.steps, clause.expected, clause.test
    if len(steps) == 1:
        return _top(steps[0], test)
    if len(steps) > 2:
        return _deep(steps, test)
    group, name = steps
    if clause.operator == "$eq" and isinstance(expected, str):
        return _text(group, name, expected, test)
    if clause.operator == "$in" and all(isinstance(each, str) for each in expected):
        return _text_among(group, name, frozenset(expected), test)
    if clause.operator in _ORDERS and is_number(expected):
        return _ordered(group, name, _ORDERS[clause.operator], expected, test)
    return _pair(group, name, test)


def _careful(facts: Any, steps: tuple[str, ...], test: Test) -> bool:
    """Never raises: a fact that breaks the test (no JSON, then) counts as missing."""
    try:
        return test(value_at(facts, steps))
    except Exception:
        return test(None)


def _deep(steps: tuple[str, ...], test: Test) -> Match:
    return lambda facts: _careful(facts, steps, test)


def _top(name: str, test: Test) -> Match:
    def holds(facts: Any) -> bool:
        try:
            return test(facts.get(name))
        except Exception:
            return _careful(facts, (name,), test)

    return holds


def _pair(group: str, name: str, test: Test) -> Match:
    def holds(facts: Any) -> bool:
        try:
            return test(facts[group].get(name))
        except Exception:
            return _careful(facts, (group, name), test)

    return holds


def _text(group: str, name: str, expected: str, test: Test) -> Match:
    def holds(facts: Any) -> bool:
        try:
            value = facts[group].get(name)
        except Exception:
            return _careful(facts, (group, name), test)
        if value.__class__ is str:
            return bool(value == expected)
        return False if value is None else _careful(facts, (group, name), test)

    return holds


def _text_among(group: str, name: str, members: frozenset[str], test: Test) -> Match:
    def holds(facts: Any) -> bool:
        try:
            value = facts[group].get(name)
        except Exception:
            return _careful(facts, (group, name), test)
        if value.__class__ is str:
            return value in members
        return False if value is None else _careful(facts, (group, name), test)

    return holds


def _ordered(group: str, name: str, order: Order, limit: float, test: Test) -> Match:
    def holds(facts: Any) -> bool:
        try:
            value = facts[group].get(name)
        except Exception:
            return _careful(facts, (group, name), test)
        if value.__class__ is float or value.__class__ is int:
            return order(value, limit)
        return False if value is None else _careful(facts, (group, name), test)

    return holds
