"""How deep a document goes with its fragments written out, found without writing them out, or recursion."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


class Circular(Exception):
    """Fragments spread each other."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(" -> ".join(names))


@dataclass(frozen=True, slots=True)
class _Outline:
    deepest: int
    spreads: Mapping[str, int]  # the deepest place of each

    def depth(self, known: Mapping[str, int]) -> int:
        return max([self.deepest, *(at + known.get(name, 0) for name, at in self.spreads.items())])


def deepest(document: DocumentNode) -> int:
    """In levels of fields: `{ page { title } }` has 2. Raises Circular."""
    outlines = {
        node.name.value: _outline(node.selection_set)
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    known: dict[str, int] = {}
    for name in _inner_first(outlines):
        known[name] = outlines[name].depth(known) if name in outlines else 0
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    depths = [_outline(node.selection_set).depth(known) for node in operations]
    return max([0, *known.values(), *depths])


def _inner_first(outlines: Mapping[str, _Outline]) -> Iterator[str]:
    sorter = TopologicalSorter({name: outline.spreads for name, outline in outlines.items()})
    try:
        yield from sorter.static_order()
    except CycleError as error:
        raise Circular(error.args[1]) from error


def _outline(selection: SelectionSetNode) -> _Outline:
    deepest = 0
    spreads: dict[str, int] = {}
    waiting = [(selection, 0)]
    while waiting:
        selection, depth = waiting.pop()
        for node in selection.selections:
            if isinstance(node, FragmentSpreadNode):
                spreads[node.name.value] = max(spreads.get(node.name.value, 0), depth)
                continue
            below = depth + isinstance(node, FieldNode)
            deepest = max(deepest, below)
            inner = getattr(node, "selection_set", None)
            if inner:
                waiting.append((inner, below))
    return _Outline(deepest, spreads)
