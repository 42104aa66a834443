"""Running a compiled operation: its root resolvers, then its shape, then one `orjson.dumps`."""

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import orjson
import strawberry
from graphql import GraphQLResolveInfo, parse
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import Path, is_awaitable

from gateway.operations.arguments import Values
from gateway.operations.plans import Compiled, Plan, RootField
from gateway.operations.reference import Asked, Outcome

_VARIABLES = GraphQLResolveInfo._fields.index("variable_values")


class ResolveInfo(GraphQLResolveInfo[Any]):
    """graphql-core's, but the variables, as they were sent, are coerced for those who ask.

    `memo` is kept with the plan: resolvers keep there what they read from the selection.
    """

    memo: dict[Any, Any]

    @property
    def variable_values(self) -> VariableValues:
        sent = tuple.__getitem__(self, _VARIABLES)
        wanted = self.operation.variable_definitions or ()
        found = get_variable_values(self.schema, wanted, dict(sent or {}))
        return found if isinstance(found, VariableValues) else VariableValues({}, {})


class Runner:
    """Calls the root resolvers of one schema's compiled operations."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema._schema
        self._info_class = schema.config.info_class
        self._helpers = cast(
            Executor[Any], Executor.build(self._schema, parse("{ __typename }"))
        ).async_helpers

    async def outcomes(self, compiled: Compiled, plan: Plan, values: Values, asked: Asked) -> list[Outcome]:
        """What each root resolver gives. Raises whatever binding their arguments does, before any is called."""
        arguments = [root.kwargs(values) for root in plan.roots]
        found = [
            self._call(compiled, plan, root, kwargs, asked)
            for root, kwargs in zip(plan.roots, arguments, strict=True)
        ]
        waiting = [place for place, outcome in enumerate(found) if outcome.awaited and not outcome.error]
        if len(waiting) == 1:
            found[waiting[0]] = await _awaited(found[waiting[0]].value)
        elif waiting:
            settled = await asyncio.gather(*(_awaited(found[place].value) for place in waiting))
            for place, outcome in zip(waiting, settled, strict=True):
                found[place] = outcome
        return found

    def _call(
        self, compiled: Compiled, plan: Plan, root: RootField, kwargs: dict[str, Any], asked: Asked
    ) -> Outcome:
        if root.info_name is not None:
            raw = self._info(compiled, root, asked)
            raw.memo = plan.memo
            kwargs[root.info_name] = self._info_class(_raw_info=raw, _field=root.definition)
        try:
            value = root.resolver(None, **kwargs) if root.takes_source else root.resolver(**kwargs)
        except Exception as error:
            return Outcome(error=error, awaited=root.definition.is_async)
        return Outcome(value, awaited=is_awaitable(value))

    def _info(self, compiled: Compiled, root: RootField, asked: Asked) -> ResolveInfo:
        return ResolveInfo(
            root.name,
            root.nodes,
            root.field.type,
            compiled.root_type,
            Path(None, root.key, compiled.root_type.name),
            self._schema,
            compiled.fragments,
            None,
            compiled.operation,
            asked.variables,  # type: ignore[arg-type]
            asked.context,
            is_awaitable,
            None,
            self._helpers,
        )


async def _awaited(value: Awaitable[Any]) -> Outcome:
    try:
        return Outcome(await value, awaited=True)
    except Exception as error:
        return Outcome(error=error, awaited=True)


def data_of(plan: Plan, values: Values, given: list[Any]) -> bytes:
    """The data as JSON, of what the root fields gave. Raises anything at all where something is unusual."""
    arguments = [bind(values) for bind in plan.nested]
    return orjson.dumps(plan.shape(arguments, *given))
