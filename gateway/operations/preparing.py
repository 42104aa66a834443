"""From the text of a document to an operation that can be executed: parsed, validated, compiled."""

from collections.abc import Collection
from dataclasses import dataclass, field

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule

from gateway.operations.bail import NotCompilable
from gateway.operations.counts import Counts, CountsByName
from gateway.operations.inputs import Inputs
from gateway.operations.plans import Compiled, introspects
from gateway.operations.results import Result

MOST_ERRORS = 20  # told of one document


@dataclass(slots=True, eq=False)
class Prepared:
    """An operation that can be executed, or the `errors` that say why not."""

    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    errors: tuple[GraphQLError, ...] = ()
    compiled: Compiled | None = None
    why: str = ""  # it is not compiled, and the reference executes it
    schema_only: bool = False  # asks for nothing but introspection,
    answer: Result | None = None  # which is the same each time
    counts: Counts = field(default_factory=Counts)

    @property
    def kind(self) -> OperationType | None:
        return self.operation.operation if self.operation else None


class Preparing:
    """Takes some milliseconds a document, and touches nothing that an event loop uses."""

    def __init__(
        self, schema: strawberry.Schema, rules: Collection[type[ASTValidationRule]], max_tokens: int
    ) -> None:
        """`rules` are asked before those of the specification, which take long for a document that is huge."""
        self._strawberry = schema
        self._schema = schema._schema
        self._inputs = Inputs(schema)
        self._first = tuple(rules)
        self._max_tokens = max_tokens
        self.counts = CountsByName()

    def prepare(self, text: str, name: str | None) -> Prepared:
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
        return self._compiled(document, operation)

    def _errors(
        self, document: DocumentNode, rules: Collection[type[ASTValidationRule]]
    ) -> list[GraphQLError]:
        return validate(self._schema, document, rules, max_errors=MOST_ERRORS)

    def _compiled(self, document: DocumentNode, operation: OperationDefinitionNode) -> Prepared:
        prepared = Prepared(document, operation, schema_only=introspects(operation))
        prepared.counts = self.counts.of(operation.name.value if operation.name else None)
        try:
            compiled = Compiled(self._strawberry, self._inputs, document, operation)
            if not compiled.conditions:
                compiled.plan(())
            prepared.compiled = compiled
        except NotCompilable as reason:
            prepared.why = str(reason)
        return prepared


def _no_operation(name: str | None) -> str:
    if name is None:
        return "the document holds no operation, or several: name one in operationName"
    return f"the document holds no operation called {name}"
