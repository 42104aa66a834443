"""Values of an input type as GraphQL text."""

from collections.abc import Callable, Sequence
from random import Random

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    Undefined,
    is_required_input_field,
)

LITERALS: dict[str, Sequence[str]] = {
    "Int": ("0", "1", "-7", "2147483647"),
    "Float": ("0.5", "1", "-1.5e3", "1E-2", "0.0"),
    "String": ('"x"', '""', '"\\u00e9\\n\\"{}$"', '"""\n  a block\n    of lines\n"""', '"😀"'),
    "Boolean": ("true", "false"),
    "ID": ('"i"', "7", '""'),
    "JSON": ('{a: [1, null, {b: "c"}], d: RED}', "[]", '"x"', "1.5", "true"),
    "Shout": ('"Hey"',),
    "DateTime": ('"2026-01-02T03:04:05Z"', '"2026-01-02"'),
    "Date": ('"2026-01-02"',),
    "Time": ('"01:02:03"',),
    "Decimal": ('"1.50"', "2", "1.10"),
    "UUID": ('"00000000-0000-0000-0000-000000000007"',),
}

# A variable for a place of this type that may have a default of its own; None where a literal should stand.
Variable = Callable[[GraphQLInputType, bool], str | None]


def constant(type_: GraphQLInputType, has_default: bool) -> None:
    return None


def literal(chance: Random, type_: GraphQLInputType, variable: Variable = constant, depth: int = 0) -> str:
    if isinstance(type_, GraphQLNonNull):
        return present(chance, type_.of_type, variable, depth)
    return "null" if chance.randrange(8) == 7 else present(chance, type_, variable, depth)


def present(chance: Random, type_: GraphQLInputType, variable: Variable, depth: int) -> str:
    if isinstance(type_, GraphQLList):
        return listed(chance, type_, variable, depth)
    if isinstance(type_, GraphQLInputObjectType):
        return input_object(chance, type_, variable, depth)
    if isinstance(type_, GraphQLEnumType):
        return str(chance.choice(sorted(type_.values)))
    assert isinstance(type_, GraphQLScalarType)
    if type_.name == "JSON" and (name := variable(type_, False)):
        return chance.choice((f"[{name}, 1]", f"{{a: {name}, b: {{c: {name}}}}}"))
    return chance.choice(LITERALS[type_.name])


def listed(chance: Random, type_: GraphQLList[GraphQLInputType], variable: Variable, depth: int) -> str:
    def item() -> str:
        return variable(type_.of_type, False) or literal(chance, type_.of_type, variable, depth + 1)

    count = chance.randrange(4)
    if count == 3:  # a single value is a list of one, at any depth, but null is no list
        inner = nullable(type_.of_type)
        while isinstance(inner, GraphQLList):
            inner = nullable(inner.of_type)
        return present(chance, inner, constant, depth + 1)
    return f"[{', '.join(item() for _ in range(count))}]"


def input_object(chance: Random, type_: GraphQLInputObjectType, variable: Variable, depth: int) -> str:
    fields = list(type_.fields.items())
    if one_of(type_):
        name, field = chance.choice(fields)
        return f"{{{name}: {present(chance, nullable(field.type), constant, depth + 1)}}}"
    parts = []
    for name, one in fields:
        if is_required_input_field(one) or (depth < 3 and chance.randrange(2)):
            value = variable(one.type, has_default(one)) or literal(chance, one.type, variable, depth + 1)
            parts.append(f"{name}: {value}")
    chance.shuffle(parts)
    return f"{{{', '.join(parts)}}}"


def nullable(type_: GraphQLInputType) -> GraphQLInputType:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def one_of(type_: GraphQLInputObjectType) -> bool:
    return bool(type_.extensions["strawberry-definition"].is_one_of)


def has_default(one: GraphQLArgument | GraphQLInputField) -> bool:
    return one.default is not None or one.default_value is not Undefined
