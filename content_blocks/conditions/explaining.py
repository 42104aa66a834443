"""What a condition says, which clause failed, and which hold: in words, for those who ask."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from content_blocks.conditions.compiling import compiled
from content_blocks.conditions.facts import fact_at
from content_blocks.conditions.nodes import Clause, Node, Not, Some, clauses, conjuncts
from content_blocks.conditions.parsing import PHRASES
from content_blocks.conditions.problems import FailedClause
from content_blocks.conditions.values import steps_of, value_at

_LISTED = 5
_LONGEST = 80  # characters of one value in a sentence
_OF_LISTS = {"$in": "has {}", "$nin": "has none of {}"}
_WEEKDAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


def failed(node: Node, facts: Any) -> FailedClause | None:
    """The first clause that does not hold. Alternatives fail together, with all that they looked at."""
    for part in conjuncts(node):
        if not compiled(part)(facts):
            return _failure(part, facts)
    return None


def _failure(node: Node, facts: Any) -> FailedClause:
    match node:
        case Clause(path, operator, expected):
            return FailedClause(path, operator, expected, _actual(node, facts))
        case Not(Clause(path, operator, expected) as clause):
            return FailedClause(path, "$not", {operator: expected}, _actual(clause, facts))
        case Some(parts):
            return FailedClause(_paths(node), "$or", [sentence(part) for part in parts], _actual(node, facts))
        case Not(part):
            return FailedClause(_paths(part), "$not", sentence(part), _actual(part, facts))
    return failed(node, facts) or FailedClause("", "$and", sentence(node), None)


def _paths(node: Node) -> str:
    return ", ".join(dict.fromkeys(clause.path for clause in clauses(node)))


def _actual(node: Node, facts: Any) -> Any:
    """The one fact that was read, or each of them by its path."""
    reads = dict.fromkeys(path for clause in clauses(node) for path in clause.reads)
    found = {path: value_at(facts, steps_of(path)) for path in reads}
    return next(iter(found.values())) if len(found) == 1 else found or None


def matched(node: Node, facts: Any) -> tuple[str, ...]:
    """The clauses that hold, each as a short sentence; of alternatives, the first that holds."""
    return tuple(dict.fromkeys(_holding(node, facts)))


def _holding(node: Node, facts: Any) -> Iterator[str]:
    if isinstance(node, Some):
        held = next((part for part in node.parts if compiled(part)(facts)), None)
        if held is not None:
            yield from _holding(held, facts)
        return
    for part in conjuncts(node):
        if isinstance(part, Some):
            yield from _holding(part, facts)
        elif compiled(part)(facts):
            yield sentence(part)


def sentence(node: Node) -> str:
    match node:
        case Clause():
            return f"{node.path} {_predicate(node)}"
        case Not(part):
            return f"not ({sentence(part)})"
        case Some(parts):
            return " or ".join(_bracketed(part) for part in parts)
    return " and ".join(_bracketed(part) for part in conjuncts(node)) or "always"


def _bracketed(node: Node) -> str:
    return sentence(node) if isinstance(node, Clause | Not) else f"({sentence(node)})"


def _predicate(clause: Clause) -> str:
    if clause.operator == "$exists":
        return "is known" if clause.expected else "is unknown"
    say = _SAID_SPECIALLY.get(clause.operator, _said)
    return _phrase(clause).format(say(clause.expected))


def _phrase(clause: Clause) -> str:
    """Of a list, `$in` asks for an item."""
    fact = fact_at(clause.path)
    phrases = _OF_LISTS if fact is not None and fact.kind == "array" else PHRASES
    return phrases.get(clause.operator) or PHRASES[clause.operator]


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value[:_LONGEST] or "empty"
    if isinstance(value, list | tuple):
        return _listed([_said(each) for each in value])
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)[:_LONGEST]
    if value is None:
        return "missing"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(words: list[str]) -> str:
    """a; a or b; a, b or c; a, b, c, d, e or 3 more."""
    if len(words) > _LISTED:
        words = [*words[:_LISTED], f"{len(words) - _LISTED} more"]
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]])) or "nothing"


def _zoned(say: Any, key: str) -> Any:
    def said(operand: Any) -> str:
        if isinstance(operand, Mapping):
            where = f" in {operand['zone']}" if "zone" in operand else ""
            return f"{say(operand[key])}{where}"
        return str(say(operand))

    return said


def _window(window: Any) -> str:
    return f"{window[0]} and {window[1]}"


def _span(days: Any) -> str:
    first, last = days
    return f"{first or 'any day'} to {last or 'any day'}"


_SAID_SPECIALLY = {
    "$clock": _zoned(_window, "between"),
    "$weekday": _zoned(lambda days: _listed([_WEEKDAYS[day] for day in days]), "in"),
    "$dates": _zoned(_span, "between"),
    "$near": lambda circle: f"{circle['km']:g} km of {circle['lat']:g}, {circle['lon']:g}",
    "$all": lambda each: _listed([_said(one) for one in each]).replace(" or ", " and "),
    "$alli": lambda each: _listed([_said(one) for one in each]).replace(" or ", " and "),
    "$regex": lambda pattern: f"/{pattern[:_LONGEST]}/",
}
