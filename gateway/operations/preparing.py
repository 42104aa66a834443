"""From the text of a document to an operation that can be executed: parsed, validated, compiled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    is_wrapping_type,
    parse,
    type_from_ast,
    validate,
)

from gateway.operations.bail import NotCompilable
from gateway.operations.bounds import Bounds
from gateway.operations.counts import Counts, CountsByName
from gateway.operations.inputs import Inputs
from gateway.operations.lasting import Kept
from gateway.operations.plans import Compiled, introspects
from gateway.operations.results import Result

Check: TypeAlias = Callable[[Mapping[str, Any]], GraphQLError | None]

MOST_ERRORS = 20  # told of one document


def _enough(variables: Mapping[str, Any]) -> GraphQLError | None:
    """They are not too many."""
    return None


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
    checks: tuple[Check, ...] = ()  # of a request's variables, as they were sent
    amount: Check = _enough  # of variables that are wrong: saying so takes long for many

    @property
    def kind(self) -> OperationType | None:
        return self.operation.operation if self.operation else None

    def refusal(self, variables: Mapping[str, Any]) -> GraphQLError | None:
        """Why these variables ask for too much, or bring too much."""
        for check in self.checks:
            error = check(variables)
            if error is not None:
                return error
        return None


class Preparing:
    """Takes some milliseconds a document, and touches nothing that an event loop uses."""

    def __init__(self, schema: strawberry.Schema, bounds: Bounds) -> None:
        self._strawberry = schema
        self._schema = schema._schema
        self._inputs = Inputs(schema)
        self._kept = Kept()
        self._bounds = bounds
        self.counts = CountsByName()

    def prepare(self, text: str, name: str | None) -> Prepared:
        refused = self._bounds.text(text)
        if refused is not None:
            return Prepared(None, None, (refused,))
        try:
            document = parse(text, max_tokens=self._bounds.limits.tokens)
        except GraphQLError as error:
            return Prepared(None, None, (error,))
        errors = self._bounds.document(document) or validate(self._schema, document, max_errors=MOST_ERRORS)
        if errors:
            return Prepared(document, None, tuple(errors))
        operation = get_operation_ast(document, name)
        if operation is None:
            return Prepared(document, None, (GraphQLError(_no_operation(name)),))
        cost = self._bounds.cost(document, operation)
        refused = cost.refusal({}) if cost.fixed is not None else None
        if refused is not None:
            return Prepared(document, None, (refused,))
        prepared = self._compiled(document, operation)
        amount = partial(self._bounds.variables, operation)
        if takes_lists(self._schema, operation):
            prepared.checks += (amount,)
        else:  # those that are right are few
            prepared.amount = amount
        if cost.fixed is None:
            prepared.checks += (cost.refusal,)
        return prepared

    def _compiled(self, document: DocumentNode, operation: OperationDefinitionNode) -> Prepared:
        prepared = Prepared(document, operation, schema_only=introspects(operation))
        prepared.counts = self.counts.of(operation.name.value if operation.name else None)
        try:
            compiled = Compiled(self._strawberry, self._inputs, self._kept, document, operation)
            if not compiled.conditions:
                compiled.plan(())
            prepared.compiled = compiled
        except NotCompilable as reason:
            prepared.why = str(reason)
        return prepared


def takes_lists(schema: GraphQLSchema, operation: OperationDefinitionNode) -> bool:
    """Whether variables may bring any number of values that are coerced one by one."""
    waiting: list[Any] = [type_from_ast(schema, node.type) for node in operation.variable_definitions or ()]
    seen = set()
    while waiting:
        type_ = waiting.pop()
        while is_wrapping_type(type_):
            if isinstance(type_, GraphQLList):
                return True
            type_ = type_.of_type
        if isinstance(type_, GraphQLInputObjectType) and type_.name not in seen:
            seen.add(type_.name)
            waiting += [field.type for field in type_.fields.values()]
    return False


def _no_operation(name: str | None) -> str:
    if name is None:
        return "the document holds no operation, or several: name one in operationName"
    return f"the document holds no operation called {name}"
