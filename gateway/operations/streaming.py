"""Subscriptions: the source by graphql-core, each of its events by the compiled shape."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, create_source_event_stream
from graphql.execution.execute import execute_subscription_event
from graphql.execution.executor import Executor

from gateway.operations.arguments import Values
from gateway.operations.plans import Plan
from gateway.operations.preparing import Prepared
from gateway.operations.reference import Asked, executor_of, result_of
from gateway.operations.results import Result
from gateway.operations.running import data_of


@dataclass(frozen=True, slots=True)
class Source:
    """What a subscription's resolver yields, and the executor that would complete it."""

    executor: Executor[Any]
    payloads: AsyncGenerator[Any, None]


async def source_of(schema: GraphQLSchema, prepared: Prepared, asked: Asked) -> Source | Result:
    executor = executor_of(schema, prepared, asked)
    if isinstance(executor, list):
        return Result(None, tuple(executor))
    found: Any = create_source_event_stream(executor)
    payloads = await found if isawaitable(found) else found
    if isinstance(payloads, ExecutionResult):
        return Result(None, tuple(payloads.errors or ()))
    return Source(executor, payloads)


async def events(prepared: Prepared, asked: Asked, source: Source) -> AsyncGenerator[Result, None]:
    shaped = _shape(prepared, asked)
    async with aclosing(source.payloads):
        async for payload in source.payloads:
            yield _compiled(prepared, shaped, payload) or await _by_reference(prepared, source, payload)
            del payload  # while the next is waited for, this is not kept


def _shape(prepared: Prepared, asked: Asked) -> tuple[Plan, Values] | None:
    """None where the reference has to complete the events."""
    compiled = prepared.compiled
    if compiled is None:
        return None
    try:
        values = compiled.bind(asked.variables or {})
        return compiled.plan(compiled.included(values)), values
    except Exception:  # whatever is unusual, the reference knows
        return None


def _compiled(prepared: Prepared, shaped: tuple[Plan, Values] | None, payload: Any) -> Result | None:
    if shaped is None:
        return None
    try:
        result = Result(data_of(*shaped, [payload]))
    except Exception:  # a value that is not as it should be
        return None
    prepared.counts.hits += 1
    return result


async def _by_reference(prepared: Prepared, source: Source, payload: Any) -> Result:
    if prepared.compiled is None:
        prepared.counts.fallbacks += 1
    else:
        prepared.counts.bails += 1
    found: Any = execute_subscription_event(source.executor.build_per_event_executor(payload))
    return result_of(await found if isawaitable(found) else found)
