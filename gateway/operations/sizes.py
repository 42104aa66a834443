"""How long a list may be: as long as an argument says, or as long as is assumed of that field."""

from collections.abc import Iterable, Mapping
from math import ceil, isnan
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    GraphQLType,
    IntValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    is_interface_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    value_from_ast_untyped,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from gateway.operations.amounts import CEILING, Amount, largest

SLICING = ("first", "last", "limit")  # arguments that say how much of a list is wanted
ASSUMED = 10


class Sizes:
    def __init__(self, schema: GraphQLSchema, sizes: Mapping[str, int], assumed: int = ASSUMED) -> None:
        """`sizes` by "Type.field", where the type may be an interface; `assumed` of all other lists."""
        self._known = {**_of_introspection(schema), **sizes}
        self._assumed = assumed
        self._schema = schema

    def of(self, owner: str, name: str) -> int:
        """What is assumed of a field."""
        found = self._known.get(f"{owner}.{name}")
        if found is not None:
            return found
        type_ = self._schema.get_type(owner)
        interfaces = type_.interfaces if is_object_type(type_) or is_interface_type(type_) else ()
        named = (self._known.get(f"{interface.name}.{name}") for interface in interfaces)
        return next((size for size in named if size is not None), self._assumed)


def levels(type_: GraphQLType) -> int:
    """Of lists in lists."""
    found = 0
    while is_list_type(type_) or is_non_null_type(type_):
        found += is_list_type(type_)
        type_ = type_.of_type
    return found


def sliced(
    field: GraphQLField, node: FieldNode, operation: OperationDefinitionNode | None, otherwise: int
) -> Amount | None:
    """What the slicing arguments of a field say, `otherwise` where they say null; None without such arguments."""
    arguments = {name: field.args[name] for name in SLICING if name in field.args}
    if not arguments:
        return None
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    said = [_said(given[name], operation, otherwise) for name in arguments if name in given]
    unsaid = (coerce_default_value(argument) for name, argument in arguments.items() if name not in given)
    said += [_whole(default, otherwise) for default in unsaid if isinstance(default, int)]
    return largest(said) if said else otherwise


def _said(value: ValueNode, operation: OperationDefinitionNode | None, otherwise: int) -> Amount:
    if isinstance(value, IntValueNode):
        return _whole(int(value.value), otherwise)
    if not isinstance(value, VariableNode):
        return otherwise
    name = value.name.value
    default = _default(operation, name)
    return lambda variables: _whole(variables.get(name, default), otherwise)


def _default(operation: OperationDefinitionNode | None, name: str) -> Any:
    for definition in (operation and operation.variable_definitions) or ():
        if definition.variable.name.value == name and definition.default_value:
            return value_from_ast_untyped(definition.default_value)
    return None


def _whole(value: object, otherwise: int) -> int:
    """JSON may write a whole number as 10.0. What is no number is refused elsewhere."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    if isinstance(value, float) and isnan(value):
        return otherwise
    return int(min(max(value, 0), CEILING))


def _of_introspection(schema: GraphQLSchema) -> dict[str, int]:
    """As long as the lists of this schema's introspection are, on average where there are many of them."""
    types = schema.type_map.values()
    fields = [field for type_ in types for field in getattr(type_, "fields", {}).values()]
    return {
        "__Schema.types": len(schema.type_map),
        "__Schema.directives": len(schema.directives),
        "__Type.fields": _mean(len(type_.fields) for type_ in types if hasattr(type_, "fields")),
        "__Type.inputFields": _mean(len(type_.fields) for type_ in types if hasattr(type_, "fields")),
        "__Field.args": _mean(len(getattr(field, "args", ())) for field in fields),
        "__Directive.args": _mean(len(directive.args) for directive in schema.directives),
        "__Type.enumValues": _mean(len(type_.values) for type_ in types if hasattr(type_, "values")),
        "__Type.possibleTypes": _mean(len(type_.types) for type_ in types if hasattr(type_, "types")),
    }


def _mean(lengths: Iterable[int]) -> int:
    found = list(lengths)
    return ceil(sum(found) / len(found)) if found else 1
