"""What the source of a made schema imports: resolvers' bodies, permissions, a scalar of our own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission, PermissionExtension

from tests.gateway.operations.fuzz.worlds import WORLD, World

Shout = NewType("Shout", str)


def shouted(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"no shout: {type(value).__name__}")
    return value.upper()


def heard(value: Any) -> Shout:
    if not isinstance(value, str):
        raise GraphQLError("nothing was shouted", extensions={"code": "SILENCE"})
    return Shout(value.lower())


SCALARS = {Shout: strawberry.scalar(name="Shout", serialize=shouted, parse_value=heard)}


def answer(owner: str, name: str, source: Any, info: Any, arguments: Mapping[str, Any]) -> Any:
    world = info.context if info else WORLD.get()
    call = world.called(owner, name, getattr(source, "_path", ""), info, arguments)
    return world.produced(owner, name, call)


async def later(owner: str, name: str, source: Any, info: Any, arguments: Mapping[str, Any]) -> Any:
    world = info.context if info else WORLD.get()
    world.waited = True
    call = world.called(owner, name, getattr(source, "_path", ""), info, arguments)
    for _ in range(world.chance("pause", call).randrange(3)):
        await asyncio.sleep(0)
    return world.produced(owner, name, call)


def allows(source: Any, info: strawberry.Info) -> bool:
    world: World = info.context
    return world.chance("allows", getattr(source, "_path", ""), info.field_name).random() >= world.trouble


class Allowed(BasePermission):
    message = "not yours"
    error_extensions = {"code": "FORBIDDEN"}  # noqa: RUF012

    def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
        return allows(source, info)


class AllowedLater(BasePermission):
    message = "not yours either"

    async def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
        info.context.waited = True
        await asyncio.sleep(0)
        return allows(source, info)


class Silent(PermissionExtension):
    def __init__(self) -> None:
        super().__init__([Allowed()], fail_silently=True)


class Seen(FieldExtension):
    """Passes on what it got, sync or not."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **given: Any) -> Any:
        return next_(source, info, **given)

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **given: Any
    ) -> Any:
        return await next_(source, info, **given)
