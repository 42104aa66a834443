"""A compiled condition: who, where and when, as one question to a visitor's facts."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from content_blocks.conditions import explaining
from content_blocks.conditions.compiling import Match, compiled
from content_blocks.conditions.nodes import Node, clauses
from content_blocks.conditions.parsing import parse, parse_again
from content_blocks.conditions.problems import ConditionError, FailedClause

NO_GROUPS: Mapping[str, Sequence[Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """Immutable. The tree is read again when somebody asks why, so that a hundred thousand stay small."""

    matches: Match  # never raises, whatever the facts are
    reads: frozenset[str]  # the fact paths that it may look at
    _text: str | Mapping[str, Any] | None = field(repr=False)  # JSON takes a quarter of the room of objects
    _groups: Mapping[str, Sequence[Any]] = field(repr=False)

    @property
    def node(self) -> Node:
        document = json.loads(self._text) if isinstance(self._text, str) else self._text
        return parse_again(document, self._groups)

    def tests(self, wanted: Callable[[str], bool]) -> Iterator[Match]:
        """The question of each clause that reads such a fact; equal clauses of any condition share one."""
        for clause in clauses(self.node):
            if any(map(wanted, clause.reads)):
                yield compiled(clause)

    @property
    def sentence(self) -> str:
        return explaining.sentence(self.node)

    def failed(self, facts: Mapping[str, Any]) -> FailedClause | None:
        """The first clause that failed; None when the condition matches."""
        return explaining.failed(self.node, facts)

    def matched(self, facts: Mapping[str, Any]) -> tuple[str, ...]:
        """The clauses that hold, as short sentences: "device.type is mobile"."""
        return explaining.matched(self.node, facts)


def compile_condition(
    condition: Mapping[str, Any] | None, groups: Mapping[str, Sequence[Any]] = NO_GROUPS
) -> Condition:
    """None and {} match everything. Raises ConditionError with all that is wrong.

    Facts that are not known are no error here, they are merely missing; `check_condition` finds them.
    """
    node, problems = parse(condition, groups)
    if problems:
        raise ConditionError(problems)
    reads = _shared(tuple(sorted({path for clause in clauses(node) for path in clause.reads})))
    return Condition(compiled(node), reads, _text(condition), groups)


def _text(condition: Mapping[str, Any] | None) -> str | Mapping[str, Any] | None:
    try:
        return json.dumps(condition) if condition else None
    except TypeError:  # a mapping or a value that is not JSON's own
        return condition


@lru_cache(maxsize=4096)
def _shared(paths: tuple[str, ...]) -> frozenset[str]:
    """Most conditions read the same few facts: one set serves them all."""
    return frozenset(paths)
