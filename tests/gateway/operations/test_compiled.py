"""Compiled operations give what graphql-core gives, and are indeed compiled."""

import json
from typing import Any

import pytest
from graphql import execute, parse

from gateway.operations.counts import Counts
from gateway.operations.prepared import Operations
from gateway.operations.results import Result
from tests.gateway.operations.schemas import Calls, Mood, Size, Wish, box, schema

ALL = """query All($deep: Boolean!, $at: Int = 1, $none: Int) {
  again: box { __typename ...Labels things { __typename ... on Cat { lives } ...Pet ... on Stone { weight } } }
  box {
    ...Labels
    mood @skip(if: $deep)
    data
    grid
    one: thing { ... on Cat { name } }
    two: thing(position: $at) { ... on Stone { weight } }
    three: thing(position: $none) { __typename }
    none: thing(position: 7) { __typename }
    pets { name ... on Cat @include(if: $deep) { lives } }
    ... @include(if: $deep) { at }
  }
}
fragment Labels on Box { label at ...More }
fragment More on Box { label things { ...Pet } }
fragment Pet on Named { name }"""


async def compared(text: str, variables: dict[str, Any] | None = None, **given: Any) -> tuple[Result, Counts]:
    """The result, which must be the reference's in data and errors; and how it came about."""
    operations = Operations(schema, (), 1_000, 10)
    prepared = await operations.prepare(text, None)
    assert prepared.errors == (), prepared.errors
    calls, others = Calls(**given), Calls(**given)
    result = await operations.run(prepared, variables, calls)
    expected: Any = execute(schema._schema, parse(text), context_value=others, variable_values=variables)
    expected = await expected if hasattr(expected, "__await__") else expected
    assert [error.formatted for error in result.errors] == [e.formatted for e in expected.errors or ()]
    if result.data is not None:
        assert result.data == json.dumps(expected.data, separators=(",", ":")).encode()  # in the same order
    assert calls.seen == others.seen  # each root resolver once, with the same
    (counts,) = operations.counts.values()
    return result, counts


@pytest.mark.parametrize("deep", [True, False])
async def test_every_kind_of_field_is_compiled(deep: bool) -> None:
    _, counts = await compared(ALL, {"deep": deep})
    assert counts == Counts(hits=1)


@pytest.mark.parametrize(
    ("text", "variables", "wish", "times"),
    [
        ('{ later(wish: {names: "a"}) }', None, Wish(names=["a"]), 2),
        (
            'query($n: String!) { later(wish: {names: [$n, "b"], mood: WILD}, times: 5) }',
            {"n": "a"},
            Wish(names=["a", "b"], mood=Mood.WILD),
            5,
        ),
        (
            "query($w: Wish!, $t: Int! = 4) { later(wish: $w, times: $t) }",
            {"w": {"names": [], "size": {"width": 1}}},
            Wish(names=[], size=Size(width=1, height=3)),
            4,
        ),
        (
            "query($w: Int!, $h: Int) { later(wish: {names: [], size: {width: $w, height: $h}}) }",
            {"w": 1.0},
            Wish(names=[], size=Size(width=1)),
            2,
        ),
    ],
)
async def test_arguments_are_bound_as_literals_variables_and_defaults(
    text: str, variables: dict[str, Any] | None, wish: Wish, times: int
) -> None:
    operations = Operations(schema, (), 1_000, 10)
    calls = Calls()
    await operations.run(await operations.prepare(text, None), variables, calls)
    assert calls.seen == [(wish, times)]
    assert await compared(text, variables)
    assert operations.counts["anonymous"] == Counts(hits=1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", None),
        ("at", "yesterday"),
        ("mood", "no mood"),
        ("label", ["a list"]),
        ("things { __typename }", None),
        ("things { __typename }", (one for one in [])),
        ("things { __typename }", [object()]),
        ("grid", [[1.5]]),
        ("grid", [[2**31]]),
        ("data", ValueError("as a value")),
        ("data", {"large": 2**70}),
    ],
)
async def test_what_is_not_as_it_should_be_is_the_references_to_say(field: str, value: Any) -> None:
    _, counts = await compared(
        f"{{ box {{ label {field} }} }}", box=box(**{field.split(maxsplit=1)[0]: value})
    )
    assert counts == Counts(bails=1)


async def test_what_a_type_can_make_fit_does_not_leave_the_compiled_path() -> None:
    _, counts = await compared("{ box { label grid } }", box=box(label=7, grid=((2.0, True),)))
    assert counts == Counts(hits=1)


async def test_an_error_of_one_root_field_leaves_the_others_which_are_not_called_again() -> None:
    result, counts = await compared('{ fails box { label } later(wish: {names: "x"}) }')
    assert counts == Counts(bails=1)
    assert result.data == b'{"fails":null,"box":{"label":"first"},"later":"x None CALM 2"}'


@pytest.mark.parametrize(
    "variables", [None, {}, {"w": None}, {"w": {}}, {"w": {"names": [], "more": 1}}, {"w": 1}]
)
async def test_variables_that_cannot_be_right_run_nothing(variables: dict[str, Any] | None) -> None:
    result, counts = await compared("query($w: Wish!) { later(wish: $w) }", variables)
    assert result.data is None
    assert counts == Counts(bails=1)


async def test_one_mutation_is_compiled_and_several_keep_their_order() -> None:
    _, one = await compared('mutation { put(label: "a") __typename }')
    _, several = await compared('mutation { put(label: "a") b: put(label: "b") }')
    assert (one, several) == (Counts(hits=1), Counts(fallbacks=1))


async def test_introspection_is_answered_and_kept() -> None:
    operations = Operations(schema, (), 1_000, 10)
    prepared = await operations.prepare(
        '{ __schema { queryType { name } } __type(name: "Box") { kind } }', None
    )
    first = await operations.run(prepared, None, Calls())
    assert first == Result(b'{"__schema":{"queryType":{"name":"Query"}},"__type":{"kind":"OBJECT"}}')
    assert await operations.run(prepared, None, Calls()) is first


async def test_events_of_a_subscription_are_compiled_one_by_one() -> None:
    operations = Operations(schema, (), 1_000, 10)
    text = "subscription S($labels: [String]!) { boxes(labels: $labels) { label at } }"
    stream = await operations.subscribe(
        await operations.prepare(text, None), {"labels": ["a", "broken", None]}, Calls()
    )
    assert not isinstance(stream, Result)
    results = [result async for result in stream]
    at = '"at":"2026-11-01T00:00:00+00:00"'
    assert [result.data for result in results] == [
        f'{{"boxes":{{"label":"a",{at}}}}}'.encode(),
        b"null",
        f'{{"boxes":{{"label":null,{at}}}}}'.encode(),
    ]
    assert [error.path for error in results[1].errors] == [["boxes", "at"]]
    assert operations.counts["S"] == Counts(hits=2, bails=1)


async def test_a_subscription_with_wrong_variables_has_no_events() -> None:
    operations = Operations(schema, (), 1_000, 10)
    text = "subscription($labels: [String]!) { boxes(labels: $labels) { label } }"
    refused = await operations.subscribe(await operations.prepare(text, None), {"labels": None}, Calls())
    assert isinstance(refused, Result)
    assert refused.data is None
    assert "$labels" in refused.errors[0].message


async def test_names_of_operations_are_counted_apart_as_long_as_they_are_few() -> None:
    operations = Operations(schema, (), 1_000, 10)
    for number in range(250):
        await operations.run(await operations.prepare(f"query Q{number} {{ __typename }}", None), None, None)
    assert len(operations.counts) == 201
    assert operations.counts["others"].hits == 50
