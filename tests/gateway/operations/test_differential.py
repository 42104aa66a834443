"""Compiled operations give what graphql-core gives: data with its order, errors, calls of resolvers."""

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from inspect import isawaitable
from random import Random
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, execute, parse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from strawberry.scalars import JSON

from tests.gateway.operations.fuzz.differences import (
    TIMES,
    case,
    differing,
    formatted,
    operations,
    ordered,
    ready,
    written,
)
from tests.gateway.operations.fuzz.operations import document
from tests.gateway.operations.fuzz.schemas import Made, made

SCHEMAS = 40


@pytest.fixture(scope="module", autouse=True)
def _what_the_reference_leaves_behind() -> Iterator[None]:
    yield
    gc.collect()  # here, where it is filtered, and not in the middle of some other test


# graphql-core leaves what it had begun when a field beside it fails.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@cache
def schema(number: int) -> Made:
    """Small ones first, for failures shrink towards them."""
    return made(Random(number), 1 + number // 10)


@settings(
    max_examples=500,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],  # to explain takes minutes more
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(number=st.integers(0, SCHEMAS - 1), chance=st.randoms(use_true_random=False))
async def test_every_answer_is_that_of_the_reference(number: int, chance: Random) -> None:
    of = schema(number)
    asked = document(of.schema._schema, chance)
    known = operations(of.schema)
    prepared, parsed = await ready(of, asked, known)
    for _ in range(TIMES):
        difference = await differing(case(of, chance, asked), known, prepared, parsed)
        assert difference is None, difference


# --- what random data found, or would find only with luck


@strawberry.type
class Leaf:
    number: int = 1
    share: float = 0.5
    data: JSON = strawberry.field(default_factory=dict)
    numbers: list[int] = strawberry.field(default_factory=list)
    inner: "Leaf | None" = None


Give = Callable[[], Any]


class Given:
    """What root fields answer, and how often they were asked."""

    def __init__(self, answers: Mapping[str, Give]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def answer(self, name: str) -> Any:
        self.asked.append(name)
        return self._answers[name]()


@strawberry.type
class Query:
    @strawberry.field
    def now(self, info: strawberry.Info) -> Leaf | None:
        return info.context.answer("now")

    @strawberry.field
    async def later(self, info: strawberry.Info) -> Leaf | None:
        return info.context.answer("later")

    @strawberry.field
    def surely(self, info: strawberry.Info) -> Leaf:
        return info.context.answer("surely")

    @strawberry.field
    async def needy(self, info: strawberry.Info, needed: int | None) -> Leaf:
        return info.context.answer("needy")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def first(self, info: strawberry.Info) -> Leaf | None:
        return info.context.answer("first")

    @strawberry.mutation
    async def second(self, info: strawberry.Info) -> Leaf | None:
        return info.context.answer("second")


SCHEMA = strawberry.Schema(Query, Mutation)


async def answer(text: str, /, variables: Mapping[str, Any] | None = None, **answers: Give) -> dict[str, Any]:
    """What graphql-core says, which must be what we say: data, messages, and who was asked."""
    theirs, ours = Given(answers), Given(answers)
    result: Any = execute(
        SCHEMA._schema, parse(text), context_value=theirs, variable_values=dict(variables or {})
    )
    result = await result if isawaitable(result) else result
    known = operations(SCHEMA)
    found = await known.run(await known.prepare(text, None), variables, ours)
    assert found.data is not None
    assert ordered(found.data) == written(result.data)
    assert sorted(map(formatted, found.errors)) == sorted(map(formatted, result.errors or ()))
    assert Counter(ours.asked) == Counter(theirs.asked)
    messages = sorted(error.message for error in found.errors)
    return {"data": json.loads(found.data), "errors": messages, "asked": ours.asked}


def failing() -> Any:
    raise GraphQLError("no", extensions={"code": "NO"})


async def test_two_schemas_with_one_text_answer_for_themselves() -> None:
    one, other = (
        operations(
            strawberry.Schema(strawberry.type(type("Query", (), {"__annotations__": {}, "of": field})))
        )
        for field in (
            strawberry.field(lambda: 1, graphql_type=int),
            strawberry.field(lambda: "x", graphql_type=str),
        )
    )
    for known, of in ((one, 1), (other, "x"), (one, 1), (other, "x")):
        found = await known.run(await known.prepare("{ of }", None), None, None)
        assert json.loads(found.data or b"") == {"of": of}


async def test_a_typename_at_the_root_outlives_a_failure_beside_it() -> None:
    told = await answer("{ kind: __typename now { number } __typename }", now=lambda: Leaf(number="x"))
    assert told == {
        "data": {"kind": "Query", "now": None, "__typename": "Query"},
        "errors": ["Int cannot represent non-integer value: 'x'"],
        "asked": ["now"],
    }


@pytest.mark.parametrize("field", ["now", "later"])
async def test_an_error_counts_where_nothing_is_read_of_the_value(field: str) -> None:
    told = await answer(f"{{ {field} {{ __typename }} }}", **{field: failing})
    assert told == {"data": {field: None}, "errors": ["no"], "asked": [field]}


async def test_an_error_that_is_returned_counts_as_raised_at_any_depth() -> None:
    inner = Leaf(inner=ValueError("returned"))
    assert (await answer("{ now { __typename } }", now=lambda: ValueError("returned")))["errors"] == [
        "returned"
    ]
    assert (await answer("{ now { inner { __typename } } }", now=lambda: inner))["errors"] == ["returned"]


async def test_what_is_awaited_below_the_root_is_awaited_once() -> None:
    async def given() -> int:
        return 7

    told = await answer("{ now { number } }", now=lambda: Leaf(number=given()))
    assert told == {"data": {"now": {"number": 7}}, "errors": [], "asked": ["now"]}


async def test_where_two_roots_fail_both_say_so() -> None:
    bad = {"now": lambda: Leaf(number="x"), "later": lambda: Leaf(share="y"), "surely": Leaf}
    told = await answer("{ later { share } now { number } surely { number } }", **bad)
    assert told["data"] == {"later": None, "now": None, "surely": {"number": 1}}
    assert len(told["errors"]) == 2
    assert sorted(told["asked"]) == ["later", "now", "surely"]


async def test_a_root_that_must_not_be_null_takes_all_with_it_and_is_asked_once() -> None:
    told = await answer(
        "{ later { number } surely { number } }", later=Leaf, surely=lambda: Leaf(number=None)
    )
    assert told["data"] is None
    assert told["asked"].count("surely") == 1


async def test_a_generator_gives_all_it_has_though_it_gives_it_once() -> None:
    told = await answer("{ now { number numbers } }", now=lambda: Leaf(numbers=(n for n in (1, 2, 3))))
    assert told["data"] == {"now": {"number": 1, "numbers": [1, 2, 3]}}
    told = await answer("{ now { numbers number } }", now=lambda: Leaf("x", numbers=(n for n in (1, 2, 3))))
    assert told["data"] == {"now": None}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
async def test_what_is_no_number_is_an_error_as_a_number_and_null_in_json(number: float) -> None:
    told = await answer("{ now { share } }", now=lambda: Leaf(share=number))
    assert told["data"] == {"now": None}
    told = await answer("{ now { data } }", now=lambda: Leaf(data={"a": [number]}))
    assert told["data"] == {"now": {"data": {"a": [None]}}}


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64, -(2**70)])
async def test_whole_numbers_of_any_size_stand_in_json(number: int) -> None:
    told = await answer("{ now { data } }", now=lambda: Leaf(data={"n": number, "x": [0.5]}))
    assert told["data"] == {"now": {"data": {"n": number, "x": [0.5]}}}


