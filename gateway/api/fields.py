"""Root fields: each names the scope that it needs, so that none can be forgotten."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import wraps
from typing import Any

import strawberry
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

from gateway.api.failures import told
from gateway.api.request import Info
from schemas.pages import PageTypes
from schemas.vocabulary import Scope

Resolver = Callable[..., Awaitable[Any]]
Stream = Callable[..., AsyncGenerator[Any, None]]


@dataclass(frozen=True, slots=True)
class RootField:
    name: str
    scope: Scope
    resolver: Resolver | Stream
    type: Callable[[PageTypes], Any] | None  # where the type depends on the block types
    description: str | None


class Root:
    """The fields of Query, Mutation or Subscription, gathered by decorators."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: list[RootField] = []

    def field(
        self,
        scope: Scope,
        type: Callable[[PageTypes], Any] | None = None,  # noqa: A002
    ) -> Callable[[Resolver], Resolver]:
        def add(resolver: Resolver) -> Resolver:
            @wraps(resolver)
            async def guarded(info: Info, *args: Any, **kwargs: Any) -> Any:
                try:
                    await info.context.require(scope)
                    return await resolver(info, *args, **kwargs)
                except Exception as error:
                    raise told(error) from error

            self.fields.append(RootField(resolver.__name__, scope, guarded, type, inspect.getdoc(resolver)))
            return resolver

        return add

    def stream(
        self,
        scope: Scope,
        type: Callable[[PageTypes], Any] | None = None,  # noqa: A002
    ) -> Callable[[Stream], Stream]:
        """A field of Subscription, whose resolver yields."""

        def add(resolver: Stream) -> Stream:
            @wraps(resolver)
            async def guarded(info: Info, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
                try:
                    await info.context.require(scope)
                    async with aclosing(resolver(info, *args, **kwargs)) as found:
                        async for one in found:
                            await info.context.require(scope)  # still, before it is told anything
                            yield one
                            del one  # while the next is waited for, this is not kept
                except Exception as error:
                    raise told(error) from error

            self.fields.append(RootField(resolver.__name__, scope, guarded, type, inspect.getdoc(resolver)))
            return resolver

        return add

    def build(self, types: PageTypes) -> type:
        fields = []
        for root in self.fields:
            streams = inspect.isasyncgenfunction(root.resolver)
            field: StrawberryField = (strawberry.subscription if streams else strawberry.field)(  # type: ignore[assignment]
                resolver=root.resolver,
                description=root.description,
                graphql_type=root.type(types) if root.type else None,
            )
            field.python_name = root.name
            fields.append(field)
        return create_type(self.name, fields)
