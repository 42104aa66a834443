"""From the text of a request to an operation that can be executed: parsed and validated once."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule

MOST_ERRORS = 20  # told of one document


@dataclass(frozen=True, slots=True)
class Prepared:
    """`operation` is None where `errors` say why it cannot be executed."""

    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    errors: tuple[GraphQLError, ...] = ()

    @property
    def kind(self) -> OperationType | None:
        return self.operation.operation if self.operation else None


class Operations:
    """The operations of one schema. What was refused is not kept: it would push out what is used."""

    def __init__(
        self, schema: GraphQLSchema, rules: Collection[type[ASTValidationRule]], max_tokens: int, kept: int
    ) -> None:
        """`rules` are asked before those of the specification, which take long for a document that is huge."""
        self._schema = schema
        self._first = tuple(rules)
        self._max_tokens = max_tokens
        self._kept = kept
        self._known: OrderedDict[tuple[str, str | None], Prepared] = OrderedDict()

    def prepare(self, text: str, name: str | None) -> Prepared:
        """Some milliseconds for a document that is new, else next to nothing."""
        known = self._known.get((text, name))
        if known is not None:
            self._known.move_to_end((text, name))
            return known
        prepared = self._prepare(text, name)
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

    async def execute(
        self, prepared: Prepared, variables: Mapping[str, Any] | None, name: str | None, context: Any
    ) -> ExecutionResult:
        """By graphql-core, the reference."""
        if prepared.document is None:
            return ExecutionResult(None, list(prepared.errors))
        result = execute(
            self._schema,
            prepared.document,
            context_value=context,
            variable_values=dict(variables) if variables else None,
            operation_name=name,
        )
        found = await result if isawaitable(result) else result
        return (
            found
            if isinstance(found, ExecutionResult)
            else ExecutionResult(None, [GraphQLError("unexpected stream")])
        )


def _no_operation(name: str | None) -> str:
    if name is None:
        return "the document holds no operation, or several: name one in operationName"
    return f"the document holds no operation called {name}"
