"""What follows from what: conditions that nothing can meet, and variants that can never win.

Sound, not complete: what is found is so; what is not found may be so all the same.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from content_blocks.conditions.condition import Condition
from content_blocks.conditions.explaining import sentence
from content_blocks.conditions.facts import fact_at
from content_blocks.conditions.nodes import Clause, Node, Not, Some, conjuncts
from content_blocks.conditions.problems import ConditionProblem
from content_blocks.conditions.values import equal

_LOWER, _UPPER = ("$gt", "$gte"), ("$lt", "$lte")
_MIDNIGHT = '; hours over midnight are {"time": {"$clock": ["22:00", "05:00"]}}'


def finite(clause: Clause) -> list[Any] | None:
    """The only values that can meet the clause, if they can be listed."""
    if clause.operator == "$eq":
        return [clause.expected]
    if clause.operator == "$exists" and not clause.expected:
        return [None]
    fact = fact_at(clause.path)
    if clause.operator == "$in" and fact is not None and fact.kind not in ("array", "any"):
        return list(clause.expected)  # of a list that is not known to be a scalar, one item is enough
    return None


def contradictions(node: Node) -> Iterator[ConditionProblem]:
    by_path: dict[str, list[Clause]] = {}
    for part in conjuncts(node):
        if isinstance(part, Clause):
            by_path.setdefault(part.path, []).append(part)
        elif isinstance(part, Some):
            for alternative in part.parts:
                yield from contradictions(alternative)
    for clauses in by_path.values():
        yield from _clashes(clauses)


def _clashes(clauses: list[Clause]) -> Iterator[ConditionProblem]:
    for clause in clauses:
        if clause.operator == "$in" and not clause.expected:
            yield ConditionProblem(clause.pointer, "an empty list admits nothing", "CONTRADICTION")
    for first, second in combinations(clauses, 2):
        if _clash(first, second) or _clash(second, first):
            hint = _MIDNIGHT if first.path == "time.hour" else ""
            says = f"{sentence(first)} and {sentence(second)} can never both hold{hint}"
            yield ConditionProblem(second.pointer, says, "CONTRADICTION")


def _clash(one: Clause, other: Clause) -> bool:
    values = finite(one)
    if values is not None:
        return bool(values) and not any(map(other.test, values))
    if one.operator not in _LOWER or other.operator not in _UPPER:
        return False
    low, high = one.expected, other.expected
    if isinstance(low, str) is not isinstance(high, str):
        return True
    return not (other.test(low) if one.operator == "$gte" else low < high)


def shadowed(conditions: Sequence[Condition]) -> list[tuple[int, int]]:
    """(i, j): the condition i matches only where an earlier one, j, matches too; j is the first such."""
    nodes = [condition.node for condition in conditions]
    pairs = []
    for i, later in enumerate(conditions):
        reads = later.reads
        for j in range(i):
            apart = conditions[j].reads and reads.isdisjoint(conditions[j].reads)
            if not apart and implies(nodes[i], nodes[j]):
                pairs.append((i, j))
                break
    return pairs


def implies(a: Node, b: Node) -> bool:
    """Does b hold wherever a holds? Each pair of parts is looked at once."""
    return _implies(a, b, {})


def _implies(a: Node, b: Node, seen: dict[tuple[int, int], bool]) -> bool:
    pair = (id(a), id(b))
    if pair not in seen:
        seen[pair] = _decide(a, b, seen)
    return seen[pair]


def _decide(a: Node, b: Node, seen: dict[tuple[int, int], bool]) -> bool:
    wanted, given = conjuncts(b), conjuncts(a)
    if len(wanted) != 1:
        return all(_implies(a, part, seen) for part in wanted)
    if isinstance(a, Some):
        return all(_implies(part, b, seen) for part in a.parts)
    if len(given) != 1 and any(_implies(part, b, seen) for part in given):
        return True
    if isinstance(b, Some):
        return any(_implies(a, part, seen) for part in b.parts)
    if isinstance(a, Not) and isinstance(b, Not):
        return _implies(b.part, a.part, seen)
    return isinstance(a, Clause) and isinstance(b, Clause) and a.path == b.path and _narrows(a, b)


def _narrows(a: Clause, b: Clause) -> bool:
    """Does the clause b hold for every value that meets the clause a of the same path?"""
    if a.operator == b.operator and a.literal == b.literal and equal(a.expected, b.expected):
        return True
    values = finite(a)
    if values is not None:
        return all(map(b.test, values))
    if b.operator == "$exists" and b.expected:
        return not a.test(None)
    if a.operator == b.operator and a.operator in ("$in", "$nin"):
        few, many = (a.expected, b.expected) if a.operator == "$in" else (b.expected, a.expected)
        return all(any(equal(each, other) for other in many) for each in few)
    return _reaches(a, b)


def _reaches(a: Clause, b: Clause) -> bool:
    """Two limits on the same side: is a's at least as strict as b's?"""
    if not any(a.operator in side and b.operator in side for side in (_LOWER, _UPPER)):
        return False
    if a.operator in ("$gt", "$lt") and equal(a.expected, b.expected):
        return True
    return b.test(a.expected)
