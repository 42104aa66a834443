"""A document beyond a limit is refused before it costs anything, and one within is not."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from graphql import (
    GraphQLError,
    build_schema,
    get_introspection_query,
    get_operation_ast,
    parse,
    validate,
)

from gateway.operations.amounts import CEILING
from gateway.operations.bounds import Bounds, Cost
from gateway.operations.costs import WORK
from gateway.operations.limits import Limits

SCHEMA = build_schema("""
    type Query {
      page(slug: String, also: [[Int]], more: More, n: Int): Page
      items(first: Int = 7, last: Int): [Item!]!
      found(first: Int = 20): Found!
      limited(limit: Int): [String]
      grid: [[Item]]
      any: [Any!]!
      node: Node
    }
    type Mutation { mark(n: Int): Item }
    type Subscription { page: Page }
    input More { a: Int b: String more: More list: [More] }
    type Page { title: String slots: [Slot!]! page: Page }
    type Slot { name: String blocks: [Item!]! first: Item }
    type Found { edges: [Edge!]! total: Int words: [String] }
    type Edge { node: Item }
    interface Node { id: ID parts: [Item] }
    type Item implements Node { id: ID parts: [Item] name: String tags: [String!]! }
    type Other implements Node { id: ID parts: [Item] a: Int b: Int c: Int }
    union Any = Item | Other
