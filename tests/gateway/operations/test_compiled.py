"""Compiled operations give what graphql-core gives, and are indeed compiled."""

import json
from typing import Any

import orjson
import pytest
from graphql import execute, parse

from gateway.operations.bounds import Bounds
from gateway.operations.counts import Counts
from gateway.operations.lasting import Kept, Lasting
from gateway.operations.limits import Limits
from gateway.operations.prepared import Operations
from gateway.operations.results import Result
from tests.gateway.operations.schemas import Calls, Cat, Mood, Size, Stone, Wish, box, schema

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


def operations() -> Operations:
    return Operations(schema, Bounds(schema._schema, Limits(), {}), kept=10)


async def compared(text: str, variables: dict[str, Any] | None = None, **given: Any) -> tuple[Result, Counts]:
    """The result, which must be the reference's in data and errors; and how it came about."""
    known = operations()
    prepared = await known.prepare(text, None)
    assert prepared.errors == (), prepared.errors
    calls, others = Calls(**given), Calls(**given)
    result = await known.run(prepared, variables, calls)
    expected: Any = execute(schema._schema, parse(text), context_value=others, variable_values=variables)
    expected = await expected if hasattr(expected, "__await__") else expected
    assert [error.formatted for error in result.errors] == [e.formatted for e in expected.errors or ()]
    if result.data is not None:
        assert result.data == json.dumps(expected.data, separators=(",", ":")).encode()  # in the same order
    assert calls.seen == others.seen  # each root resolver once, with the same
    (counts,) = known.counts.values()
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
    known = operations()
    calls = Calls()
    await known.run(await known.prepare(text, None), variables, calls)
    assert calls.seen == [(wish, times)]
    assert await compared(text, variables)
    assert known.counts["anonymous"] == Counts(hits=1)


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


async def test_a_list_that_does_not_change_is_completed_once_for_each_operation() -> None:
    things = Lasting([Cat(name="Tom"), Stone(weight=2.5)])
    known, calls = operations(), Calls(box=box(things=things))
    names = await known.prepare("{ box { things { ... on Cat { name } } } }", None)
    types = await known.prepare("{ box { things { __typename } } }", None)
    first = await known.run(names, None, calls)
    things[0].name = "a promise that was broken"  # which shows that nobody looks again
    assert await known.run(names, None, calls) == first == Result(b'{"box":{"things":[{"name":"Tom"},{}]}}')
    assert (await known.run(types, None, calls)).data == (
        b'{"box":{"things":[{"__typename":"Cat"},{"__typename":"Stone"}]}}'
    )
    assert known.counts["anonymous"] == Counts(hits=3)


def test_of_what_is_kept_the_oldest_goes_first() -> None:
    kept = Kept(most=20)
    lists = [Lasting([number]) for number in range(10)]

    def complete(item: int) -> int:
        looked.append(item)
        return item + 1_000

    looked: list[int] = []
    for numbers in (lists, lists[-3:], lists[:1]):
        for one in numbers:
            assert orjson.dumps(kept.shaped(one, complete)) == f"[{one[0] + 1_000}]".encode()
    assert looked == [*range(10), 0]


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
    known = operations()
    prepared = await known.prepare('{ __schema { queryType { name } } __type(name: "Box") { kind } }', None)
    first = await known.run(prepared, None, Calls())
    assert first == Result(b'{"__schema":{"queryType":{"name":"Query"}},"__type":{"kind":"OBJECT"}}')
    assert await known.run(prepared, None, Calls()) is first


async def test_an_answer_about_the_schema_that_depends_on_variables_is_not_kept() -> None:
    known = operations()
    text = "query($off: Boolean = true) { __schema { __typename } kind: __typename @skip(if: $off) }"
    prepared = await known.prepare(text, None)
    answers = [(await known.run(prepared, variables, Calls())).data for variables in (None, {"off": False})]
    assert answers == [
        b'{"__schema":{"__typename":"__Schema"}}',
        b'{"__schema":{"__typename":"__Schema"},"kind":"Query"}',
    ]


async def test_what_is_no_json_is_an_error_and_no_crash() -> None:
    known = operations()
    prepared = await known.prepare("{ box { data } }", None)
    result = await known.run(prepared, None, Calls(box=box(data={"a", "set"})))
    assert (result.data, [error.message for error in result.errors]) == (b"null", ["the answer is no JSON"])


async def test_events_of_a_subscription_are_compiled_one_by_one() -> None:
    known = operations()
    text = "subscription S($labels: [String]!) { boxes(labels: $labels) { label at } }"
    stream = await known.subscribe(
        await known.prepare(text, None), {"labels": ["a", "broken", None]}, Calls()
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
    assert known.counts["S"] == Counts(hits=2, bails=1)


async def test_a_subscription_with_wrong_variables_has_no_events() -> None:
    known = operations()
    text = "subscription($labels: [String]!) { boxes(labels: $labels) { label } }"
    refused = await known.subscribe(await known.prepare(text, None), {"labels": None}, Calls())
    assert isinstance(refused, Result)
    assert refused.data is None
    assert "$labels" in refused.errors[0].message


async def test_names_of_operations_are_counted_apart_as_long_as_they_are_few() -> None:
    known = operations()
    for number in range(250):
        await known.run(await known.prepare(f"query Q{number} {{ __typename }}", None), None, None)
    assert len(known.counts) == 201
    assert known.counts["others"].hits == 50
