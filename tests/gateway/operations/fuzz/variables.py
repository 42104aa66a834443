"""What a client sends as variables: right, or not."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    is_required_input_field,
)

from tests.gateway.operations.fuzz.literals import nullable, one_of
from tests.gateway.operations.fuzz.operations import Variable

RIGHT: dict[str, Sequence[Any]] = {
    "Int": (0, 1, -7, 2**31 - 1, -(2**31), 1.0),
    "Float": (0.5, 1, -0.0, 1e300),
    "String": ("x", "", 'é"\n', "😀"),
    "Boolean": (True, False),
    "ID": ("i", 7, ""),
    "JSON": ({"a": [1, None, {"b": "c"}]}, [], "x", 1.5, 2**70, True),
    "Shout": ("Hey",),
    "DateTime": ("2026-01-02T03:04:05Z", "2026-01-02"),
    "Date": ("2026-01-02",),
    "Time": ("01:02:03",),
    "Decimal": ("1.50", 2, 1.1),
    "UUID": ("00000000-0000-0000-0000-000000000007", "{00000000000000000000000000000007}"),
}
NEARLY: dict[str, Sequence[Any]] = {
    "Int": (2**31, -(2**31) - 1, 1.5, True, "1", 1e10),
    "Float": (True, "1.5", 10**400, 2**53 + 1, float("inf")),
    "String": (1, True, ["x"]),
    "Boolean": (1, 0, "true"),
    "ID": (1.5, 1.0, True, 2**70),
    "Shout": (1, None),
    "DateTime": ("yesterday", 1, ""),
    "Date": ("2026-01-32", "2026-01-02T00:00:00", 20260102),
    "Time": ("25:00", 1),
    "Decimal": ("x", "NaN", True, [1]),
    "UUID": ("x", 7),
}
WRONG: Sequence[Any] = (None, None, "x", 3.5, 1, True, {}, {"a": 1}, [], [None], ["x", 1], "RED", "\ud800")


def variables(chance: Random, wanted: Iterable[Variable]) -> dict[str, Any]:
    wrong = chance.choice((0.0, 0.0, 0.0, 0.05, 0.2))
    sent = {}
    for one in wanted:
        needed = one.default is None and isinstance(one.type_, GraphQLNonNull) and chance.random() >= wrong
        if needed or chance.randrange(3):
            sent[one.name] = Sender(chance, wrong).value(one.type_)
    if chance.randrange(6) == 0:
        sent["unknown"] = {"not": "asked for"}
    return sent


class Sender:
    def __init__(self, chance: Random, wrong: float) -> None:
        self.chance = chance
        self.wrong = wrong

    def value(self, type_: GraphQLInputType, depth: int = 0) -> Any:
        if self.chance.random() < self.wrong:
            return self.chance.choice(WRONG)
        if not isinstance(type_, GraphQLNonNull) and self.chance.randrange(6) == 0:
            return None
        return self.present(nullable(type_), depth)

    def present(self, type_: GraphQLInputType, depth: int) -> Any:
        if isinstance(type_, GraphQLList):
            count = self.chance.randrange(4)
            if count == 3:
                return self.present(nullable(type_.of_type), depth + 1)
            return [self.value(type_.of_type, depth + 1) for _ in range(count)]
        if isinstance(type_, GraphQLInputObjectType):
            return self.object(type_, depth)
        if isinstance(type_, GraphQLEnumType):
            wrong = ["red", "Nothing", 1] if self.chance.random() < self.wrong else []
            return self.chance.choice(wrong or sorted(type_.values))
        assert isinstance(type_, GraphQLScalarType)
        nearly = type_.name in NEARLY and self.chance.random() < 2 * self.wrong
        return self.chance.choice((NEARLY if nearly else RIGHT)[type_.name])

    def object(self, type_: GraphQLInputObjectType, depth: int) -> Any:
        fields = list(type_.fields.items())
        if one_of(type_) and self.chance.random() >= self.wrong:
            name, one = self.chance.choice(fields)
            return {name: self.present(nullable(one.type), depth + 1)}
        sent = {}
        for name, one in fields:
            if is_required_input_field(one) or (depth < 3 and self.chance.randrange(2)):
                sent[name] = self.value(one.type, depth + 1)
        if self.chance.random() < self.wrong:
            self.chance.choice(BROKEN)(sent)
        return sent


def _unknown(sent: dict[str, Any]) -> None:
    """Never more than there are fields: that is refused before it is coerced."""
    if sent:
        sent.popitem()
        sent["unknwon"] = 1


def _incomplete(sent: dict[str, Any]) -> None:
    for name in list(sent)[:1]:
        del sent[name]


BROKEN: Sequence[Callable[[dict[str, Any]], None]] = (_unknown, _incomplete)
