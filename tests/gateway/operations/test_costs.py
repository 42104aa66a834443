"""Laws of the cost, on made-up schemas and documents: it is an upper bound, and fragments change nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    get_operation_ast,
    is_list_type,
    is_non_null_type,
    parse,
    print_ast,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.operations.bounds import Bounds
from gateway.operations.limits import Limits

OBJECTS = ("A", "B", "C")
COMPOSITE = (*OBJECTS, "Node", "Any")
ASSUMED = 2
FREE = Limits(depth=50, cost=10**15)

# Every type has these; `{0}`, `{1}` ... are types by chance.
FIELDS = """
    leaf: Int
    leaves: [Int!]
    matrix: [[Int]]
    one: {0}
    many: [{1}!]!
    nested: [[{2}]]
    sliced(first: Int = 3): [{3}]
    found(first: Int): Found
"""
CONNECTION = "type Found {{ edges: [{0}!] total: Int }}"


@dataclass(frozen=True)
class Case:
    schema: GraphQLSchema
    sizes: Mapping[str, int]
    document: DocumentNode
    variables: Mapping[str, Any]

    @property
    def operation(self) -> OperationDefinitionNode:
        found = get_operation_ast(self.document)
        assert found
        return found

    def cost(self) -> int:
        bounds = Bounds(self.schema, FREE, self.sizes, ASSUMED)
        return bounds.cost(self.document, self.operation).of(self.variables)


class Maker:
    """A schema and a document over it, from one source of chance."""

    def __init__(self, random: Random) -> None:
        self._random = random
        fields = {name: self._fields() for name in OBJECTS}
        shared = FIELDS.format(*["Node"] * 4)  # what implements an interface may be narrower, here it is not
        self.sdl = "\n".join(
            [
                "type Query {" + FIELDS.format(*self._types()) + "}",
                f"interface Node {{{shared}}}",
                *(f"type {name} implements Node {{{fields[name]}}}" for name in OBJECTS),
                "union Any = " + " | ".join(OBJECTS),
                CONNECTION.format(random.choice(COMPOSITE)),
            ]
        )

    def _types(self) -> list[str]:
        return [self._random.choice(COMPOSITE) for _ in range(4)]

    def _fields(self) -> str:
        return FIELDS.format(*[self._random.choice(("Node", *OBJECTS)) for _ in range(4)])

    def sizes(self) -> dict[str, int]:
        names = ("leaves", "many", "nested", "matrix")
        places = [f"{owner}.{name}" for owner in ("Query", "Node", *OBJECTS) for name in names]
        return {place: self._random.randint(0, 3) for place in places if self._random.random() < 0.5}

    def document(self, schema: GraphQLSchema) -> str:
        first = f"fragment F on {self._random.choice(OBJECTS)} {self._selection(schema, 'A', 1, ())}"
        second = f"fragment G on Node {self._selection(schema, 'Node', 2, ())}"
        root = self._selection(schema, "Query", 4, ("F", "G"))
        return f"query($n: Int, $m: Int = 2) {root} {first} {second}"

    def _selection(self, schema: GraphQLSchema, owner: str, depth: int, spreads: Sequence[str]) -> str:
        parts = [self._part(schema, owner, depth, spreads) for _ in range(self._random.randint(1, 5))]
        return "{ " + " ".join(parts) + " }"

    def _part(self, schema: GraphQLSchema, owner: str, depth: int, spreads: Sequence[str]) -> str:
        chance = self._random.random()
        if owner not in {"Query", "Found"} and chance < 0.15 and spreads:
            return f"...{self._random.choice(spreads)}"
        if owner not in {"Query", "Found"} and (chance < 0.35 or owner == "Any"):
            inner = self._random.choice(("Node", "Any", *OBJECTS))
            within = self._selection(schema, inner, depth - 1, spreads) if depth else "{ __typename }"
            return f"... on {inner} {within}"
        type_: Any = schema.get_type(owner)
        name = self._random.choice(["__typename", *type_.fields])
        return (
            "__typename"
            if name == "__typename"
            else self._field(schema, type_.fields[name], name, depth, spreads)
        )

    def _field(self, schema: GraphQLSchema, field: Any, name: str, depth: int, spreads: Sequence[str]) -> str:
        inner = get_named_type(field.type).name
        argument = self._random.choice(["", "(first: 1)", "(first: $n)", "(first: $m)"]) if field.args else ""
        alias = "".join(letter for letter in argument if letter.isalnum())
        shown = f"{name}{alias}: {name}{argument}" if alias else name
        if inner == "Int":
            return shown
        if not depth:
            return "__typename"
        return f"{shown} {self._selection(schema, inner, depth - 1, spreads)}"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    random = Random(draw(st.integers(0, 2**32)))
    while True:
        maker = Maker(random)
        schema = build_schema(maker.sdl)
        document = parse(maker.document(schema))
        errors = [error for error in validate(schema, document) if "never" not in error.message]
        if not errors:
            return Case(schema, maker.sizes(), document, {"n": random.randint(0, 3)})


class Server:
    """Answers with lists as long as they may be, or shorter, of types by chance."""

    def __init__(self, case: Case, random: Random, full: bool) -> None:
        self._case = case
        self._random = random
        self._full = full

    def resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        size = arguments.get("first") if "first" in arguments else None
        if info.field_name == "edges":
            size = source.get("size")
        if size is None:
            size = self._assumed(info)
        return self._value(info.schema, info.return_type, size, arguments.get("first"))

    def _assumed(self, info: GraphQLResolveInfo[Any]) -> int:
        for owner in (info.parent_type.name, "Node"):
            size = self._case.sizes.get(f"{owner}.{info.field_name}")
            if size is not None and (owner != "Node" or info.parent_type.name in OBJECTS):
                return size
        return ASSUMED

    def _value(self, schema: GraphQLSchema, type_: Any, size: int, first: int | None) -> Any:
        if is_non_null_type(type_):
            return self._value(schema, type_.of_type, size, first)
        if is_list_type(type_):
            length = size if self._full else self._random.randint(0, size)
            return [self._value(schema, type_.of_type, size, first) for _ in range(length)]
        if type_.name == "Int":
            return 1
        name = self._random.choice(OBJECTS) if type_.name in {"Node", "Any"} else type_.name
        return {"__typename": name, "size": first}


def leaves(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(leaves(below) for below in value.values())
    if isinstance(value, list):
        return sum(leaves(below) for below in value)
    return 1


@given(cases(), st.integers(0, 2**32), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_cost_is_never_less_than_what_comes_back(case: Case, seed: int, full: bool) -> None:
    answer = execute_sync(
        case.schema,
        case.document,
        root_value={},
        variable_values=dict(case.variables),
        field_resolver=Server(case, Random(seed), full).resolve,
    )
    assert answer.errors is None
    assert leaves(answer.data) <= case.cost()


class Writer:
    """A document with its fragments written out and merged, once for each possible type."""

    def __init__(self, case: Case) -> None:
        self._schema = case.schema
        self._fragments = {
            node.name.value: node
            for node in case.document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def written(self, operation: OperationDefinitionNode) -> str:
        return f"query($n: Int, $m: Int = 2) {self._text('Query', [operation.selection_set])}"

    def _possible(self, name: str) -> set[str]:
        type_: Any = self._schema.get_type(name)
        return set(OBJECTS) if name in {"Node", "Any"} else {type_.name}

    def _text(self, owner: str, selections: Sequence[SelectionSetNode]) -> str:
        possible = self._possible(owner)
        if possible == {owner}:
            return "{ " + self._fields(owner, selections) + " }"
        parts = [f"... on {name} {{ {self._fields(name, selections)} }}" for name in sorted(possible)]
        return "{ " + " ".join(parts) + " }"

    def _fields(self, owner: str, selections: Sequence[SelectionSetNode]) -> str:
        groups: dict[str, list[FieldNode]] = {}
        for selection in selections:
            self._collect(owner, selection, groups)
        type_: Any = self._schema.get_type(owner)
        return " ".join(self._one(type_, nodes) for nodes in groups.values()) or "__typename @skip(if: true)"

    def _one(self, type_: Any, nodes: Sequence[FieldNode]) -> str:
        node = nodes[0]
        inner = [found.selection_set for found in nodes if found.selection_set]
        alias = f"{node.alias.value}: " if node.alias else ""
        arguments = "".join(f"({print_ast(argument)})" for argument in node.arguments or ())
        below = self._text(get_named_type(type_.fields[node.name.value].type).name, inner) if inner else ""
        return f"{alias}{node.name.value}{arguments} {below}"

    def _collect(self, owner: str, selection: SelectionSetNode, groups: dict[str, list[FieldNode]]) -> None:
        for node in selection.selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                groups.setdefault(key, []).append(node)
                continue
            inner: Any = node
            if isinstance(node, FragmentSpreadNode):
                inner = self._fragments[node.name.value]
            assert isinstance(inner, InlineFragmentNode | FragmentDefinitionNode)
            condition = inner.type_condition.name.value if inner.type_condition else owner
            if owner in self._possible(condition):
                self._collect(owner, inner.selection_set, groups)


@given(cases())
@settings(max_examples=60, deadline=None)
def test_a_cost_is_no_more_than_with_the_fragments_written_out(case: Case) -> None:
    written = parse(Writer(case).written(case.operation))
    plain = Case(case.schema, case.sizes, written, case.variables)
    empty = "@skip" in print_ast(written)  # where nothing fits a type, something must stand
    assert case.cost() <= plain.cost()
    assert empty or case.cost() == plain.cost()
