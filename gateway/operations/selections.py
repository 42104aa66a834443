"""Selections as Python: one function for each object type and what is selected of it.

A function takes an object (and `a`, the arguments of nested fields) and returns the dictionary that is sent.
It handles what nearly always is: values of the expected classes. Whatever else it meets, an exception ends it,
and the reference executor does the whole operation over again. `docs/compiled.md` shows one.
"""

from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_leaf_type,
)
from graphql.pyutils import is_awaitable
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE, get_strawberry_type_cast
from strawberry.types.field import StrawberryField

from gateway.operations.arguments import Bind, binder
from gateway.operations.bail import BAIL, NotCompilable
from gateway.operations.inputs import Inputs
from gateway.operations.leaves import Complete, completion, enum_completion, test_of
from gateway.operations.scope import Fields, Scope
from gateway.operations.source import Source

DEFINITION = "strawberry-definition"
CONDITIONS = frozenset({"skip", "include"})


class Selections:
    """Writes the functions of one operation. Everything here raises NotCompilable."""

    def __init__(self, scope: Scope, inputs: Inputs, source: Source) -> None:
        self._scope = scope
        self._inputs = inputs
        self._source = source
        self._functions: dict[tuple[str, tuple[int, ...]], str] = {}
        self._completions: dict[tuple[str, bool], Complete] = {}
        self.nested: list[Bind] = []  # makes the arguments of nested fields, `a` in the functions

    def value(self, type_: Any, fields: Fields, read: str, name: str) -> str:
        """An expression for what a value becomes: `read` evaluates to it, and `name` is it afterwards."""
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, fields, read, name)
        if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
            return self._leaf(type_, read, name, nullable=True)
        return f"None if {read} is None else {self._present(type_, fields, name, name)}"

    def _present(self, type_: Any, fields: Fields, read: str, name: str) -> str:
        """The same for a value that should be there; a function or test that meets None bails out."""
        if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
            return self._leaf(type_, read, name, nullable=False)
        if isinstance(type_, GraphQLList):
            return self._list(type_, fields, read, name)
        if isinstance(type_, GraphQLObjectType):
            return f"{self._object(type_, fields)}({read}, a)"
        return f"{self._abstract(type_, fields)}[type({read})]({name}, a)"

    def _leaf(self, leaf: Any, read: str, name: str, nullable: bool) -> str:
        otherwise = self._source.name(f"{leaf.name}_", self._completion(leaf, nullable))
        test = test_of(leaf)
        if test is None:
            return f"{otherwise}({read})"
        return f"{name} if {test.format(first=read, again=name)} else {otherwise}({name})"

    def _completion(self, leaf: Any, nullable: bool) -> Complete:
        key = leaf.name, nullable
        if key not in self._completions:
            make = enum_completion if isinstance(leaf, GraphQLEnumType) else completion
            self._completions[key] = make(leaf, nullable)
        return self._completions[key]

    def _list(self, type_: GraphQLList[Any], fields: Fields, read: str, name: str) -> str:
        """Of lists and tuples alone: what can be iterated but once could not be done over again."""
        item = f"{name}i"
        dependent = len(self.nested)
        value = self.value(type_.of_type, fields, item, item)
        otherwise = "bail()"
        if dependent == len(self.nested) and not is_leaf_type(get_named_type(type_)):
            complete = self._source.function("item_")
            self._source.write(f"def {complete}({item}, a=()):", f"    return {value}")
            otherwise = f"lasting({name}, {complete})"
        items = f"[{value} for {item} in {name}]"
        return f"({items} if type({read}) is list or type({name}) is tuple else {otherwise})"

    def _object(self, type_: GraphQLObjectType, fields: Fields) -> str:
        """The name of the function for this type and selection."""
        key = type_.name, tuple(id(field.node) for field in fields)
        if key not in self._functions:
            self._functions[key] = name = self._source.function(f"{type_.name}_")
            parts = self._parts(type_, fields)
            self._source.write(f"def {name}(o, a):", *self._guard(type_), *returned(parts))
        return self._functions[key]

    def _parts(self, type_: GraphQLObjectType, fields: Fields) -> list[str]:
        parts = []
        for key, below in self._scope.below(type_, fields).items():
            require_known_directives(below)
            name = below[0].node.name.value
            if name == "__typename":
                parts.append(f"{key!r}: {type_.name!r}")
            elif name in type_.fields:
                field = type_.fields[name]
                read = f"(v := {self._access(field, below)})"
                parts.append(f"{key!r}: {self.value(field.type, below, read, 'v')}")
        return parts

    def _guard(self, type_: GraphQLObjectType) -> list[str]:
        """Lines that look at the object before its fields are read."""
        definition = definition_of(type_)
        expected = self._source.name(f"{type_.name}Class_", definition.origin)
        check = self._source.name("check_", _check(type_, definition))
        cast = f" or hasattr(o, {TYPE_CAST_ATTRIBUTE!r})" if self._scope.is_possible(type_) else ""
        return [f"    if type(o) is not {expected}{cast}: {check}(o)"]

    def _abstract(self, type_: GraphQLInterfaceType | GraphQLUnionType, fields: Fields) -> str:
        """The name of a table: from the class of an object to the function for its type."""
        definition = type_.extensions.get(DEFINITION)
        if isinstance(type_, GraphQLInterfaceType) and getattr(definition, "resolve_type", None) is not None:
            raise NotCompilable(f"{type_.name} resolves its type in a way of its own")
        entries = [
            f"{self._source.name(f'{possible.name}Class_', class_)}: {self._object(possible, fields)}"
            for possible, class_ in unmistakable(self._scope.possible(type_)).items()
        ]
        table = self._source.function(f"{type_.name}_")
        self._source.write(f"{table} = {{{', '.join(entries)}}}")
        return table

    def _access(self, field: GraphQLField, fields: Fields) -> str:
        """An expression for what the field's resolver gives for the object `o`."""
        definition = field_definition(field)
        if definition.is_basic_field:
            name = definition.python_name
            if definition.default_resolver is getattr and name.isidentifier() and not iskeyword(name):
                return f"o.{name}"
            return f"{self._source.name('get_', definition.default_resolver)}(o, {name!r})"
        return self._call(field, definition, fields)

    def _call(self, field: GraphQLField, definition: StrawberryField, fields: Fields) -> str:
        resolver = definition.base_resolver
        if resolver is None or definition.is_async or resolver.info_parameter:
            raise NotCompilable(f"the resolver of {definition.name}")
        given = ["o"] if resolver.self_parameter else []
        sources = (resolver.parent_parameter, resolver.root_parameter)
        given += [f"{parameter.name}=o" for parameter in sources if parameter]
        bind = binder(field, fields[0].node, self._inputs)
        if bind is not None:
            given.append(f"**a[{len(self.nested)}]")
            self.nested.append(bind)
        return f"{self._source.name('call_', resolver.wrapped_func)}({', '.join(given)})"


