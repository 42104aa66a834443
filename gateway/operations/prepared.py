"""From the text of a request to an operation that can be executed: parsed and validated once."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import orjson
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule

from gateway.operations.results import Result

MOST_ERRORS = 20  # told of one document
ASIDE = ThreadPoolExecutor(1, "operations")  # one thread: new documents must not crowd out known ones


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """`operation` is None where `errors` say why it cannot be executed."""

    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    errors: tuple[GraphQLError, ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict)  # for resolvers: what follows from the document alone

    @property
    def kind(self) -> OperationType | None:
        return self.operation.operation if self.operation else None


class Operations:
    """The operations of one schema. What was refused is not kept: it would push out what is used."""

    def __init__(
        self,
        schema: strawberry.Schema,
        rules: Collection[type[ASTValidationRule]],
        max_tokens: int,
        kept: int,
    ) -> None:
        """`rules` are asked before those of the specification, which take long for a document that is huge."""
        self._schema = schema._schema
        self._first = tuple(rules)
        self._max_tokens = max_tokens
        self._kept = kept
        self._known: OrderedDict[tuple[str, str | None], Prepared] = OrderedDict()

    def known(self, text: str, name: str | None) -> Prepared | None:
        """What was prepared before."""
        found = self._known.get((text, name))
        if found is not None:
            self._known.move_to_end((text, name))
        return found

    async def prepare(self, text: str, name: str | None) -> Prepared:
        """Some milliseconds, off the event loop, for a document that is new, else next to nothing."""
        known = self.known(text, name)
        if known is not None:
            return known
        prepared = await asyncio.get_running_loop().run_in_executor(ASIDE, self._prepare, text, name)
        if not prepared.errors:
            self._known[text, name] = prepared
            if len(self._known) > self._kept:
                self._known.popitem(last=False)
        return prepared

    def _prepare(self, text: str, name: str | None) -> Prepared:
        try:
            document = parse(text, max_tokens=self._max_tokens)
        except GraphQLError as error:
            return Prepared(None, None, (error,))
        errors = self._errors(document, self._first) or self._errors(document, specified_rules)
        if errors:
            return Prepared(document, None, tuple(errors))
        operation = get_operation_ast(document, name)
        if operation is None:
            return Prepared(document, None, (GraphQLError(_no_operation(name)),))
        return Prepared(document, operation)

    def _errors(
        self, document: DocumentNode, rules: Collection[type[ASTValidationRule]]
    ) -> list[GraphQLError]:
        return validate(self._schema, document, rules, max_errors=MOST_ERRORS)

    async def run(self, prepared: Prepared, variables: Mapping[str, Any] | None, context: Any) -> Result:
        """Execute a query or mutation."""
        if prepared.document is None or prepared.operation is None:
            return Result(None, prepared.errors)
        name = prepared.operation.name
        result = execute(
            self._schema,
            prepared.document,
            context_value=context,
            variable_values=dict(variables) if variables else None,
            operation_name=name.value if name else None,
        )
        found = await result if isawaitable(result) else result
        if not isinstance(found, ExecutionResult):
            return Result(None, (GraphQLError("unexpected stream"),))
        errors = tuple(found.errors or ())
        ran = found.data is not None or any(error.path for error in errors)
        return Result(orjson.dumps(found.data) if ran else None, errors)


def _no_operation(name: str | None) -> str:
    if name is None:
        return "the document holds no operation, or several: name one in operationName"
    return f"the document holds no operation called {name}"
