"""How many values a request's variables hold, where they are coerced one by one; what is JSON passes as it is."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
)

from gateway.operations.refusals import beyond


def excess(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any], limit: int
) -> GraphQLError | None:
    """Coercing takes some microseconds a value, and a thousand for a field that is unknown, which gets advice."""
    waiting = list(_declared(schema, operation, variables))
    found = len(waiting)
    deeper: dict[str, Mapping[str, GraphQLInputType]] = {}
    while waiting and found <= limit:
        type_, value = waiting.pop()
        if is_list_type(type_) and isinstance(value, list):
            found += len(value)
            inner = _nullable(type_.of_type)
            if found <= limit and not is_leaf_type(inner):
                waiting += [(inner, item) for item in value]
        elif is_input_object_type(type_) and isinstance(value, Mapping):
            if len(value) > len(type_.fields):
                return _unknown(type_.name, islice((name for name in value if name not in type_.fields), 5))
            found += len(value)
            if type_.name not in deeper:
                deeper[type_.name] = _deeper(type_)
            waiting += [(inner, value[name]) for name, inner in deeper[type_.name].items() if name in value]
    if found <= limit:
        return None
    message = f"the variables hold more than {limit:,} values: send them in several requests"
    return beyond("TOO_LARGE", message, limit, found, counted=False)


def _deeper(type_: GraphQLInputObjectType) -> Mapping[str, GraphQLInputType]:
    """The fields that hold more than one value."""
    found = {name: _nullable(field.type) for name, field in type_.fields.items()}
    return {name: inner for name, inner in found.items() if not is_leaf_type(inner)}


def _nullable(type_: GraphQLInputType) -> GraphQLInputType:
    return type_.of_type if is_non_null_type(type_) else type_


def _declared(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Iterator[tuple[GraphQLInputType, Any]]:
    for definition in operation.variable_definitions or ():
        type_: Any = type_from_ast(schema, definition.type)
        if type_ is not None and definition.variable.name.value in variables:
            yield _nullable(type_), variables[definition.variable.name.value]


def _unknown(type_: str, names: Iterable[str]) -> GraphQLError:
    some = ", ".join(name[:40] for name in names)
    return GraphQLError(
        f"{type_} has no such fields: {some}", extensions={"code": "GRAPHQL_VALIDATION_FAILED"}
    )
