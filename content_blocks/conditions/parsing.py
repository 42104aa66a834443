"""From JSON to a tree of clauses, with every problem and its place.

The operators that hold conditions of their own are here: they need the parser.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from content_blocks.conditions.compiling import compiled
from content_blocks.conditions.limits import MAX_CLAUSES, MAX_PATTERNS, oversize
from content_blocks.conditions.nodes import ALWAYS, Clause, Node, Not, Some, all_of
from content_blocks.conditions.operands import Complaint, Takes, a_list, a_name, anything
from content_blocks.conditions.operators import OPERATORS, equals, member_of, negated
from content_blocks.conditions.problems import ConditionProblem, pointer, suggestion
from content_blocks.conditions.values import ARRAYS, Test, lower

Groups = Mapping[str, Sequence[Any]]
MAX_PROBLEMS = 100


def parse(document: Any, groups: Groups) -> tuple[Node, list[ConditionProblem]]:
    """The tree, and what is wrong; with problems, the tree holds only what could be understood."""
    if document is None:
        return ALWAYS, []
    if problems := oversize(document):
        return ALWAYS, problems
    parsing = Parsing(groups)
    node = parsing.condition(document, "")
    parsing.count()
    return node, parsing.problems[:MAX_PROBLEMS]


def parse_again(document: Any, groups: Groups) -> Node:
    """The tree of a document in which nothing was wrong."""
    return ALWAYS if document is None else Parsing(groups).condition(document, "")


class Parsing:
    """One reading of one document; it gathers the problems."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.problems: list[ConditionProblem] = []
        self.operations = 0
        self.patterns = 0

    def say(self, at: str, message: str, code: str = "BAD_OPERAND") -> None:
        self.problems.append(ConditionProblem(at, message, code))

    def count(self) -> None:
        if self.operations > MAX_CLAUSES:
            self.say("", f"holds {self.operations} clauses; at most {MAX_CLAUSES}", "TOO_MANY")
        if self.patterns > MAX_PATTERNS:
            self.say("", f"holds {self.patterns} regular expressions; at most {MAX_PATTERNS}", "TOO_MANY")

    def condition(self, document: Any, at: str) -> Node:
        if not isinstance(document, Mapping):
            self.say(at, 'needs an object, as in {"device.type": "mobile"}')
            return ALWAYS
        return all_of([self._entry(key, value, pointer(at, key)) for key, value in document.items()])

    def _entry(self, key: Any, value: Any, at: str) -> Node:
        if not isinstance(key, str):
            self.say(at, "is not text; a fact or an operator has a name")
        elif not key.startswith("$"):
            return self._field(key, value, at)
        elif key in JOINTS:
            return JOINTS[key](self, value, at)
        else:
            self._unknown(key, at, JOINTS)
        return ALWAYS

    def parts(self, conditions: Any, at: str) -> list[Node]:
        if complaint := a_list(conditions):
            self.say(at, complaint)
            return []
        return [self.condition(each, pointer(at, i)) for i, each in enumerate(conditions)]

    def _field(self, path: str, value: Any, at: str) -> Node:
        if not self._has_operators(value, at):
            self.operations += 1
            return Clause(path, "$eq", value, (path,), equals(value), at, literal=True)
        return all_of([self._operation(path, name, value[name], pointer(at, name)) for name in value])

    def _operation(self, path: str, name: str, operand: Any, at: str) -> Node:
        if name == "$not":
            return Not(self._field(path, operand, at))
        test = self._test_of(name, operand, at)
        if test is None:  # the clause still names its path, which can be wrong too
            return Clause(path, "$exists", True, (path,), lambda value: True, at)
        return Clause(path, name, operand, self._reads(path, name, operand), test, at)

    def _reads(self, path: str, name: str, operand: Any) -> tuple[str, ...]:
        keys = OPERATORS[name].reads(operand) if name in OPERATORS else ()
        return tuple(f"{path}.{key}" for key in keys) or (path,)

    def _test_of(self, name: str, operand: Any, at: str) -> Test | None:
        """None when there is a problem, which is noted."""
        self.operations += 1
        self.patterns += "egex" in name
        operator = OPERATORS.get(name) or NESTING.get(name)
        if operator is None:
            self._unknown(name, at, [*OPERATORS, *NESTING])
        elif complaint := operator.complaint(operand):
            self.say(at, f"{name} {complaint}", "BAD_REGEX" if operator.takes == "pattern" else "BAD_OPERAND")
        elif isinstance(operator, Nesting):
            return operator.build(self, operand, at)
        else:
            return operator.build(operand)
        return None

    def value_test(self, value: Any, at: str, fold: Callable[[Any], Any] | None = None) -> Test:
        """A test of a value itself, as `$size`, `$all` and `$elemMatch` hold them."""
        if not self._has_operators(value, at):
            return equals(value, fold)
        tests = [self._test_of(name, value[name], pointer(at, name)) for name in value]
        every = [test for test in tests if test is not None]
        return lambda actual: all(test(actual) for test in every)

    def _has_operators(self, value: Any, at: str) -> bool:
        if not isinstance(value, Mapping):
            return False
        marked = [isinstance(key, str) and key.startswith("$") for key in value]
        if any(marked) and not all(marked):
            self.say(at, "mixes operators ($...) with plain keys")
            return False
        return all(marked)

    def _unknown(self, name: str, at: str, known: Any) -> None:
        near = suggestion(name, known)
        self.say(at, f"{name[:40]} is not an operator here{near}", "UNKNOWN_OPERATOR")


