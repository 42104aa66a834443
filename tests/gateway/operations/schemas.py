"""A schema with one of everything that operations are compiled for."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Union

import strawberry
from strawberry.scalars import JSON


@strawberry.enum
class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


@strawberry.input
class Size:
    width: int
    height: int = 3


@strawberry.input
class Wish:
    names: list[str]
    size: Size | None = None
    mood: Mood = Mood.CALM


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Cat(Named):
    lives: int = 9


@strawberry.type
class Dog(Named):
    tricks: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class Stone:
    weight: float


Thing = Annotated[Union[Cat, Dog, Stone], strawberry.union("Thing")]  # noqa: UP007


@strawberry.type
class Box:
    label: str | None
    at: datetime
    mood: Mood
    data: JSON
    things: list[Thing]
    grid: list[list[int | None]]
    pets: list[Named] | None = None

    @strawberry.field
    def thing(self, position: int = 0) -> Thing | None:
        return self.things[position] if position < len(self.things) else None


@dataclass
class Calls:
    """What root resolvers were called with."""

    seen: list[Any] = field(default_factory=list)
    box: Any = None


def box(**changes: Any) -> Box:
    return Box(
        **{
            "label": "first",
            "at": datetime(2026, 11, 1, tzinfo=UTC),
            "mood": Mood.WILD,
            "data": {"a": [1, None, "x"]},
            "things": [Cat(name="Tom"), Stone(weight=2.5), Dog(name="Rex", tricks=["sit"])],
            "grid": [[1, None], []],
            "pets": [Cat(name="Tom")],
            **changes,
        }
    )


Info = strawberry.Info[Calls, None]


@strawberry.type
class Query:
    @strawberry.field
    def box(self, info: Info) -> Box | None:
        info.context.seen.append("box")
        return info.context.box or box()

    @strawberry.field
    async def later(self, info: Info, wish: Wish, times: int = 2) -> str:
        info.context.seen.append((wish, times))
        return f"{','.join(wish.names)} {wish.size} {wish.mood.name} {times}"

    @strawberry.field
    def fails(self, info: Info) -> str | None:
        info.context.seen.append("fails")
        raise ValueError("on purpose")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def put(self, info: Info, label: str) -> str:
        info.context.seen.append(label)
        return label


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def boxes(self, info: Info, labels: list[str | None]) -> AsyncGenerator[Box, None]:
        for label in labels:
            yield box(label=label, at=None) if label == "broken" else box(label=label)


schema = strawberry.Schema(Query, Mutation, Subscription, types=[Cat, Dog])
