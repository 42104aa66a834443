"""Random documents that are valid for a schema."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

from tests.gateway.operations.fuzz.literals import has_default, literal, nullable

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

# What a generated function may call its own, and what Python keeps for itself.
ALIASES = ("x", "class", "None", "def", "self", "o", "v0", "data", "return", "_", "__x", "true", "null")
INTROSPECTION = (
    "__schema { queryType { name } }",
    "types: __schema { types { name kind } }",
    '__type(name: "Query") { name kind fields { name args { name defaultValue } } }',
    'nothing: __type(name: "Nothing") { name }',
)


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    type_: GraphQLInputType
    default: str | None  # as GraphQL

    def __str__(self) -> str:
        return f"${self.name}: {self.type_}{f' = {self.default}' if self.default else ''}"


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    name: str | None
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    name: str
    on: Composite
    text: str
    uses: frozenset[str]


def document(schema: GraphQLSchema, chance: Random) -> Document:
    """One operation to run, sometimes beside others."""
    return Writer(schema, chance).document()


@dataclass(slots=True)
class Writer:
    schema: GraphQLSchema
    chance: Random
    fragments: list[Fragment] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    # What each response key stands for anywhere in the document, so that any two selections can merge.
    keys: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    uses: set[str] = field(
        default_factory=set
    )  # variables of the operation or fragment that is being written
    left: int = 0  # fields that may still be asked for

    def document(self) -> Document:
        wanted, uses = self.operation("Wanted")
        others = [self.operation(name)[0] for name in ("A", "Z")[: self.chance.choice((0, 0, 0, 0, 1, 2))]]
        name: str | None = "Wanted"
        if not others and self.chance.randrange(3) == 0:
            wanted, name = wanted.replace(" Wanted", " ", 1), None
        parts = [*others[:1], wanted, *others[1:], *(one.text for one in self.fragments)]
        return Document("\n".join(parts), name, tuple(self.variables[one] for one in sorted(uses)))

    def operation(self, name: str) -> tuple[str, set[str]]:
        self.uses, self.left = set(), self.chance.choice((3, 8, 40))
        root, kind = self.schema.query_type, "query"
        if self.schema.mutation_type and self.chance.randrange(4) == 0:
            root, kind = self.schema.mutation_type, "mutation"
        assert root
        body = self.selection(root, self.chance.randrange(1, 5))
        defined = ", ".join(str(self.variables[one]) for one in sorted(self.uses))
        return f"{kind} {name}{f'({defined})' if defined else ''} {body}", self.uses

    # --- selections

    def selection(self, on: Composite, depth: int) -> str:
        parts = list(self.parts(on, depth))
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def parts(self, on: Composite, depth: int) -> Iterator[str]:
        kinds = ABSTRACT if isinstance(on, GraphQLUnionType | GraphQLInterfaceType) else CONCRETE
        if on is self.schema.query_type and self.chance.randrange(12) == 11:
            yield self.chance.choice(INTROSPECTION)
        for _ in range(1 + self.chance.randrange(5)):
            if part := self.chance.choice(kinds)(self, on, depth):
                yield part

    def field(self, on: Composite, depth: int) -> str | None:
        fields: dict[str, GraphQLField] = {} if isinstance(on, GraphQLUnionType) else on.fields
        open_to_us = [
            n for n, one in fields.items() if depth > 0 or not is_composite_type(get_named_type(one.type))
        ]
        if not open_to_us or self.left <= 0:
            return None
        self.left -= 1
        name = self.chance.choice(open_to_us)
        one = fields[name]
        called = f"{name}{self.called(f'{on.name}.{name}', one)}"
        below = get_named_type(one.type)
        inner = self.selection(below, depth - 1) if is_composite_type(below) else ""
        return f"{self.key(name, called, one)}{called}{self.directives()} {inner}"

    def key(self, name: str, called: str, one: GraphQLField) -> str:
        """An alias with its colon, or nothing."""
        means = f"{called}: {one.type}"
        draw = self.chance.randrange(8)
        alias = name if draw < 5 else self.chance.choice(ALIASES) if draw < 7 else self.unique()
        if self.keys.setdefault(alias, means) != means:
            alias = self.unique()
        return "" if alias == name else f"{alias}: "

    def unique(self) -> str:
        alias = f"k{len(self.keys)}"
        self.keys[alias] = alias
        return alias

    def typename(self, on: Composite, depth: int) -> str:
        return f"tn: __typename{self.directives()}" if self.chance.randrange(3) == 0 else "__typename"

    def inline(self, on: Composite, depth: int) -> str | None:
        if depth <= 0:
            return None
        if self.chance.randrange(4) == 0:
            return f"...{self.directives()} {self.selection(on, depth - 1)}"
        to = self.chance.choice(self.overlapping(on))
        return f"... on {to.name}{self.directives()} {self.selection(to, depth - 1)}"

    def spread(self, on: Composite, depth: int) -> str | None:
        possible = self.overlapping(on)
        known = [one for one in self.fragments if one.on in possible]
        if known and self.chance.randrange(2):
            one = self.chance.choice(known)
        elif depth > 0:
            one = self.fragment(self.chance.choice(possible), depth - 1)
        else:
            return None
        self.uses |= one.uses
        return f"...{one.name}{self.directives()}"

    def fragment(self, on: Composite, depth: int) -> Fragment:
        outer, self.uses = self.uses, set()
        body = self.selection(on, depth)
        name = f"F{len(self.fragments)}"
        one = Fragment(name, on, f"fragment {name} on {on.name} {body}", frozenset(self.uses))
        self.fragments.append(one)
        self.uses = outer
        return one

    def overlapping(self, on: Composite) -> list[Composite]:
        own = self.possible(on)
        every = (one for one in self.schema.type_map.values() if not one.name.startswith("__"))
        return [one for one in every
                if isinstance(one, Composite) and not own.isdisjoint(self.possible(one))]  # fmt: skip

    def possible(self, on: Composite) -> set[str]:
        concrete = [on] if isinstance(on, GraphQLObjectType) else self.schema.get_possible_types(on)
        return {one.name for one in concrete}

    def directives(self) -> str:
        return self.chance.choice(DIRECTIVES)(self)

    def flag(self) -> str:
        if self.chance.randrange(3) < 2:
            return self.chance.choice(("true", "false"))
        return self.variable(GraphQLNonNull(GraphQLBoolean), False)

    # --- arguments

    def called(self, where: str, one: GraphQLField) -> str:
        if not one.args:
            return ""
        if where not in self.arguments or self.chance.randrange(3) == 0:
            outer, self.uses = self.uses, set()
            text = ", ".join(self.given(one))
            self.arguments[where] = (f"({text})" if text else "", frozenset(self.uses))
            self.uses = outer
        text, uses = self.arguments[where]
        self.uses |= uses
        return text

    def given(self, one: GraphQLField) -> Iterator[str]:
        for name, argument in one.args.items():
            if is_required_argument(argument) or self.chance.randrange(2):
                yield f"{name}: {self.argument(argument)}"

    def argument(self, argument: GraphQLArgument) -> str:
        return self.maybe(argument.type, has_default(argument)) or literal(
            self.chance, argument.type, self.maybe
        )

    def maybe(self, type_: GraphQLInputType, defaulted: bool) -> str | None:
        return self.variable(type_, defaulted) if self.chance.randrange(5) < 2 else None

    def variable(self, type_: GraphQLInputType, defaulted: bool) -> str:
        """A variable that may stand in a place of the type, now and then one that is there already."""
        fitting = [one for one in self.variables.values() if str(one.type_) == str(type_)]
        if fitting and self.chance.randrange(3):
            one = self.chance.choice(fitting)
        else:
            one = self.new_variable(f"v{len(self.variables)}", type_, defaulted)
            self.variables[one.name] = one
        self.uses.add(one.name)
        return f"${one.name}"

    def new_variable(self, name: str, type_: GraphQLInputType, defaulted: bool) -> Variable:
        inner: Any = nullable(type_)
        default = literal(self.chance, GraphQLNonNull(inner)) if self.chance.randrange(3) == 0 else None
        if not isinstance(type_, GraphQLNonNull):  # a stricter variable fits too
            strict = self.chance.randrange(4) == 0
            return Variable(name, GraphQLNonNull(inner) if strict else inner, default)
        lenient = default or (defaulted and self.chance.randrange(2))
        return Variable(name, inner if lenient else type_, default)


Part = Callable[[Writer, Composite, int], str | None]
CONCRETE: tuple[Part, ...] = (*[Writer.field] * 9, Writer.typename, Writer.inline, Writer.spread)
ABSTRACT: tuple[Part, ...] = (
    *[Writer.field] * 3,
    Writer.typename,
    *[Writer.inline] * 3,
    *[Writer.spread] * 2,
)
DIRECTIVES: tuple[Callable[[Writer], str], ...] = (
    *[lambda _: ""] * 12,
    lambda writer: f" @skip(if: {writer.flag()})",
    lambda writer: f" @include(if: {writer.flag()})",
    lambda writer: f" @include(if: {writer.flag()}) @skip(if: {writer.flag()})",
)
