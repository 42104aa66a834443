"""What resolvers of a made schema answer: the same for the same seed, field, parent and arguments, in any order."""

from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
)


@dataclass(eq=False)
class World:
    """One execution's. `trouble` is how often a value is not what its type promises."""

    schema: GraphQLSchema
    produce: Callable[["World", GraphQLOutputType, str], Any]  # a value of the type, or an error
    seed: int
    trouble: float = 0.0
    calls: list[str] = field(default_factory=list)  # of root resolvers, in order, with their arguments
    nested: set[str] = field(default_factory=set)
    waited: bool = False  # something was awaited: what fails at once may fail in any order
    closed: bool = False
    coroutines: list[Coroutine[Any, Any, Any]] = field(default_factory=list)

    @cached_property
    def fields(self) -> Mapping[tuple[str, str], GraphQLField]:
        """By class and Python name."""
        return {
            (type_.extensions["strawberry-definition"].origin.__name__, python_name(one)): one
            for type_ in self.schema.type_map.values()
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and type_.extensions
            for one in type_.fields.values()
        }

    def called(self, owner: str, name: str, path: str, info: Any, arguments: Mapping[str, Any]) -> str:
        call = f"{path}.{name}({dict(arguments)!r})"
        told = f" {info.path.as_list()} {info.python_name} {info.selected_fields}" if info else ""
        if owner in {"Query", "Mutation"}:
            self.calls.append(call + told)
        else:
            self.nested.add(call + told)
        return call

    def produced(self, owner: str, name: str, path: str) -> Any:
        """What a field gives at a path, which says all that it depends on."""
        return self.produce(self, self.fields[owner, name].type, path)

    def chance(self, *path: object) -> Random:
        return Random(f"{self.seed}{path}")

    def close(self) -> None:
        """What nobody awaited must not warn; the reference may go on with what nobody waits for."""
        self.closed = True
        for one in self.coroutines:
            one.close()


def python_name(one: GraphQLField) -> str:
    return str(one.extensions["strawberry-definition"].python_name)


WORLD: ContextVar[World] = ContextVar("WORLD")


class Lazy:
    """An object whose attributes are made when they are read, and kept."""

    _world: World
    _path: str
    _type: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (self._type, name) not in self._world.fields:
            raise AttributeError(f"no {name}")
        value = self.computed(name)
        self.__dict__[name] = value
        return value

    def computed(self, name: str) -> Any:
        return self._world.produced(self._type, name, f"{self._path}.{name}")