async def test_what_is_no_number_is_null_beside_a_whole_number_of_any_size_too() -> None:
    told = await answer("{ now { data } }", now=lambda: Leaf(data=[2**70, float("nan")]))
    assert told["data"] == {"now": {"data": [2**70, None]}}


async def test_keys_that_are_no_text_become_text() -> None:
    told = await answer("{ now { data } }", now=lambda: Leaf(data={1: "a", None: "b", 2.5: "c", False: "d"}))
    assert told["data"] == {"now": {"data": {"1": "a", "null": "b", "2.5": "c", "false": "d"}}}


async def test_a_condition_without_a_value_is_an_error_where_it_stands() -> None:
    text = "query($on: Boolean = true) { now { number share @include(if: $on) } surely { number } }"
    told = await answer(text, {"on": None}, now=Leaf, surely=Leaf)
    assert told["data"] == {"now": None, "surely": {"number": 1}}
    assert "non-null type 'Boolean!'" in told["errors"][0]


async def test_a_call_that_cannot_be_made_fails_no_sooner_than_what_it_would_have_waited_for() -> None:
    told = await answer("{ needy { number } surely { number } }", surely=lambda: Leaf(number="x"))
    assert (told["data"], told["errors"]) == (None, ["Int cannot represent non-integer value: 'x'"])


async def test_mutations_come_one_after_the_other_and_stay_in_their_order() -> None:
    order = []
    answers = {name: (lambda name=name: order.append(name) or Leaf()) for name in ("first", "second")}
    told = await answer(
        "mutation { b: second { number } a: first { number } c: second { number } }", **answers
    )
    assert told["asked"] == ["second", "first", "second"]
    assert list(told["data"]) == ["b", "a", "c"]
