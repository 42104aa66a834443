"""How many values can come back from an operation, and how many fields it has once fragments are written out.

A field counts 1, and what stands below a list as often as the list may be long. Fields are merged as an
executor merges them, so a fragment that is spread again in the same place adds nothing; where the type is not
known before (an interface, a union), the dearest of the possible types counts. `@skip` and `@include` are
taken as not there, so this is an upper bound.

What was counted below the same selections is kept: fragments that double at each level are counted once at
each. Where merging still multiplies the work, it ends at WORK.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from gateway.operations.amounts import CEILING, Amount, times, total
from gateway.operations.amounts import largest as largest_of
from gateway.operations.sizes import Sizes, levels, sliced

WORK = 12_000  # selections looked at

_Selections: TypeAlias = tuple[SelectionSetNode, ...]
_Groups: TypeAlias = dict[str, list[FieldNode]]


class Exhausted(Exception):
    """Counting took more than WORK."""


@dataclass(frozen=True, slots=True)
class Count:
    values: Amount
    introspected: Amount  # those below __schema and __type, which are not among `values`
    fields: int  # of all possible types
    roots: int  # distinct fields at the root


class Counting:
    """Of one document, which need not be valid: what a schema does not know counts as one value."""

    def __init__(
        self,
        schema: GraphQLSchema,
        sizes: Sizes,
        document: DocumentNode,
        operation: OperationDefinitionNode | None = None,
        impossible: bool = False,
    ) -> None:
        """`operation`: whose variables' defaults count; without one, values are not to be relied on.
        `impossible`: whether fragments of a type that cannot be here count, as validating looks at them too.
        """
        self._schema = schema
        self._sizes = sizes
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._operation = operation
        self._impossible = impossible
        self._below: dict[tuple[object, ...], tuple[Amount, int]] = {}
        self._possible: dict[str, frozenset[str]] = {}
        self._work = 0
        self.reached: set[str] = set()  # names of fragments
        self.comparisons = 0  # of fields that stand in the same place again, each with each

    def operation(self, operation: OperationDefinitionNode) -> Count:
        """Raises Exhausted."""
        root = self._schema.get_root_type(operation.operation)
        values: list[Amount] = []
        introspected: list[Amount] = []
        fields = roots = 0
        for type_, groups in self._alternatives(root, (operation.selection_set,)):
            roots += len(groups)
            for nodes in groups.values():
                amount, found = self._field(type_, nodes, None)
                own = nodes[0].name.value in {"__schema", "__type"}
                (introspected if own else values).append(amount)
                fields = min(fields + found, CEILING)
        return Count(total(values), total(introspected), fields, roots)

    def fragment(self, fragment: FragmentDefinitionNode) -> int:
        """How many fields. Raises Exhausted."""
        type_ = self._schema.get_type(fragment.type_condition.name.value)
        return self._selected(type_, (fragment.selection_set,), None)[1]

    def _selected(
        self, type_: GraphQLNamedType | None, selections: _Selections, slice_: Amount | None
    ) -> tuple[Amount, int]:
        """The values of one object, and the fields of all possible types."""
        key = (type_ and type_.name, slice_, *map(id, selections))
        known = self._below.get(key)
        if known is None:
            self._below[key] = known = self._counted(type_, selections, slice_)
        return known

    def _counted(
        self, type_: GraphQLNamedType | None, selections: _Selections, slice_: Amount | None
    ) -> tuple[Amount, int]:
        amounts: list[Amount] = []
        fields = 0
        for possible, groups in self._alternatives(type_, selections):
            counted = [self._field(possible, nodes, slice_) for nodes in groups.values()]
            amounts.append(total(amount for amount, _ in counted))
            fields = min(fields + sum(found for _, found in counted), CEILING)
        return largest_of(amounts), fields

    def _field(
        self, owner: GraphQLNamedType | None, nodes: Sequence[FieldNode], slice_: Amount | None
    ) -> tuple[Amount, int]:
        """Nodes that are merged; `slice_` is what the field above said of the length of this list."""
        self._spend(1)
        self.comparisons += len(nodes) * (len(nodes) - 1) // 2
        node = nodes[0]
        field = self._schema.get_field(owner, node.name.value) if is_composite_type(owner) else None
        depth = levels(field.type) if field else 0
        said = self._said(owner, field, node)
        below, fields = self._object(field, nodes, None if depth else said)
        if not owner or not depth:
            return total((1, below)), fields + 1
        assumed = self._sizes.of(owner.name, node.name.value)
        outer = said if said is not None else slice_ if slice_ is not None else assumed
        items = times(outer, assumed ** (depth - 1))
        leaf = not is_composite_type(get_named_type(field.type)) if field else True
        return total((1, times(items, 1 if leaf else below))), fields + 1

    def _said(
        self, owner: GraphQLNamedType | None, field: GraphQLField | None, node: FieldNode
    ) -> Amount | None:
        if field is None or owner is None or not field.args:
            return None
        return sliced(field, node, self._operation, self._sizes.of(owner.name, node.name.value))

    def _object(
        self, field: GraphQLField | None, nodes: Sequence[FieldNode], slice_: Amount | None
    ) -> tuple[Amount, int]:
        selections = tuple(node.selection_set for node in nodes if node.selection_set)
        if not selections:
            return 0, 0
        return self._selected(get_named_type(field.type) if field else None, selections, slice_)

    # --- which fields an object of each possible type has ---

    def _alternatives(
        self, type_: GraphQLNamedType | None, selections: _Selections
    ) -> Iterator[tuple[GraphQLNamedType | None, _Groups]]:
        every = self._names(type_)
        shared: _Groups = {}
        own: dict[str, _Groups] = {}
        for among, node in self._fields(selections, every):
            key = node.alias.value if node.alias else node.name.value
            if among != every:
                self._spend(len(among))
            for groups in (shared,) if among == every else (own.setdefault(name, {}) for name in among):
                groups.setdefault(key, []).append(node)
        self._spend(len(shared) * len(every))
        for name in {**dict.fromkeys(every), **own} or ("",):
            yield self._schema.get_type(name), _merged(shared, own.get(name, {}))

    def _fields(
        self, selections: _Selections, every: frozenset[str]
    ) -> Iterator[tuple[frozenset[str], FieldNode]]:
        """Each field with the types that it is selected of."""
        seen: set[tuple[str, frozenset[str]]] = set()
        waiting = [(selection, every) for selection in reversed(selections)]
        while waiting:
            selection, among = waiting.pop()
            self._spend(len(selection.selections))
            for node in selection.selections:
                if isinstance(node, FieldNode):
                    yield among, node
                    continue
                inner = self._fragment(node, among, seen)
                if inner:
                    waiting.append((inner.selection_set, self._narrowed(among, inner)))

    def _fragment(
        self, node: object, among: frozenset[str], seen: set[tuple[str, frozenset[str]]]
    ) -> InlineFragmentNode | FragmentDefinitionNode | None:
        """None where there is none, or none any more: a named one is written out once in one place."""
        if isinstance(node, InlineFragmentNode):
            return node
        if not isinstance(node, FragmentSpreadNode) or (node.name.value, among) in seen:
            return None
        seen.add((node.name.value, among))
        self.reached.add(node.name.value)
        return self._fragments.get(node.name.value)

    def _narrowed(
        self, among: frozenset[str], fragment: InlineFragmentNode | FragmentDefinitionNode
    ) -> frozenset[str]:
        if not among or fragment.type_condition is None:
            return among
        names = self._names(self._schema.get_type(fragment.type_condition.name.value))
        return among & names or (names if self._impossible else among & names)

    def _names(self, type_: GraphQLNamedType | None) -> frozenset[str]:
        """Of the object types that it can be; none is nothing known."""
        if type_ is None or not is_composite_type(type_):
            return frozenset()
        known = self._possible.get(type_.name)
        if known is None:
            possible = self._schema.get_possible_types(type_) if is_abstract_type(type_) else (type_,)
            self._possible[type_.name] = known = frozenset(found.name for found in possible)
        return known

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > WORK:
            raise Exhausted


def _merged(shared: Mapping[str, list[FieldNode]], own: _Groups) -> _Groups:
    if not own:
        return dict(shared)
    return {key: [*shared.get(key, ()), *own.get(key, ())] for key in {**shared, **own}}