""")
SIZES = {"Page.slots": 4, "Slot.blocks": 3, "Item.tags": 2, "Node.parts": 5}
SMALL = Limits(
    characters=1_000,
    tokens=120,
    longest=30,
    nesting=12,
    depth=6,
    operations=2,
    root_fields=3,
    aliases=4,
    fragments=3,
    spreads=5,
    directives=2,
    variables=3,
    arguments=6,
    repeats=3,
    comparisons=20,
    fields=40,
    cost=1_000,
    values=10,
)


def bounds(limits: Limits = SMALL) -> Bounds:
    return Bounds(SCHEMA, limits, SIZES)


def refused(text: str, limits: Limits = SMALL) -> GraphQLError | None:
    """By the text or the document, in the order that a server asks."""
    found = bounds(limits)
    return found.text(text) or next(iter(found.document(parse(text))), None)


def cost(text: str, limits: Limits = SMALL) -> Cost:
    document = parse(text)
    assert validate(SCHEMA, document) == []
    operation = get_operation_ast(document)
    assert operation
    return bounds(limits).cost(document, operation)


def repeated(part: str, count: int) -> str:
    return " ".join(part.format(n=n) for n in range(count))


# A document at the limit, by the number that it is made of; one more is beyond it.
AT: dict[str, tuple[str, str, Any]] = {
    "characters": ("TOO_LARGE", "characters", "{page{title}}".ljust),
    "tokens": ("TOO_LARGE", "tokens", lambda n: "{page{title}}" + "#\n" * (n - 6)),
    "a string": ("TOO_LARGE", "longest", lambda n: f'{{page(slug:"{"x" * (n - 2)}"){{title}}}}'),
    "a block string": ("TOO_LARGE", "longest", lambda n: f'{{page(slug:"""{"x" * (n - 6)}"""){{title}}}}'),
    "a comment": ("TOO_LARGE", "longest", lambda n: "{page{title}} " + "#" * n),
    "lists": ("TOO_DEEP", "nesting", lambda n: f"{{page(also:{'[' * (n - 2)}1{']' * (n - 2)}){{title}}}}"),
    "objects": (
        "TOO_DEEP",
        "nesting",
        lambda n: f"{{page(also:{'{a:' * 4}{'[' * (n - 6)}1{']' * (n - 6)}{'}' * 4}){{title}}}}",
    ),
    "types": ("TOO_DEEP", "nesting", lambda n: f"query($a:{'[' * (n - 1)}Int{']' * (n - 1)}){{page{{title}}}}"),
    "inline fragments": (
        "TOO_DEEP",
        "nesting",
        lambda n: "{" + "...{" * (n - 2) + "page{title}" + "}" * (n - 1),
    ),
    "depth": ("TOO_DEEP", "depth", lambda n: "{page{" + "page{" * (n - 2) + "title" + "}" * n),
    "depth of fragments": (
        "TOO_DEEP",
        "depth",
        lambda n: "{page{...A}} fragment A on Page{page{...B}}"
        f" fragment B on Page{{{'page{' * (n - 3)}title{'}' * (n - 3)}}}",
    ),
    "operations": ("TOO_LARGE", "operations", lambda n: repeated("query q{n}{{page{{title}}}}", n)),
    "root fields": ("TOO_COMPLEX", "root_fields", lambda n: f"{{{repeated('a{n}:page{{title}}', n)}}}"),
    "root fields in fragments": (
        "TOO_COMPLEX",
        "root_fields",
        lambda n: f"{{...R}} fragment R on Query{{{repeated('a{n}:page{{title}}', n)}}}",
    ),
    "aliases": ("TOO_COMPLEX", "aliases", lambda n: f"{{page{{{repeated('a{n}:title', n)}}}}}"),
    "fragments": (
        "TOO_LARGE",
        "fragments",
        lambda n: f"{{page{{{repeated('...F{n}', n)}}}}}" + repeated("fragment F{n} on Page{{title}}", n),
    ),
    "spreads": (
        "TOO_COMPLEX",
        "spreads",
        lambda n: f"{{page{{...F ...F page{{{'...F ' * (n - 2)}}}}}}} fragment F on Page{{title}}",
    ),
    "directives": ("TOO_LARGE", "directives", lambda n: f"{{page{{title{' @skip(if:true)' * n}}}}}"),
    "variables": ("TOO_LARGE", "variables", lambda n: f"query({repeated('$v{n}:Int', n)}){{page{{title}}}}"),
    "arguments": ("TOO_LARGE", "arguments", lambda n: f"{{page(more:{{{'a:1 ' * (n - 1)}}}){{title}}}}"),
    "the same field": ("TOO_COMPLEX", "repeats", lambda n: f"{{page{{{'title ' * n}}}}}"),
    "the same alias": ("TOO_COMPLEX", "repeats", lambda n: f"{{page{{{'a:title ' * n}}}}}"),
    "the same spread": ("TOO_COMPLEX", "repeats", lambda n: f"{{page{{{'...F ' * n}}}}} fragment F on Page{{title}}"),
    "the same type": ("TOO_COMPLEX", "repeats", lambda n: f"{{any{{{'...on Item{id} ' * n}}}}}"),
}  # fmt: skip


@pytest.mark.parametrize("name", AT)
def test_a_document_at_a_limit_is_let_through_and_one_beyond_is_refused(name: str) -> None:
    code, limit, text = AT[name]
    allowed = getattr(SMALL, limit)
    assert refused(text(allowed)) is None
    error = refused(text(allowed + 1))
    assert error is not None
    extensions = {"code": code, "limit": allowed}
    counted = "atLeast" if before_parsing(limit, name) else "actual"
    assert error.extensions == {**extensions, counted: allowed + 1}
    assert ": " in error.message  # and what to do


def before_parsing(limit: str, name: str) -> bool:
    return limit not in {"characters", "depth"} and not name.endswith("in fragments")


def test_every_limit_of_a_document_is_tried() -> None:
    elsewhere = {"comparisons", "fields", "cost", "values", "introspection"}
    assert {limit for _, limit, _ in AT.values()} | elsewhere == {field.name for field in fields(Limits)}


INNOCENT = {
    "braces in a string": '{page(slug:"{{{{{{{{{{{{{{{{{{"){title}}',
    "braces behind an escaped quote": r'{page(slug:"\"{{{{{{{{{{{{{{\\"){title}}',
    "braces in a block string": '{page(slug:"""{{{{{{\\"""{{{{ " "" {{"""){title}}',
    "braces in a comment": "{page{title}} #{{{{{{{{{{{{{{{{{{",
    "a comment behind a return": "{page#{{{{{{{{{{{{{{{{\r{title}}",
    "a quote in a comment": '{page{title}} #"\n#"',
    "a comment in a string": '{page(slug:"#"){title}}',
    "an empty string": '{page(slug:""){title}}',
    "an empty block string": '{page(slug:""""""){title}}',
    "aliases and arguments apart": "{page(n:1 slug:null more:{a:1 b:null}){title}}",
    "directives in a string": '{page(slug:"@a@a@a@a"){title}}',
    "a fragment called fragment": "{page{...fragment}} fragment fragment on Page{title}",
    "an operation called query": "query query{page{title}}",
    "a field called first": "{page{slots{first{id}}}}",
    "inline fragments without a type": "{page{... @skip(if:false){title} ... {title}}}",
    "commas and marks of byte order": "\ufeff{page,,,,,,{,title,}}",
}


@pytest.mark.parametrize("name", INNOCENT)
def test_strings_comments_and_names_fool_nobody(name: str) -> None:
    document = parse(INNOCENT[name])
    assert validate(SCHEMA, document) == []
    assert refused(INNOCENT[name]) is None


@pytest.mark.parametrize("hidden", ['"" ', '"""a""" ', '#"\n', '#"""\n', r'"\\" ', '"""\\"""""" '])
def test_what_looks_like_the_beginning_of_a_string_hides_no_depth(hidden: str) -> None:
    text = f"{{page(slug:{hidden}{'[' * 30}"
    error = bounds().text(text)
    assert error
    assert error.extensions
    assert error.extensions["code"] == "TOO_DEEP"


NUMBERS = {
    str(2**64 - 1): None,
    str(-(2**63)): None,
    "1e308": None,
    str(2**64): "BAD_INPUT",
    str(-(2**63) - 1): "BAD_INPUT",
    "9" * 25: "BAD_INPUT",
    "-1e999": "BAD_INPUT",
    "1.5e400": "BAD_INPUT",
}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_json_has_not_is_refused(number: str) -> None:
    error = refused(f"{{page(n:{number}){{title}}}}")
    assert (error and (error.extensions or {})["code"]) == NUMBERS[number]


def test_fragments_in_a_circle_are_refused_with_their_names() -> None:
    error = refused("{page{...A}} fragment A on Page{page{...B}} fragment B on Page{...A}")
    assert error
    assert error.extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert "A" in error.message
    assert "B" in error.message


def test_many_names_that_the_schema_has_not_are_refused_at_once() -> None:
    error = refused(f"{{{repeated('nope{n}', 20)}}}", Limits())
    assert error
    assert error.extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert "nope0, nope1" in error.message


def test_a_few_names_that_the_schema_has_not_are_for_the_validation_to_say() -> None:
    assert refused("{page{titel nope}}") is None


def test_a_field_that_is_merged_from_many_places_is_refused() -> None:
    parts = repeated("...F{n}", 30)
    text = f"{{page{{{parts}}}}}" + repeated("fragment F{n} on Page{{slots{{name}}}}", 30)
    error = refused(text, Limits(comparisons=500))
    assert error
    assert error.extensions == {"code": "TOO_COMPLEX", "limit": 500, "actual": 30 * 29}


def doubling(levels: int, body: str) -> str:
    """Each fragment twice in the one before; `body` holds {next}."""
    chain = "".join(f" fragment F{n} on Page{{{body.format(next=f'F{n + 1}')}}}" for n in range(levels))
    return f"{{page{{...F0}}}}{chain} fragment F{levels} on Page{{title}}"


def test_aliases_that_double_at_each_level_are_counted_without_writing_them_out() -> None:
    text = doubling(18, "a:page{{...{next}}} b:page{{...{next}}}")
    error = refused(text, Limits(depth=30))
    assert error
    assert error.extensions == {"code": "TOO_COMPLEX", "limit": 5_000, "actual": 3 * 2**18 - 1}


def test_fragments_that_double_in_one_place_count_once() -> None:
    assert cost(doubling(60, "...{next} ...{next}")).fixed == 2
    assert refused(doubling(60, "...{next} ...{next}"), Limits()) is None


def test_merging_that_multiplies_is_given_up() -> None:
    """Of the fragments F0 to F11 a path keeps those whose turn was an x: no two paths merge the same."""
    both = "x:page{{...{0}}} y:page{{...{0}}}"
    parts = [
        f" fragment F{n}at{level} on Page{{"
        + (f"x:page{{...F{n}at{level + 1}}}" if level == n else both.format(f"F{n}at{level + 1}"))
        + "}"
        for n in range(12)
        for level in range(12)
    ]
    ends = [f" fragment F{n}at12 on Page{{title}}" for n in range(12)]
    text = "{page{" + " ".join(f"...F{n}at0" for n in range(12)) + "}}" + "".join(parts + ends)
    error = refused(text, Limits(aliases=1_000, fragments=500))
    assert error
    assert error.extensions == {"code": "TOO_COMPLEX", "limit": WORK, "atLeast": WORK}


COSTS = {
    "{page{title}}": 2,
    "{page{title title t:title}}": 3,
    "{page{...A ...A page{...A}}} fragment A on Page{title}": 4,
    "{page{slots{name}}}": 1 + 1 + 4,
    "{page{slots{blocks{id}}}}": 1 + 1 + 4 * (1 + 3),
    "{page{slots{blocks{tags}}}}": 1 + 1 + 4 * (1 + 3 * (1 + 2)),
    "{items{id}}": 1 + 7,
    "{items(first:2){id}}": 1 + 2,
    "{items(first:2,last:5){id}}": 1 + 5,
    "{items(first:0){id}}": 1,
    "{items(first:null){id}}": 1 + 10,
    "{items(last:3){id}}": 1 + 7,  # the default of the other argument holds
    "{limited}": 1 + 10,
    "{limited(limit:3)}": 1 + 3,
    "{found(first:5){edges{node{id}} total words}}": 1 + (1 + 5 * 2) + 1 + (1 + 5),
    "{found{edges{node{tags}}}}": 1 + 1 + 20 * (1 + 1 + 2),
    "{grid{id}}": 1 + 100,
    "{any{__typename ...on Item{id} ...on Other{a b c}}}": 1 + 10 * 4,
    "{any{...on Item{id name tags} ...on Other{a}}}": 1 + 10 * 5,
    "{any{...on Node{id} ...on Other{id a}}}": 1 + 10 * 2,
    "{node{id ...on Item{id name} ...on Item{name}}}": 3,
    "{node{parts{id} ...on Item{parts{id}}}}": 1 + 1 + 5,
    "mutation{mark(n:1000000){id}}": 2,
    "{items(first:2147483647){id}}": 1 + 2147483647,
}


@pytest.mark.parametrize("text", COSTS)
def test_a_cost_is_the_number_of_values_that_can_come_back(text: str) -> None:
    assert cost(text).fixed == COSTS[text]


def test_a_cost_depends_on_the_variables_that_say_how_long_a_list_is() -> None:
    found = cost("query($n:Int=4,$m:Int){items(first:$n){id} more:found(first:$m){edges{node{id}}}}")
    assert found.fixed is None
    assert found.of({}) == 1 + 4 + 1 + 1 + 2 * 10
    assert found.of({"n": 2, "m": 3}) == 1 + 2 + 1 + 1 + 2 * 3
    assert found.of({"n": -5, "m": 3.0}) == 1 + 0 + 1 + 1 + 2 * 3


@pytest.mark.parametrize("value", [None, "many", True, [1], float("nan"), {}])
def test_a_variable_that_is_no_number_is_for_others_to_refuse(value: object) -> None:
    assert cost("query($n:Int){items(first:$n){id}}").of({"n": value}) == 1 + 10


def test_the_dearest_type_may_depend_on_a_variable() -> None:
    found = cost("query($n:Int){any{...on Item{parts{id}} ...on Other{a}} limited(limit:$n)}")
    assert found.of({"n": 1}) == 1 + 10 * 6 + 1 + 1


def test_a_cost_beyond_the_limit_is_refused_with_both_numbers() -> None:
    found = cost("query($n:Int){items(first:$n){id}}")
    assert found.refusal({"n": 999}) is None
    error = found.refusal({"n": 1_000})
    assert error
    assert error.extensions == {"code": "TOO_COMPLEX", "limit": 1_000, "actual": 1_001}
    assert "first" in error.message


def test_numbers_stop_growing() -> None:
    text = "{items(first:2147483647){parts{parts{parts{parts{id}}}}}}"
    deep = "{grid{" + "parts{" * 15 + "id" + "}" * 17
    limits = Limits(depth=30)
    assert cost(text, limits).of({}) < CEILING
    document = parse(deep)
    operation = get_operation_ast(document)
    assert operation
    error = Bounds(SCHEMA, limits, {"Node.parts": 10**9}).cost(document, operation).refusal({})
    assert error
    assert error.extensions == {"code": "TOO_COMPLEX", "limit": 100_000, "atLeast": CEILING}


# --- introspection ---


def test_introspection_as_tools_ask_for_it_is_let_through() -> None:
    text = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    )
    assert refused(text, Limits()) is None
    assert cost(text).refusal({}) is None
    assert cost(text).fixed == 0


INTROSPECTION_BOMBS = {
    "deep": "{__schema{types{fields{type{fields{args{type{fields{args{name}}}}}}}}}}",
    "wide": "{" + repeated("a{n}:__schema{{...S}}", 19) + "} fragment S on __Schema{types{...T}}"
    " fragment T on __Type{fields{args{type{...R}} type{...R}} inputFields{type{...R}}}"
    " fragment R on __Type{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name}}}}}",
    "sideways": '{__type(name:"Query"){'
    + "possibleTypes{interfaces{" * 4
    + "fields{args{name}}"
    + "}}" * 4
    + "}}",
}


@pytest.mark.parametrize("name", INTROSPECTION_BOMBS)
def test_an_introspection_that_asks_for_more_than_everything_is_refused(name: str) -> None:
    text = INTROSPECTION_BOMBS[name]
    document = parse(text)
    operation = get_operation_ast(document)
    assert operation
    error = refused(text, Limits()) or bounds(Limits()).cost(document, operation).refusal({})
    assert error or validate(SCHEMA, document)


@pytest.mark.parametrize(
    "text",
    ["{__schema{queryType{name}}}", '{page{title} ...Q} fragment Q on Query{__type(name:"Page"){name}}'],
)
def test_introspection_can_be_switched_off(text: str) -> None:
    error = refused(text, replace(SMALL, introspection=False))
    assert error
    assert error.extensions == {"code": "INTROSPECTION_DISABLED"}
    assert refused(text) is None


def test_the_name_of_a_type_is_told_without_introspection() -> None:
    assert refused("{__typename page{__typename}}", replace(SMALL, introspection=False)) is None


# --- variables ---

TYPED = "query($a: [[Int]], $m: More) { page(also: $a, more: $m) { title } }"


def variables_refused(variables: Any, limits: Limits = SMALL) -> Mapping[str, Any] | None:
    operation = get_operation_ast(parse(TYPED))
    assert operation
    error = bounds(limits).variables(operation, variables)
    return error and error.extensions


def test_variables_of_more_values_than_the_limit_are_refused() -> None:
    assert variables_refused({"a": [[1, 2], [3, 4]], "m": {"a": 1, "b": None}}) is None
    extensions = {"code": "TOO_LARGE", "limit": 10, "atLeast": 11}
    assert variables_refused({"a": [[1] * 4, [2] * 4]}) == extensions
    assert variables_refused({"a": [1] * 1_000_000}) == {**extensions, "atLeast": 1_000_001}
    assert variables_refused({"m": {"list": [{"list": [{"a": n} for n in range(9)]}]}}) is not None


def test_an_object_of_more_fields_than_its_type_has_is_refused_without_a_look_at_each() -> None:
    unknown = {f"k{n}": n for n in range(100_000)}
    assert variables_refused({"m": unknown}) == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert variables_refused({"m": {"more": {"list": [unknown]}}}) == {"code": "GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [None], {"a": {"b": [1]}}, {"nope": 1}])
def test_variables_of_other_shapes_are_for_the_coercion_to_refuse(value: object) -> None:
    assert variables_refused({"a": value, "m": value, "other": value}) is None


def test_variables_that_nobody_declared_do_not_count() -> None:
    assert variables_refused({"x": [1] * 1_000}) is None


def test_variables_may_be_nested_without_end() -> None:
    deep: Any = {"a": 1}
    for _ in range(20_000):
        deep = {"more": deep}
    assert variables_refused({"m": deep}, Limits()) == {
        "code": "TOO_LARGE",
        "limit": 8_000,
        "atLeast": 8_001,
    }
