"""An operation, compiled: which resolvers to call, with what, and what to make of what they give."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, cast

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)
from strawberry.types.field import StrawberryField

from gateway.operations.arguments import Bind, Values, binder, variables
from gateway.operations.bail import BAIL, NotCompilable
from gateway.operations.inputs import Inputs
from gateway.operations.lasting import Kept
from gateway.operations.leaves import PLAIN
from gateway.operations.scope import Fields, Scope
from gateway.operations.selections import (
    CONDITIONS,
    Selections,
    bail,
    field_definition,
    require_known_directives,
    returned,
)
from gateway.operations.source import Source

Included: TypeAlias = tuple[Any, ...]  # the values of the variables that `@skip` and `@include` name

MOST_CONDITIONS = 6  # such variables in one operation: each doubles the functions that may be needed
KEPT = 16  # plans of one operation


@dataclass(frozen=True, slots=True)
class RootField:
    key: str
    name: str
    field: GraphQLField
    definition: StrawberryField
    nodes: list[FieldNode]
    bind: Bind | None
    resolver: Callable[..., Any]
    takes_source: bool
    info_name: str | None

    def kwargs(self, values: Values) -> dict[str, Any]:
        return self.bind(values) if self.bind is not None else {}


@dataclass(frozen=True, slots=True)
class Plan:
    """`shape(arguments of nested fields, *root values)` gives the data; `text` is its Python."""

    roots: tuple[RootField, ...]
    nested: tuple[Bind, ...]
    shape: Callable[..., dict[str, Any]]
    text: str
    memo: dict[Any, Any] = field(default_factory=dict)  # for resolvers: what follows from the selection alone


class Compiled:
    """The plans of one operation: one for each set of values of what its conditions name."""

    def __init__(
        self,
        schema: strawberry.Schema,
        inputs: Inputs,
        kept: Kept,
        document: DocumentNode,
        operation: OperationDefinitionNode,
    ) -> None:
        """Raises NotCompilable."""
        self._schema = schema
        self._inputs = inputs
        self._kept = kept
        self.operation = operation
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.conditions = conditions(operation, self.fragments)
        self.bind = variables(schema._schema, operation, inputs)
        self._plans: OrderedDict[Included, Plan] = OrderedDict()
        if schema.exception_handlers:
            raise NotCompilable("the schema handles exceptions of its own")

    @cached_property
    def root_type(self) -> GraphQLObjectType:
        found = self._schema._schema.get_root_type(self.operation.operation)
        if found is None:
            raise NotCompilable("the schema has no such operations")
        return found

    def included(self, values: Values) -> Included:
        """Which plan these variables need. Raises KeyError or Bail for a condition without a value."""
        included = tuple([values[name] for name in self.conditions])
        if None in included:
            raise BAIL
        return included

    def known(self, included: Included) -> Plan | None:
        return self._plans.get(included)

    def plan(self, included: Included) -> Plan:
        """Compiled at first need, some milliseconds. Raises NotCompilable."""
        plan = self._plans.get(included)
        if plan is None:
            plan = self._compile(dict(zip(self.conditions, included, strict=True)))
            self._plans[included] = plan
            if len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        return plan

    def _compile(self, included: Mapping[str, Any]) -> Plan:
        scope = Scope(self._schema._schema, self.operation, self.fragments, included)
        source = Source(PLAIN=PLAIN, bail=bail, lasting=self._kept.shaped)
        selections = Selections(scope, self._inputs, source)
        roots: list[RootField] = []
        parts = []
        try:
            fields = scope.root(self.root_type)
        except GraphQLError as error:
            raise NotCompilable(str(error)) from error
        for key, below in fields.items():
            parts.append(f"{key!r}: {self._part(key, below, roots, selections)}")
        if self.operation.operation is OperationType.MUTATION and len(roots) > 1:
            raise NotCompilable("several mutations, which must come one after the other")
        names = "".join(f", r{place}" for place in range(len(roots)))
        source.write(f"def shape(a{names}):", *returned(parts))
        shape = source.load("shape")
        return Plan(tuple(roots), tuple(selections.nested), shape, source.text)

    def _part(self, key: str, below: Fields, roots: list[RootField], selections: Selections) -> str:
        require_known_directives(below)
        name = below[0].node.name.value
        if name == "__typename":
            return repr(self.root_type.name)
        if name not in self.root_type.fields:
            raise NotCompilable("introspection")
        field = self.root_type.fields[name]
        read = f"r{len(roots)}"
        roots.append(self._root(key, field, below))
        return selections.value(field.type, below, read, read)

    def _root(self, key: str, field: GraphQLField, below: Fields) -> RootField:
        definition = field_definition(field)
        resolver = definition.base_resolver
        if resolver is None or resolver.parent_parameter or resolver.root_parameter:
            raise NotCompilable(f"the resolver of {definition.name}")
        info = resolver.info_parameter
        return RootField(
            key=key,
            name=below[0].node.name.value,
            field=field,
            definition=definition,
            nodes=[details.node for details in below],
            bind=binder(field, below[0].node, self._inputs),
            resolver=cast(Callable[..., Any], resolver.wrapped_func),
            takes_source=resolver.self_parameter is not None,
            info_name=info.name if info else None,
        )


def introspects(operation: OperationDefinitionNode) -> bool:
    """Whether nothing but the schema is asked for."""
    names = [
        node.name.value if isinstance(node, FieldNode) else "" for node in operation.selection_set.selections
    ]
    return all(name.startswith("__") for name in names)


def conditions(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """The variables that `@skip` and `@include` name. Raises NotCompilable for too many."""
    found = _Conditions()
    visit(operation, found)
    for fragment in fragments.values():
        visit(fragment, found)
    defined = {node.variable.name.value for node in operation.variable_definitions or ()}
    names = tuple(sorted(found.names & defined))  # fragments may serve other operations too
    if len(names) > MOST_CONDITIONS:
        raise NotCompilable(f"more than {MOST_CONDITIONS} variables decide what is included")
    return names


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: Any, *_: Any) -> None:
        if node.name.value in CONDITIONS:
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    self.names.add(argument.value.name.value)
