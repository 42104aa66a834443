import strawberry
from graphql import OperationType

from gateway.operations.bounds import Bounds
from gateway.operations.limits import Limits
from gateway.operations.prepared import Operations
from gateway.operations.results import Result


@strawberry.type
class Query:
    @strawberry.field
    def twice(self, number: int) -> int:
        return 2 * number

    @strawberry.field
    async def later(self) -> str:
        return "now"


def operations(kept: int = 2, **limits: int) -> Operations:
    schema = strawberry.Schema(Query)
    return Operations(schema, Bounds(schema._schema, Limits(**limits), {}), kept)


async def test_an_operation_runs_with_its_variables() -> None:
    known = operations()
    prepared = await known.prepare("query($n: Int!) { twice(number: $n) later }", None)
    assert await known.run(prepared, {"n": 21}, None) == Result(b'{"twice":42,"later":"now"}')
    assert prepared.kind is OperationType.QUERY


async def test_an_operation_without_anything_to_wait_for_runs_too() -> None:
    known = operations()
    prepared = await known.prepare("{ twice(number: 1) }", None)
    assert await known.run(prepared, None, None) == Result(b'{"twice":2}')


async def test_a_document_is_prepared_once() -> None:
    known = operations()
    assert await known.prepare("{ later }", None) is await known.prepare("{ later }", None)


async def test_only_so_many_documents_are_kept_and_the_oldest_goes_first() -> None:
    known = operations(kept=2)
    first = await known.prepare("{ later }", None)
    await known.prepare("{ a: later }", None)
    await known.prepare("{ b: later }", None)
    assert await known.prepare("{ later }", None) is not first


async def test_refused_documents_say_why_and_are_not_kept() -> None:
    known = operations()
    refused = await known.prepare("{ nothing }", None)
    assert [error.message for error in refused.errors] == ["Cannot query field 'nothing' on type 'Query'."]
    assert await known.prepare("{ nothing }", None) is not refused


async def test_text_that_is_no_graphql_is_refused() -> None:
    (error,) = (await operations().prepare("{ later", None)).errors
    assert "Syntax Error" in error.message


async def test_a_document_of_too_many_tokens_is_not_parsed() -> None:
    (error,) = (await operations(tokens=50).prepare("{" + "later " * 60 + "}", None)).errors
    assert (error.extensions or {})["code"] == "TOO_LARGE"
    assert "more than 50 tokens" in error.message


async def test_among_several_operations_one_must_be_named() -> None:
    known = operations()
    text = "query A { later } query B { twice(number: 1) }"
    assert "operationName" in (await known.prepare(text, None)).errors[0].message
    assert "called C" in (await known.prepare(text, "C")).errors[0].message
    assert (await known.prepare(text, "B")).errors == ()
