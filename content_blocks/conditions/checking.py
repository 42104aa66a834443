"""Is this condition what its editor means? Asked when it is saved, never when a page is served."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from content_blocks.conditions.condition import NO_GROUPS
from content_blocks.conditions.facts import FACTS, FORMS, Fact, countries, fact_at
from content_blocks.conditions.implications import contradictions
from content_blocks.conditions.nodes import Clause, clauses
from content_blocks.conditions.operators import OPERATORS
from content_blocks.conditions.parsing import MAX_PROBLEMS, NESTING, parse
from content_blocks.conditions.problems import ConditionProblem, pointer, suggestion
from content_blocks.conditions.values import kind_of, lower

_TAKES = {name: operator.takes for name, operator in (OPERATORS | NESTING).items()}
_EVERYWHERE = frozenset({"kind", "flag"})
_FITTING = {  # kind of fact: what the operators that suit it take
    "string": _EVERYWHERE | {"scalar", "list", "order", "version", "pattern", "group"},
    "number": _EVERYWHERE | {"scalar", "list", "order", "group"},
    "boolean": _EVERYWHERE | {"scalar", "list"},
    "array": _EVERYWHERE | {"list", "items", "group"},
    "object": _EVERYWHERE | {"own"},
    "any": frozenset(_TAKES.values()),
}
_CALLED = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_OUT_OF_REACH: dict[str, Callable[[Fact, Any], bool]] = {
    "$gt": lambda fact, value: fact.high is not None and value >= fact.high,
    "$gte": lambda fact, value: fact.high is not None and value > fact.high,
    "$lt": lambda fact, value: fact.low is not None and value <= fact.low,
    "$lte": lambda fact, value: fact.low is not None and value < fact.low,
}
_MISTAKEN_COUNTRIES = {"UK": "GB", "EL": "GR"}


def check_condition(
    condition: Mapping[str, Any] | None,
    known_groups: Collection[str] | None = None,
    known_segments: Collection[str] | None = None,
) -> list[ConditionProblem]:
    """Everything that is wrong or cannot be meant, at most a hundred; None as known ones checks no names."""
    node, problems = parse(condition, NO_GROUPS)
    for clause in clauses(node):
        problems += _about_clause(clause)
        problems += _about_names(clause, known_groups, known_segments)
    problems += contradictions(node)
    return problems[:MAX_PROBLEMS]


def _about_clause(clause: Clause) -> Iterator[ConditionProblem]:
    fact = fact_at(clause.path)
    if fact is None:
        near = suggestion(clause.path, FACTS) or "; facts of your own are attributes.<name>"
        yield ConditionProblem(clause.pointer, f"{clause.path} is not a known fact{near}", "UNKNOWN_FACT")
    elif misfit := _misfit(clause, fact):
        yield ConditionProblem(clause.pointer, misfit, "WRONG_TYPE")
    else:
        for at, value in _values(clause):
            if found := _about_value(clause, fact, value):
                message, code = found
                yield ConditionProblem(at, message, code)


def _misfit(clause: Clause, fact: Fact) -> str | None:
    takes = _TAKES[clause.operator]
    if clause.operator == "$eq" and not clause.literal and kind_of(clause.expected) in ("array", "object"):
        return "$eq never holds for a list or an object; leave the $eq out"
    if takes == "own" and not all(map(fact_at, clause.reads)):
        return f"{clause.operator} looks for {' and '.join(clause.reads)}, which are not known facts"
    if takes in _FITTING[fact.kind] or (clause.literal and kind_of(clause.expected) in (fact.kind, "null")):
        return None
    mend = f'; write {{"{clause.path}": {{"$in": [...]}}}}' if fact.kind == "array" else ""
    return f"{clause.path} is {_CALLED[fact.kind]}, {clause.operator} does not suit it{mend}"


def _values(clause: Clause) -> Iterator[tuple[str, Any]]:
    """The values that the fact is compared with, and where they stand."""
    takes, expected = _TAKES[clause.operator], clause.expected
    if takes in ("scalar", "order", "version"):
        yield clause.pointer, expected
    elif takes == "list" or clause.operator in ("$all", "$alli"):
        yield from ((pointer(clause.pointer, i), value) for i, value in enumerate(expected))


def _about_value(clause: Clause, fact: Fact, value: Any) -> tuple[str, str] | None:
    kind = "string" if fact.kind == "array" else fact.kind
    if kind == "any" or value is None or isinstance(value, Mapping | list | tuple):
        return None
    if kind_of(value) != kind:
        return f"{fact.path} is {_CALLED[kind]}, {_shown(value)} is {_CALLED[kind_of(value)]}", "WRONG_TYPE"
    if kind == "number":
        return _about_number(clause, fact, value)
    return _about_text(clause, fact, value) if kind == "string" else None


def _about_number(clause: Clause, fact: Fact, value: Any) -> tuple[str, str] | None:
    if clause.operator in _OUT_OF_REACH:
        beyond = _OUT_OF_REACH[clause.operator](fact, value)
    else:
        beyond = (fact.low is not None and value < fact.low) or (fact.high is not None and value > fact.high)
    if not beyond:
        return None
    limits = f"from {fact.low:g} to {fact.high:g}" if fact.high is not None else f"at least {fact.low:g}"
    return f"{fact.path} is {limits}; this can never hold or fail", "NOT_ALLOWED_VALUE"


def _about_text(clause: Clause, fact: Fact, value: str) -> tuple[str, str] | None:
    any_case = clause.operator.endswith("i")
    if fact.values and value not in fact.values and not (any_case and _in_any_case(value, fact.values)):
        near = suggestion(value, fact.values)
        return f"{_shown(value)} is not one of {', '.join(fact.values)}{near}", "NOT_ALLOWED_VALUE"
    if fact.form and not any_case:
        form, example = FORMS[fact.form]
        if not re.fullmatch(form, value):
            return f'{fact.path} is written as "{example}", not {_shown(value)}', "NOT_ALLOWED_VALUE"
        if fact.form == "country" and value not in countries():
            return f"{value} is not a country of ISO 3166{_meant(value)}", "NOT_ALLOWED_VALUE"
    return None


def _in_any_case(value: str, values: Collection[str]) -> bool:
    return value.lower() in map(lower, values)


def _meant(country: str) -> str:
    return f"; did you mean {_MISTAKEN_COUNTRIES[country]}?" if country in _MISTAKEN_COUNTRIES else ""


def _shown(value: Any) -> str:
    return f'"{value[:40]}"' if isinstance(value, str) else str(value).lower()


def _about_names(
    clause: Clause, known_groups: Collection[str] | None, known_segments: Collection[str] | None
) -> Iterator[ConditionProblem]:
    if _TAKES[clause.operator] == "group" and known_groups is not None:
        yield from _unknown(clause.pointer, clause.expected, "group", known_groups)
    if clause.path == "segments" and known_segments is not None:
        for at, value in _values(clause):
            if isinstance(value, str):
                yield from _unknown(at, value, "segment", known_segments)


def _unknown(at: str, name: str, noun: str, known: Collection[str]) -> Iterator[ConditionProblem]:
    if name not in known:
        message = f'there is no {noun} "{name[:40]}"{suggestion(name, known)}'
        yield ConditionProblem(at, message, f"UNKNOWN_{noun.upper()}")