def _some(parsing: Parsing, conditions: Any, at: str) -> Node:
    parts = parsing.parts(conditions, at)
    return Some(tuple(parts)) if len(parts) > 1 else all_of(parts)  # an empty $or admits everything


def _none(parsing: Parsing, conditions: Any, at: str) -> Node:
    parts = parsing.parts(conditions, at)
    return all_of([Not(part) for part in parts]) if parts else Not(ALWAYS)


JOINTS: dict[str, Callable[[Parsing, Any, str], Node]] = {
    "$and": lambda parsing, conditions, at: all_of(parsing.parts(conditions, at)),
    "$or": _some,
    "$nor": _none,
    "$not": lambda parsing, condition, at: Not(parsing.condition(condition, at)),
}


@dataclass(frozen=True, slots=True)
class Nesting:
    """An operator whose operand holds conditions, or names a group."""

    takes: Takes
    phrase: str
    complaint: Complaint
    build: Callable[[Parsing, Any, str], Test]


def _not(parsing: Parsing, operand: Any, at: str) -> Test:
    return negated(parsing.value_test(operand, at))


def _all(fold: Callable[[Any], Any] | None) -> Callable[[Parsing, Any, str], Test]:
    def build(parsing: Parsing, operand: Any, at: str) -> Test:
        tests = [parsing.value_test(each, pointer(at, i), fold) for i, each in enumerate(operand)]

        def test(value: Any) -> bool:
            return isinstance(value, ARRAYS) and all(any(map(each, value)) for each in tests)

        return test

    return build


def _item_matches(parsing: Parsing, operand: Any, at: str) -> Test:
    """Operators test an item itself, a condition its fields; null items are passed over."""
    if isinstance(operand, Mapping) and all(str(key)[:1] == "$" and key not in JOINED for key in operand):
        holds = parsing.value_test(operand, at)
    else:
        holds = compiled(parsing.condition(operand, at))
    return lambda value: isinstance(value, ARRAYS) and any(holds(item) for item in value if item is not None)


def _size(parsing: Parsing, operand: Any, at: str) -> Test:
    holds = parsing.value_test(operand, at)
    return lambda value: isinstance(value, ARRAYS) and holds(len(value))


def _in_group(parsing: Parsing, name: str, at: str) -> Test:
    return member_of(parsing.groups.get(name, ()))  # an unknown group has no members


def _not_in_group(parsing: Parsing, name: str, at: str) -> Test:
    return negated(_in_group(parsing, name, at))


JOINED = frozenset(JOINTS) - {"$not"}  # $not stands beside values too
NESTING: dict[str, Nesting] = {
    "$not": Nesting("items", "is not {}", anything, _not),
    "$all": Nesting("items", "has all of {}", a_list, _all(None)),
    "$alli": Nesting("items", "has all of {} in any case", a_list, _all(lower)),
    "$elemMatch": Nesting("items", "has an item that is {}", anything, _item_matches),
    "$size": Nesting("items", "has a size of {}", anything, _size),
    "$inGroup": Nesting("group", "is in the group {}", a_name, _in_group),
    "$notInGroup": Nesting("group", "is not in the group {}", a_name, _not_in_group),
}
PHRASES = {name: operator.phrase for name, operator in (OPERATORS | NESTING).items()}
