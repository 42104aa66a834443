"""Scalars and enums on the way out: which values can be sent as they are."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import is_awaitable
from strawberry.scalars import JSON
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY

from gateway.operations.bail import BAIL

Leaf = GraphQLScalarType | GraphQLEnumType
Complete = Callable[[Any], Any]

PLAIN = frozenset({dict, list, str, int, float, bool, orjson.Fragment})  # what JSON is made of
# What compiled code asks of a value: `first` reads it into a name, `again` is that name. Whatever does not
# pass is completed by the type itself. (A number that is not finite minus itself is not zero.)
TESTS: Mapping[GraphQLScalarType, str] = {
    GraphQLString: "type({first}) is str",
    GraphQLID: "type({first}) is str",
    GraphQLBoolean: "type({first}) is bool",
    GraphQLInt: "type({first}) is int and -2147483648 <= {again} <= 2147483647",
    GraphQLFloat: "type({first}) is float and {again} - {again} == 0.0",
}
PLAIN_TEST = "type({first}) in PLAIN"
_AS_IT_IS = DEFAULT_SCALAR_REGISTRY[JSON].serialize


def test_of(leaf: Leaf) -> str | None:
    """None where every value has to be completed."""
    if isinstance(leaf, GraphQLEnumType):
        return None
    definition = leaf.extensions.get("strawberry-definition")
    if definition is not None and definition.serialize is _AS_IT_IS:
        return PLAIN_TEST
    return TESTS.get(leaf)


def completion(leaf: Leaf, nullable: bool) -> Complete:
    """What the type makes of a value, as far as nothing is unusual about it; raises whatever is."""
    coerce = leaf.coerce_output_value

    def complete(value: Any) -> Any:
        if value is None and nullable:
            return None
        if value is None or value is Undefined or isinstance(value, Exception) or is_awaitable(value):
            raise BAIL
        completed = coerce(value)
        if completed is None or completed is Undefined:
            raise BAIL
        return completed

    return complete


def enum_completion(leaf: GraphQLEnumType, nullable: bool) -> Complete:
    """By a table of the members, for those whose members can be looked up."""
    otherwise = completion(leaf, nullable)
    wrapped = getattr(leaf, "wrapped_cls", None)
    if wrapped is None:
        return otherwise
    names = {member: leaf.coerce_output_value(member) for member in wrapped}

    def complete(value: Any) -> Any:
        return names[value] if type(value) is wrapped else otherwise(value)

    return complete
