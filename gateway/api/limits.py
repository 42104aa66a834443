"""Bounds on a query that hold before anything is executed."""

from typing import Any

from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, ValidationRule
from graphql.language import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

MAX_DEPTH = 20


class DepthRule(ValidationRule):
    """Fields may be nested MAX_DEPTH deep. Introspection, and cycles, are other rules' business."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        depth = self._depth(node.selection_set, {})
        if depth > MAX_DEPTH:
            self.report_error(
                GraphQLError(
                    f"the query is {depth} levels deep; {MAX_DEPTH} are allowed",
                    node,
                    extensions={"code": "TOO_DEEP", "limit": MAX_DEPTH, "actual": depth},
                )
            )

    def _depth(self, selection: SelectionSetNode | None, seen: dict[str, int]) -> int:
        deepest = 0
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                below = 0 if node.name.value.startswith("__") else self._depth(node.selection_set, seen)
                deepest = max(deepest, 1 + below)
            elif isinstance(node, InlineFragmentNode):
                deepest = max(deepest, self._depth(node.selection_set, seen))
            elif isinstance(node, FragmentSpreadNode):
                deepest = max(deepest, self._fragment(node.name.value, seen))
        return deepest

    def _fragment(self, name: str, seen: dict[str, int]) -> int:
        if name not in seen:
            seen[name] = 0  # what a cycle reads here
            fragment: FragmentDefinitionNode | None = self.context.get_fragment(name)
            seen[name] = self._depth(fragment.selection_set, seen) if fragment else 0
        return seen[name]
