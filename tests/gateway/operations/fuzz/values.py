"""Values of a GraphQL type as a resolver may return them."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLUnionType,
)

from tests.gateway.operations.fuzz.samples import (
    NEARLY,
    RAISED,
    RIGHT,
    SEQUENCES,
    WRONG,
    Later,
    Spoken,
    streamed,
)
from tests.gateway.operations.fuzz.worlds import Lazy, World


def produce(world: World, type_: GraphQLOutputType, path: str) -> Any:
    """What an attribute or resolver gives, or raises."""
    return Maker(world, world.chance(path)).answer(type_, path)


class Duck(Lazy):
    """Has the attributes, and is of no type that the schema knows."""

    def __repr__(self) -> str:
        return "a duck"


@dataclass(frozen=True, slots=True)
class Maker:
    world: World
    chance: Random

    def answer(self, type_: GraphQLOutputType, path: str) -> Any:
        if self.chance.random() < self.world.trouble / 3:
            raise self.chance.choice(RAISED)()
        return self.value(type_, path)

    def value(self, type_: GraphQLOutputType, path: str) -> Any:
        draw = self.chance.random()
        if draw < self.world.trouble / 2:
            wrong = self.chance.choice(WRONG)()
            self.world.waited |= isinstance(wrong, Later)
            return wrong
        made = self.plain(type_, path)
        return self.awaitable(made) if draw > 1 - self.world.trouble / 8 else made

    def awaitable(self, value: Any) -> Any:
        self.world.waited = True
        if self.chance.randrange(2) or self.world.closed:
            return Later(value)
        coroutine = _give(value)
        self.world.coroutines.append(coroutine)
        return coroutine

    def plain(self, type_: GraphQLOutputType, path: str) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self.present(type_.of_type, path)
        return None if self.chance.random() < 0.2 else self.present(type_, path)

    def present(self, type_: GraphQLOutputType, path: str) -> Any:
        if isinstance(type_, GraphQLList):
            return self.sequence(
                [self.value(type_.of_type, f"{path}.{n}") for n in range(self.chance.randrange(4))]
            )
        if isinstance(type_, GraphQLScalarType):
            return self.scalar(type_.name)
        if isinstance(type_, GraphQLEnumType):
            return self.member(type_)
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
        return self.object(type_, path)

    def scalar(self, name: str) -> Any:
        nearly = self.chance.random() < self.world.trouble
        return self.chance.choice((NEARLY if nearly else RIGHT)[name])

    def member(self, type_: GraphQLEnumType) -> Any:
        members = list(type_.extensions["strawberry-definition"].wrapped_cls)
        if self.chance.random() < self.world.trouble:
            return self.chance.choice(
                [*(one.value for one in members), *type_.values, Spoken.HEY, "red", [1]]
            )
        return self.chance.choice(members)

    def sequence(self, items: list[Any]) -> Any:
        if self.chance.random() >= self.world.trouble:
            return items
        form = self.chance.choice(SEQUENCES)
        self.world.waited |= form is streamed
        return form(items)

    def object(self, type_: GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType, path: str) -> Any:
        concrete = type_
        if not isinstance(type_, GraphQLObjectType):
            concrete = self.chance.choice(list(self.world.schema.get_possible_types(type_)))
        origin = origin_of(concrete)
        if self.chance.random() < self.world.trouble:
            return self.unusual(type_, origin, path)
        if isinstance(type_, GraphQLObjectType) and not type_.interfaces and self.chance.randrange(5) == 4:
            return self.made(Duck, origin, path)
        return self.made(origin, origin, path)

    def unusual(self, type_: Any, origin: type, path: str) -> Any:
        forms: list[Callable[[], Any]] = [
            lambda: self.made(Duck, origin, path),
            lambda: self.made(type(f"Sub{origin.__name__}", (origin,), {}), origin, path),
            lambda: strawberry.cast(origin, self.made(Duck, origin, path)),
            lambda: strawberry.cast(self.chance.choice(self.origins()), self.made(origin, origin, path)),
            lambda: self.made(self.chance.choice(self.origins()), origin, path),
            lambda: self.made(self.chance.choice(origin.__mro__[:-1]), origin, path),
            lambda: {"a": 1, "name": "dict"},
        ]
        return self.chance.choice(forms)()

    def origins(self) -> list[type]:
        return [origin_of(one) for one in self.world.schema.type_map.values()
                if isinstance(one, GraphQLObjectType) and one.extensions]  # fmt: skip

    def made(self, cls: Any, of: type, path: str) -> Any:
        made = cls.__new__(cls)
        made.__dict__.update(_world=self.world, _type=of.__name__, _path=path)
        return made


def origin_of(type_: Any) -> type:
    origin: type = type_.extensions["strawberry-definition"].origin
    return origin


async def _give(value: Any) -> Any:
    return value
