"""A condition as a tree: clauses about one path each, joined by all, some and not.

Nodes have no equality of their own: Python takes 1 and True for equal, conditions do not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from content_blocks.conditions.values import Test, steps_of


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """One operator on one path. `reads` are the fact paths that its test looks at."""

    path: str
    operator: str
    expected: Any  # the operand as the editor wrote it
    reads: tuple[str, ...]
    test: Test = field(repr=False)
    pointer: str
    literal: bool = False  # written as a plain value, {"geo.country": "GB"}

    @property
    def steps(self) -> tuple[str, ...]:
        return steps_of(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class All:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    """At least one of the parts, of which there is at least one."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    part: "Node"


Node = Clause | All | Some | Not
ALWAYS = All(())


def all_of(parts: list[Node]) -> Node:
    """One flat conjunction: a single part stands for itself."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def conjuncts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, All) else (node,)


def clauses(node: Node) -> Iterator[Clause]:
    if isinstance(node, Clause):
        yield node
    else:
        for part in (node.part,) if isinstance(node, Not) else node.parts:
            yield from clauses(part)