def returned(parts: list[str]) -> list[str]:
    """Lines that return a dictionary of these."""
    return ["    return {", *(f"        {part}," for part in parts), "    }"]


def bail() -> None:
    raise BAIL


def require_known_directives(fields: Fields) -> None:
    """Directives of a schema's own change what a field gives."""
    for field in fields:
        for directive in field.node.directives or ():
            if directive.name.value not in CONDITIONS:
                raise NotCompilable(f"the directive @{directive.name.value}")


def definition_of(type_: GraphQLObjectType) -> StrawberryObjectDefinition:
    """What strawberry knows of a type that checks its objects as strawberry does."""
    definition = type_.extensions.get(DEFINITION)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of is not None:
        raise NotCompilable(f"{type_.name} knows its objects in a way of its own")
    return definition


def field_definition(field: GraphQLField) -> StrawberryField:
    definition = field.extensions.get(DEFINITION)
    if not isinstance(definition, StrawberryField) or definition.extensions:
        raise NotCompilable(f"{getattr(definition, 'name', 'a field')} has extensions")
    return definition


def unmistakable(types: list[GraphQLObjectType]) -> Mapping[GraphQLObjectType, type]:
    """The types whose objects cannot be taken for those of another of them, with their classes."""
    classes = {type_: definition_of(type_) for type_ in types}
    return {
        type_: definition.origin
        for type_, definition in classes.items()
        if definition.concrete_of is None
        and not any(
            other is not definition
            and (issubclass(definition.origin, other.origin) or issubclass(other.origin, definition.origin))
            for other in classes.values()
        )
    }


def _check(type_: GraphQLObjectType, definition: StrawberryObjectDefinition) -> Callable[[Any], None]:
    """Raises Bail for an object that is not plainly of this type."""

    def check(value: Any) -> None:
        if value is None or value is Undefined or isinstance(value, Exception) or is_awaitable(value):
            raise BAIL
        if get_strawberry_type_cast(value) is not None:
            raise BAIL
        if type_.is_type_of is not None and type_.is_type_of(value, None) is not True:  # type: ignore[arg-type]
            raise BAIL

    return check
