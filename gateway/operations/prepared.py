"""The operations of a schema: prepared once, run often."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

import strawberry
from graphql import GraphQLError

from gateway.operations.arguments import Values
from gateway.operations.bail import NotCompilable
from gateway.operations.bounds import Bounds
from gateway.operations.plans import Compiled, Plan
from gateway.operations.preparing import Prepared, Preparing
from gateway.operations.reference import Asked, Outcome, by_reference, executor_of, introspected
from gateway.operations.results import Result
from gateway.operations.running import Runner, data_of
from gateway.operations.streaming import Source, events, source_of

T = TypeVar("T")
Name: TypeAlias = tuple[str, str | None]  # a document's text, and the operation's name where one was given
Admit: TypeAlias = Callable[[str], GraphQLError | None]

ASIDE = ThreadPoolExecutor(1, "operations")  # one thread: new documents must not crowd out known ones


def everything(text: str) -> GraphQLError | None:
    """Any text may be asked."""
    return None


class Operations:
    """What was refused is not kept: it would push out what is used."""

    def __init__(
        self, schema: strawberry.Schema, bounds: Bounds, kept: int, admit: Admit = everything
    ) -> None:
        """`kept` documents are remembered; `admit` says of a text why it may not be asked."""
        self._schema = schema._schema
        self._preparing = Preparing(schema, bounds)
        self._runner = Runner(schema)
        self._kept = kept
        self._admit = admit
        self._known: OrderedDict[Name, Prepared] = OrderedDict()
        self._pinned: dict[Name, Prepared] = {}
        self.counts = self._preparing.counts

    def known(self, text: str, name: str | None) -> Prepared | None:
        """What was prepared before."""
        found = self._known.get((text, name))
        if found is None:
            return self._pinned.get((text, name))
        self._known.move_to_end((text, name))
        return found

    async def prepare(self, text: str, name: str | None, pinned: bool = False) -> Prepared:
        """Some milliseconds, off the event loop, for a document that is new, else next to nothing.

        What is `pinned` stays, whatever else is asked.
        """
        known = self.known(text, name)
        if known is not None:
            return known
        refused = self._admit(text)
        if refused is not None:
            return Prepared(None, None, (refused,))
        prepared = self._of_one_name(text, name)
        if prepared is None:
            prepared = await _aside(self._preparing.prepare, text, name)
        if not prepared.errors:
            self._keep((text, name), prepared, pinned)
        return prepared

    def _of_one_name(self, text: str, name: str | None) -> Prepared | None:
        """The same document, prepared for a request that did not say which operation."""
        found = self.known(text, None) if name else None
        operation = found.operation if found else None
        return found if operation and operation.name and operation.name.value == name else None

    def _keep(self, name: Name, prepared: Prepared, pinned: bool) -> None:
        if pinned:
            self._pinned[name] = prepared
            return
        self._known[name] = prepared
        if len(self._known) > self._kept:
            self._known.popitem(last=False)

    async def run(self, prepared: Prepared, variables: Mapping[str, Any] | None, context: Any) -> Result:
        """Execute a query or mutation."""
        refused = prepared.refusal(variables or {})
        if refused is not None:
            return Result(None, (refused,))
        asked = Asked(variables, context)
        compiled = prepared.compiled
        if compiled is None:
            return await self._fallback(prepared, asked)
        try:
            values = compiled.bind(variables or {})
            included = compiled.included(values)
        except Exception:  # what is wrong with the variables is for the reference to say
            return await self._unbound(prepared, asked)
        plan = compiled.known(included)
        if plan is None:
            try:
                plan = await _aside(compiled.plan, included)
            except NotCompilable:
                return await self._fallback(prepared, asked)
        return await self._run(prepared, compiled, plan, values, asked)

    async def _run(
        self, prepared: Prepared, compiled: Compiled, plan: Plan, values: Values, asked: Asked
    ) -> Result:
        try:
            outcomes = await self._runner.outcomes(compiled, plan, values, asked)
        except Exception:  # from the arguments: no resolver was called yet
            return await self._bail(prepared, asked)
        try:
            data = data_of(plan, values, [outcome.plain() for outcome in outcomes])
        except Exception:  # an error of a resolver, or a value that is not as it should be
            known = {root.key: outcome for root, outcome in zip(plan.roots, outcomes, strict=True)}
            return await self._bail(prepared, asked, known)
        prepared.counts.hits += 1
        return Result(data)

    async def _unbound(self, prepared: Prepared, asked: Asked) -> Result:
        """Aside, since advice on what might have been meant takes long."""
        refused = prepared.amount(asked.variables or {})
        if refused is not None:
            return Result(None, (refused,))
        executor = await _aside(executor_of, self._schema, prepared, asked)
        if not isinstance(executor, list):
            return await self._bail(prepared, asked)
        prepared.counts.bails += 1
        return Result(None, tuple(executor))

    async def _bail(
        self, prepared: Prepared, asked: Asked, outcomes: Mapping[str, Outcome] | None = None
    ) -> Result:
        prepared.counts.bails += 1
        return await by_reference(self._schema, prepared, asked, outcomes)

    async def _fallback(self, prepared: Prepared, asked: Asked) -> Result:
        if prepared.schema_only:
            return await self._introspected(prepared, asked)
        prepared.counts.fallbacks += 1
        return await by_reference(self._schema, prepared, asked)

    async def _introspected(self, prepared: Prepared, asked: Asked) -> Result:
        """Aside, since it takes as long as the schema is large; kept where it is always the same."""
        if prepared.answer is not None:
            return prepared.answer
        answer = await _aside(introspected, self._schema, prepared, asked)
        if prepared.operation is not None and not prepared.operation.variable_definitions:
            prepared.answer = answer
        return answer

    async def subscribe(
        self, prepared: Prepared, variables: Mapping[str, Any] | None, context: Any
    ) -> AsyncGenerator[Result, None] | Result:
        """A result for each event, or the one that says why there are none. What the source raises, this raises."""
        refused = prepared.refusal(variables or {})
        if refused is not None:
            return Result(None, (refused,))
        asked = Asked(variables, context)
        source = await source_of(self._schema, prepared, asked)
        if not isinstance(source, Source):
            return source
        return events(prepared, asked, source)


async def _aside(work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(ASIDE, work, *arguments)
