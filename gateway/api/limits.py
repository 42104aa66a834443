"""Bounds on a document that hold before it is validated: validating compares fields pair by pair."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
)

MAX_DEPTH = 20
MAX_SELECTIONS = 3_000  # fields and fragments, each as often as it is spread
MAX_REPEATS = 25  # of one field in one place, under whatever aliases: each costs as much as the first
MAX_TYPED = 200  # the same in typed content, of which only one block type's fields are ever answered
MAX_FRAGMENTS = 200
INTEGERS = range(-(2**63), 2**64)  # what JSON can carry on

_Path: TypeAlias = tuple[str, ...]


class BoundsRule(ValidationRule):
    """How deep and how wide a document is, fragments written out, and how often it asks for the same."""

    def enter_document(self, document: DocumentNode, *_: Any) -> None:
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        if len(fragments) > MAX_FRAGMENTS:
            self._refuse(f"the document has {len(fragments)} fragments; {MAX_FRAGMENTS} are allowed")
            return
        selected: Counter[_Path] = Counter()
        for spent, path in enumerate(_selections(document, fragments)):
            selected[path] += 1
            if len(path) > MAX_DEPTH:
                self._refuse(f"the query is more than {MAX_DEPTH} levels deep", "TOO_DEEP")
                return
            if spent >= MAX_SELECTIONS:
                self._refuse(f"the document selects more than {MAX_SELECTIONS} fields; ask for less at once")
                return
            most = MAX_TYPED if "content" in path else MAX_REPEATS
            if path and selected[path] > most:
                self._refuse(f"{'.'.join(path)} is selected more than {most} times; send several requests")
                return

    def enter_int_value(self, node: IntValueNode, *_: Any) -> None:
        if len(node.value) > 20 or int(node.value) not in INTEGERS:
            self._refuse("a whole number has 64 bits at most; send longer ones as text", "BAD_INPUT")

    def enter_float_value(self, node: FloatValueNode, *_: Any) -> None:
        if not isfinite(float(node.value)):
            self._refuse("a number must be finite", "BAD_INPUT")

    def _refuse(self, message: str, code: str = "TOO_LARGE") -> None:
        self.report_error(GraphQLError(message, extensions={"code": code}))


def _selections(document: DocumentNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[_Path]:
    """The place of every field, () for what is none. Fragments that no operation reaches are walked as well."""
    reached: set[str] = set()
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            yield from _below(operation.selection_set, fragments, reached)
    for name, fragment in fragments.items():
        if name not in reached:
            yield from _below(fragment.selection_set, fragments, reached)


def _below(
    root: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], reached: set[str]
) -> Iterator[_Path]:
    waiting: list[tuple[SelectionSetNode | None, _Path, frozenset[str]]] = [(root, (), frozenset())]
    while waiting:
        selection, path, inside = waiting.pop()
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                here = (*path, node.name.value)
                yield here
                waiting.append((node.selection_set, here, inside))
                continue
            yield ()
            if isinstance(node, InlineFragmentNode):
                waiting.append((node.selection_set, path, inside))
            elif isinstance(node, FragmentSpreadNode) and (name := node.name.value) not in inside:
                reached.add(name)
                if fragment := fragments.get(name):
                    waiting.append((fragment.selection_set, path, inside | {name}))
