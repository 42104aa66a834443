"""Values that resolvers may return, by scalar: right, nearly right, and wrong."""

import datetime
import decimal
import enum
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import strawberry
from graphql import GraphQLError, Undefined

UTC = datetime.UTC
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


class Whole(int):
    pass


class Text(str):
    __slots__ = ()


class Spoken(enum.StrEnum):
    HEY = "hey"


class Stranger:
    def __repr__(self) -> str:
        return "a stranger"


class Later:
    """Awaitable as often as one likes."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, Any]:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value
        yield

    def __repr__(self) -> str:
        return "later"


RIGHT: dict[str, Sequence[Any]] = {
    "Int": (0, 1, -7, 2**31 - 1, -(2**31)),
    "Float": (0.5, 1.0, -0.0, 1e300, 5e-324, 1e22),
    "String": ("", "x", 'é"\\\n\u2028', "😀", "a" * 40),
    "Boolean": (True, False),
    "ID": ("i", "", "7"),
    "JSON": (
        {"a": [1, None, {"b": "c"}], "": 0.5},
        [],
        "text",
        1,
        None,
        True,
        2**53 + 1,
        {"é": {"z": 1, "a": 2}},
        -(2**63),
        2**64 - 1,
    ),
    "Shout": ("hey", ""),
    "DateTime": (
        datetime.datetime(2026, 1, 2, 3, 4, 5, 678),
        datetime.datetime(2026, 1, 2, tzinfo=UTC),
        datetime.datetime(1, 1, 1, 0, 0, 0, 120000, tzinfo=INDIA),
    ),
    "Date": (datetime.date(2026, 1, 2), datetime.date(1, 1, 1)),
    "Time": (datetime.time(1, 2), datetime.time(1, 2, 3, 4, tzinfo=INDIA)),
    "Decimal": (decimal.Decimal("1.50"), decimal.Decimal("-0"), decimal.Decimal("1E+9")),
    "UUID": (uuid.UUID(int=7),),
}
# Some of them the reference accepts.
NEARLY: dict[str, Sequence[Any]] = {
    "Int": (
        True,
        1.0,
        "3",
        Whole(5),
        -0.0,
        decimal.Decimal(4),
        "",
        1e3,
        2**31,
        -(2**31) - 1,
        1.5,
        float("nan"),
    ),
    "Float": (
        True,
        "1.5",
        7,
        2**53 + 1,
        Whole(5),
        decimal.Decimal("0.1"),
        10**400,
        "",
        float("nan"),
        float("inf"),
        float("-inf"),
    ),
    "String": (1, True, 1.5, Text("sub"), Spoken.HEY, 2**70, 1e300, float("inf"), b"bytes", "\ud800", ["x"]),
    "Boolean": (1, 0, 0.5, Whole(1), "true", "", float("nan"), 2),
    "ID": (7, 1.0, 1.5, Text("sub"), 2**70, Spoken.HEY, uuid.UUID(int=1), True, b"i"),
    "JSON": (
        (1, 2),
        {1: 2},
        {"a": float("nan")},
        float("inf"),
        2**64,
        {"deep": [2**70]},
        [2**70, float("nan")],
        {1, 2},
        Stranger(),
        datetime.date(2026, 1, 2),
        uuid.UUID(int=1),
        Spoken.HEY,
        Text("sub"),
        {Text("k"): 1, "k": 2},
        "\ud800",
        {"\ud800": 1},
        b"bytes",
        decimal.Decimal(1),
        {None: 1, True: 2},
        Whole(3),
        [Later(1)],
        {"a": ValueError("kept")},
    ),
    "Shout": (Text("sub"), Spoken.HEY, "ß", 1, ["x"]),
    "DateTime": (datetime.date(2026, 1, 2), datetime.time(1, 2), "2026-01-02", 1),
    "Date": (datetime.datetime(2026, 1, 2), "2026-01-02", 1),
    "Time": (datetime.date(2026, 1, 2), "01:02"),
    "Decimal": (1, 1.5, "nonsense", decimal.Decimal("NaN"), [1]),
    "UUID": ("nonsense", 1),
}
# Made anew each time: an exception keeps where it was raised, a generator what was taken from it.
WRONG: Sequence[Callable[[], Any]] = (
    *[lambda: None] * 6,
    lambda: "x",
    lambda: 3.5,
    lambda: True,
    dict,
    lambda: {"a": 1},
    list,
    lambda: [None],
    lambda: (1, None),
    lambda: b"bytes",
    Stranger,
    SimpleNamespace,
    lambda: Stranger,
    lambda: len,
    *[lambda: ValueError("returned, not raised")] * 2,
    lambda: GraphQLError("told", extensions={"code": "TOLD", "n": [1]}),
    lambda: GraphQLError("told from elsewhere", path=["elsewhere", 1]),
    lambda: Later(None),
    lambda: Later(ValueError("raised later")),
    lambda: iter([1, 2]),
    lambda: strawberry.UNSET,
    lambda: Undefined,
)
RAISED: Sequence[Callable[[], Exception]] = (
    lambda: ValueError("raised"),
    lambda: KeyError("key"),
    lambda: AttributeError("missing"),
    lambda: StopIteration("stopped"),
    lambda: GraphQLError("refused", extensions={"code": "REFUSED"}),
    TimeoutError,
)


def generated(items: list[Any]) -> Iterator[Any]:
    yield from items


def broken_off(items: list[Any]) -> Iterator[Any]:
    yield from items
    raise ValueError("broken off")


async def streamed(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


SEQUENCES: Sequence[Callable[[list[Any]], Any]] = (
    tuple,
    tuple,
    deque,
    iter,
    generated,
    broken_off,
    streamed,
    lambda items: filter(lambda item: True, items),
    lambda items: dict(enumerate(items)),
    lambda items: dict(enumerate(items)).values(),
    type("Listed", (list,), {}),
    lambda items: items[0] if items else "",
)
