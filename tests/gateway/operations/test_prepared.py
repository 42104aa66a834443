from typing import Any

import strawberry
from graphql import GraphQLError, OperationType, ValidationRule

from gateway.operations.prepared import Operations


@strawberry.type
class Query:
    @strawberry.field
    def twice(self, number: int) -> int:
        return 2 * number

    @strawberry.field
    async def later(self) -> str:
        return "now"


class NoLater(ValidationRule):
    def enter_field(self, node: Any, *_: Any) -> None:
        if node.name.value == "later":
            self.report_error(GraphQLError("not later", node))


def operations(*rules: type[ValidationRule], kept: int = 2) -> Operations:
    return Operations(strawberry.Schema(Query)._schema, rules, max_tokens=50, kept=kept)


async def test_an_operation_runs_with_its_variables() -> None:
    known = operations()
    prepared = known.prepare("query($n: Int!) { twice(number: $n) later }", None)
    result = await known.execute(prepared, {"n": 21}, None, None)
    assert result.data == {"twice": 42, "later": "now"}
    assert prepared.kind is OperationType.QUERY


async def test_an_operation_without_anything_to_wait_for_runs_too() -> None:
    known = operations()
    result = await known.execute(known.prepare("{ twice(number: 1) }", None), None, None, None)
    assert result.data == {"twice": 2}


def test_a_document_is_prepared_once() -> None:
    known = operations()
    assert known.prepare("{ later }", None) is known.prepare("{ later }", None)


def test_only_so_many_documents_are_kept_and_the_oldest_goes_first() -> None:
    known = operations(kept=2)
    first = known.prepare("{ later }", None)
    known.prepare("{ a: later }", None)
    known.prepare("{ b: later }", None)
    assert known.prepare("{ later }", None) is not first


def test_refused_documents_say_why_and_are_not_kept() -> None:
    known = operations(NoLater)
    refused = known.prepare("{ later }", None)
    assert [error.message for error in refused.errors] == ["not later"]
    assert known.prepare("{ later }", None) is not refused


def test_text_that_is_no_graphql_is_refused() -> None:
    (error,) = operations().prepare("{ later", None).errors
    assert "Syntax Error" in error.message


def test_a_document_of_too_many_tokens_is_not_parsed() -> None:
    (error,) = operations().prepare("{" + "later " * 60 + "}", None).errors
    assert "more that 50 tokens" in error.message or "more than 50 tokens" in error.message


def test_among_several_operations_one_must_be_named() -> None:
    known = operations()
    text = "query A { later } query B { twice(number: 1) }"
    assert "operationName" in known.prepare(text, None).errors[0].message
    assert "called C" in known.prepare(text, "C").errors[0].message
    assert known.prepare(text, "B").errors == ()
