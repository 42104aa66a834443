"""Values on the way in: from JSON, or from a literal of the document, to what a resolver takes.

What is compiled here is what graphql-core's coercion and strawberry's conversion do in two steps. It does not
say what is wrong with a value, only that something is: then the reference says it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.relay.types import GlobalID
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryContainer, StrawberryMaybe, StrawberryObjectDefinition
from strawberry.types.lazy_type import LazyType

from gateway.operations.bail import BAIL, NotCompilable

Coerce: TypeAlias = Callable[[Any], Any]
Make: TypeAlias = Callable[[], Any]

EXPECTED: Mapping[GraphQLScalarType, type] = {
    GraphQLString: str,
    GraphQLID: str,
    GraphQLInt: int,
    GraphQLFloat: float,
    GraphQLBoolean: bool,
}
INTEGERS = range(-(2**31), 2**31)
SHARED = (str, int, float, bool, type(None), Enum, date, datetime, time, Decimal, UUID)  # cannot be changed


class Inputs:
    """Compiles the input types of one schema; each is compiled once."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._config = schema.config
        self._scalars = schema.schema_converter.scalar_registry
        self._objects: dict[str, Coerce] = {}

    def coercer(self, type_: GraphQLInputType) -> Coerce:
        """From a value of a request's JSON. Raises NotCompilable."""
        if isinstance(type_, GraphQLNonNull):
            return self.present(type_.of_type)
        return _or_none(self.present(type_))

    def present(self, type_: Any) -> Coerce:
        """The same for a value that must not be null."""
        if isinstance(type_, GraphQLList):
            return _list(self.coercer(type_.of_type))
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_)
        return _leaf(type_)

    def default(self, given: GraphQLArgument | GraphQLInputField, type_: Any) -> Make | None:
        """The default of an argument or field, of strawberry's `type_`; None where there is none."""
        value = coerce_default_value(given)
        if value is Undefined:
            return None

        def convert() -> Any:
            return convert_argument(value, type_, self._scalars, self._config)

        return made(convert)

    def built(self, type_: GraphQLInputObjectType) -> "InputObject":
        """How an input object is made of its fields. Raises NotCompilable."""
        definition = type_.extensions.get("strawberry-definition")
        if definition is None or definition.is_one_of or definition.from_input is not None:
            raise NotCompilable(f"the input type {type_.name}")
        return InputObject(type_, definition, self)

    def _object(self, type_: GraphQLInputObjectType) -> Coerce:
        """A type may hold itself, so it is known before its fields are compiled."""
        if type_.name not in self._objects:
            fields: dict[str, tuple[str, Coerce]] = {}
            built = self.built(type_)
            self._objects[type_.name] = _input_object(built, fields)
            for name, python_name in built.names.items():
                fields[name] = python_name, self.coercer(type_.fields[name].type)
        return self._objects[type_.name]


class InputObject:
    """A dataclass of strawberry's, and what stands in for fields that are not given."""

    def __init__(
        self, type_: GraphQLInputObjectType, definition: StrawberryObjectDefinition, inputs: Inputs
    ) -> None:
        fields = {name: field.extensions["strawberry-definition"] for name, field in type_.fields.items()}
        types = {name: field.resolve_type(type_definition=definition) for name, field in fields.items()}
        for found in types.values():
            require_plain(found)
        self.make: Callable[..., Any] = definition.origin
        self.names = {name: field.python_name for name, field in fields.items()}
        defaults = {name: inputs.default(field, types[name]) for name, field in type_.fields.items()}
        self.defaults = {name: make for name, make in defaults.items() if make is not None}
        self.required = [
            name
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull) and name not in self.defaults
        ]
        # As strawberry does: what may be null, and says nothing of a default, is None.
        self.blank = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }

    def complete(self, given: Mapping[str, Any], kwargs: dict[str, Any]) -> Any:
        """`kwargs` has the values of the fields that are `given`. Raises Bail when one is missing."""
        for name in self.required:
            if name not in given:
                raise BAIL
        for name, default in self.defaults.items():
            if name not in given:
                kwargs[self.names[name]] = default()
        return self.make(**{**self.blank, **kwargs})


def require_plain(type_: Any) -> None:
    """Raises NotCompilable for types that strawberry converts in ways of their own."""
    if isinstance(type_, LazyType):
        type_ = type_.resolve_type()
    if isinstance(type_, StrawberryMaybe) or type_ is GlobalID:
        raise NotCompilable(f"an input of the type {type_}")
    if isinstance(type_, StrawberryContainer):
        require_plain(type_.of_type)


def made(make: Make) -> Make:
    """Once, if nobody can change what was made; else each time."""
    value = make()
    return (lambda: value) if isinstance(value, SHARED) else make


def _or_none(coerce: Coerce) -> Coerce:
    return lambda value: None if value is None else coerce(value)


def _list(item: Coerce) -> Coerce:
    def coerce(value: Any) -> list[Any]:
        if type(value) is list:
            return [item(one) for one in value]
        if isinstance(value, str | int | float | bool | dict):
            return [item(value)]  # one item stands for a list of one
        raise BAIL

    return coerce


def _leaf(leaf: Any) -> Coerce:
    expected = EXPECTED.get(leaf)
    coerce_input_value = leaf.coerce_input_value

    def by_type(value: Any) -> Any:
        if value is None:
            raise BAIL
        coerced = coerce_input_value(value)
        if coerced is Undefined:
            raise BAIL
        return coerced

    if expected is None:
        return by_type
    if expected is int:
        return lambda value: value if type(value) is int and value in INTEGERS else by_type(value)
    if expected is float:
        return lambda value: value if type(value) is float and value - value == 0 else by_type(value)
    return lambda value: value if type(value) is expected else by_type(value)


def _input_object(built: InputObject, fields: Mapping[str, tuple[str, Coerce]]) -> Coerce:
    def coerce(value: Any) -> Any:
        if type(value) is not dict:
            raise BAIL
        kwargs = {}
        for name, given in value.items():
            python_name, of_field = fields[name]
            kwargs[python_name] = of_field(given)
        return built.complete(value, kwargs)

    return coerce
