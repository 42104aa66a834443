"""The arguments of a field, compiled: from the values of an operation's variables to keyword arguments."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    type_from_ast,
)
from graphql.utilities import coerce_input_literal

from gateway.operations.bail import BAIL, NotCompilable
from gateway.operations.inputs import SHARED, Coerce, Inputs, Make, require_plain

Values: TypeAlias = Mapping[str, Any]  # of variables, as resolvers take them; what was not given is missing
Read: TypeAlias = Callable[[Values], Any]
Bind: TypeAlias = Callable[[Values], dict[str, Any]]

ABSENT = object()  # what a variable without a value gives


def variables(schema: GraphQLSchema, operation: OperationDefinitionNode, inputs: Inputs) -> Bind:
    """From the variables of a request, as JSON, to their values. Raises NotCompilable.

    What is returned raises anything at all for variables that cannot be right.
    """
    wanted = [_Variable(schema, node, inputs) for node in operation.variable_definitions or ()]

    def bind(given: Values) -> dict[str, Any]:
        values = {}
        for variable in wanted:
            name = variable.name
            if name in given:
                values[name] = variable.coerce(given[name])
            elif variable.default is not None:
                values[name] = variable.default(given)
            elif variable.required:
                raise BAIL
        return values

    return bind


class _Variable:
    def __init__(self, schema: GraphQLSchema, node: VariableDefinitionNode, inputs: Inputs) -> None:
        type_: Any = type_from_ast(schema, node.type)
        self.name = node.variable.name.value
        self.coerce: Coerce = inputs.coercer(type_)
        self.default = Literals(inputs).read(node.default_value, type_) if node.default_value else None
        self.required = isinstance(type_, GraphQLNonNull)


def binder(field: GraphQLField, node: FieldNode, inputs: Inputs) -> Bind | None:
    """The keyword arguments of one field; None where it takes none. Raises NotCompilable."""
    nodes = {argument.name.value: argument.value for argument in node.arguments or ()}
    reads: list[tuple[str, Read]] = []
    for name, argument in field.args.items():
        definition = argument.extensions["strawberry-definition"]
        require_plain(definition.type)
        read = _argument(argument, definition.type, nodes.get(name), inputs)
        if read is not None:
            reads.append((definition.python_name, read))
    return _binding(reads) if reads else None


def _binding(reads: list[tuple[str, Read]]) -> Bind:
    def bind(values: Values) -> dict[str, Any]:
        kwargs = {}
        for name, read in reads:
            value = read(values)
            if value is not ABSENT:
                kwargs[name] = value
        return kwargs

    return bind


def _argument(argument: GraphQLArgument, type_: Any, node: ValueNode | None, inputs: Inputs) -> Read | None:
    default = inputs.default(argument, type_)
    if node is None:
        return None if default is None else _without_values(default)
    read = Literals(inputs).read(node, argument.type)
    if not isinstance(node, VariableNode):
        return read
    if default is None and isinstance(argument.type, GraphQLNonNull):
        return read
    return _given_or(node.name.value, read, default)


def _given_or(name: str, read: Read, default: Make | None) -> Read:
    def given(values: Values) -> Any:
        if name in values:
            return read(values)
        return ABSENT if default is None else default()

    return given


class Literals:
    """Compiles values as they stand in a document, with the variables in them."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    def read(self, node: ValueNode, type_: Any) -> Read:
        """Raises NotCompilable."""
        if isinstance(node, VariableNode):
            return _variable(node.name.value, isinstance(type_, GraphQLNonNull))
        if isinstance(type_, GraphQLNonNull):
            return self.read(node, type_.of_type)
        if isinstance(node, NullValueNode):
            return lambda values: None
        if isinstance(type_, GraphQLList):
            return self._list(node, type_.of_type)
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(node, type_)
        return _leaf(node, type_)

    def _list(self, node: ValueNode, item: Any) -> Read:
        if not isinstance(node, ListValueNode):
            one = self.read(node, item)
            return lambda values: [one(values)]
        reads = [self._item(value, item) for value in node.values]
        return lambda values: [read(values) for read in reads]

    def _item(self, node: ValueNode, item: Any) -> Read:
        """In a list, a variable without a value counts as null."""
        read = self.read(node, item)
        if not isinstance(node, VariableNode) or isinstance(item, GraphQLNonNull):
            return read
        return lambda values: values.get(node.name.value)

    def _object(self, node: ValueNode, type_: GraphQLInputObjectType) -> Read:
        if not isinstance(node, ObjectValueNode):
            raise NotCompilable(f"a literal of {type_.name} that is no object")
        built = self._inputs.built(type_)
        fields = {field.name.value: field.value for field in node.fields}
        reads = [(name, self.read(value, type_.fields[name].type)) for name, value in fields.items()]
        # Without a value, a variable is as if the field were not there; the reference does not ask it first.
        optional = {
            name: value.name.value for name, value in fields.items() if isinstance(value, VariableNode)
        }

        def make(values: Values) -> Any:
            given = {
                name: read(values) for name, read in reads if name not in optional or optional[name] in values
            }
            return built.complete(given, {built.names[name]: value for name, value in given.items()})

        return make


def _variable(name: str, required: bool) -> Read:
    def read(values: Values) -> Any:
        value = values[name]
        if value is None and required:
            raise BAIL
        return value

    return read


def _leaf(node: ValueNode, type_: Any) -> Read:
    if isinstance(node, ListValueNode | ObjectValueNode) and _holds_variables(node):
        raise NotCompilable(f"a variable inside a literal of {type_.name}")
    value = coerce_input_literal(node, type_)
    if value is Undefined:
        raise NotCompilable(f"a literal that is no {type_.name}")
    if isinstance(value, SHARED):
        return lambda values: value
    return lambda values: coerce_input_literal(node, type_)


def _holds_variables(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_holds_variables, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_holds_variables(field.value) for field in node.fields)
    return isinstance(node, VariableNode)


def _without_values(make: Make) -> Read:
    return lambda values: make()
