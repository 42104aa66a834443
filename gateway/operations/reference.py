"""graphql-core's own executor: the reference, for whatever is not compiled, and for whatever goes wrong.

After a compiled operation has bailed out, its root resolvers are not called again: the executor is given what
they gave before. So an error's message, path and place, and what it leaves null, are graphql-core's.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from math import isfinite
from typing import Any

import orjson
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
)
from graphql.execution.executor import Executor

from gateway.operations.preparing import Prepared
from gateway.operations.results import Result

Resolve = Callable[..., Any]

NO_JSON = "the answer is no JSON"
MOST_ERRORS = 5  # told of one request's variables


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request brings along: variables as JSON, and what resolvers find as `info.context`."""

    variables: Mapping[str, Any] | None
    context: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a root resolver gave, or raised."""

    value: Any = None
    error: Exception | None = None
    awaited: bool = False

    def plain(self) -> Any:
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self.value

    def again(self) -> Any:
        """As the resolver would give it: where it was waited for, siblings go on meanwhile."""
        return self._later() if self.awaited else self.plain()

    async def _later(self) -> Any:
        return self.plain()


class Remembered:
    """Stands where the executor has its middleware: root fields give what they gave before."""

    def __init__(self, outcomes: Mapping[str, Outcome]) -> None:
        self._outcomes = outcomes

    def get_field_resolver(self, resolve: Resolve) -> Resolve:
        def remembered(source: Any, info: GraphQLResolveInfo[Any], **kwargs: Any) -> Any:
            if info.path.prev is None and info.path.key in self._outcomes:
                return self._outcomes[str(info.path.key)].again()
            return resolve(source, info, **kwargs)

        return remembered


async def by_reference(
    schema: GraphQLSchema, prepared: Prepared, asked: Asked, outcomes: Mapping[str, Outcome] | None = None
) -> Result:
    """Execute a query or mutation; the root fields of `outcomes` are not resolved again."""
    executor = executor_of(schema, prepared, asked)
    if isinstance(executor, list):
        return Result(None, tuple(executor))
    if outcomes:
        executor.middleware_manager = Remembered(outcomes)  # type: ignore[assignment]
    found = executor.execute_operation()
    return result_of(await found if isawaitable(found) else found)


def introspected(schema: GraphQLSchema, prepared: Prepared, asked: Asked) -> Result:
    """The same for an operation that asks nothing but introspection, which waits for nothing."""
    executor = executor_of(schema, prepared, asked)
    return (
        Result(None, tuple(executor))
        if isinstance(executor, list)
        else result_of(executor.execute_operation())
    )


def executor_of(
    schema: GraphQLSchema, prepared: Prepared, asked: Asked
) -> list[GraphQLError] | Executor[Any]:
    """graphql-core's executor of this request, or the errors of its variables."""
    if prepared.document is None or prepared.operation is None:
        return list(prepared.errors)
    name = prepared.operation.name
    return Executor.build(
        schema,
        prepared.document,
        context_value=asked.context,
        raw_variable_values=dict(asked.variables) if asked.variables else None,
        operation_name=name.value if name else None,
        max_coercion_errors=MOST_ERRORS,
    )


def result_of(found: Any) -> Result:
    if not isinstance(found, ExecutionResult):
        return Result(None, (GraphQLError("a stream cannot be sent as one answer"),))
    errors = tuple(found.errors or ())
    if found.data is None and not any(error.path for error in errors):
        return Result(None, errors)
    try:
        return Result(encoded(found.data), errors)
    except (TypeError, ValueError) as error:  # a resolver gave what is no JSON, and no type said so
        return Result(b"null", (*errors, GraphQLError(NO_JSON, original_error=error)))


def encoded(data: Any) -> bytes:
    """JSON as orjson writes it; for whole numbers beyond its 64 bits, as the standard library does."""
    try:
        return orjson.dumps(data)
    except TypeError:
        return json.dumps(_finite(data), default=_decoded, separators=(",", ":"), ensure_ascii=False).encode()


def _finite(value: Any) -> Any:
    """What is no number in JSON is null, as orjson has it."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _decoded(value: Any) -> Any:
    """JSON that is ready, and whatever else orjson writes by itself."""
    return orjson.loads(orjson.dumps(value))
