"""One operation answered twice, by graphql-core and by `gateway.operations`, and where the answers differ."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from random import Random
from typing import Any

import orjson
import strawberry
from graphql import DocumentNode, GraphQLError, OperationType, execute, parse

from gateway.operations.bounds import Bounds
from gateway.operations.limits import Limits
from gateway.operations.prepared import Operations
from gateway.operations.preparing import Prepared
from gateway.operations.reference import MOST_ERRORS, NO_JSON
from tests.gateway.operations.fuzz.operations import Document
from tests.gateway.operations.fuzz.schemas import Made
from tests.gateway.operations.fuzz.values import produce
from tests.gateway.operations.fuzz.variables import variables
from tests.gateway.operations.fuzz.worlds import WORLD, World

TROUBLES = (0.0, 0.0, 0.01, 0.03, 0.1, 0.3)  # mostly one value at a time: a second one would hide the first
ADDRESS = re.compile(r"0x[0-9a-f]+|\bat \d{9,}")
ROOT = re.compile(r"^\.(root\d+)")
UNWRITABLE = "no JSON"
LIMITS = Limits(tokens=100_000, characters=1_000_000, cost=10**12, fields=10**6, comparisons=10**6)
TIMES = 8  # each document is run: what is compiled may be compiled at second sight


def operations(schema: strawberry.Schema) -> Operations:
    """The one place that knows what it takes."""
    return Operations(schema, Bounds(schema._schema, LIMITS, {}), kept=16)


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` as JSON text, keys in their order."""

    data: str | None
    errors: tuple[str, ...]
    sure: frozenset[str]  # those that do not depend on what fails first
    calls: tuple[str, ...]
    nested: frozenset[str]
    waited: bool


@dataclass(frozen=True, slots=True)
class Case:
    made: Made
    document: Document
    sent: Mapping[str, Any]
    seed: int
    trouble: float

    def world(self) -> World:
        return World(self.made.schema._schema, produce, self.seed, self.trouble)


def case(made: Made, chance: Random, written: Document) -> Case:
    """What is sent with the document this time, and what resolvers make of it."""
    sent = variables(chance, written.variables)
    return Case(made, written, sent, chance.randrange(10_000), chance.choice(TROUBLES))


async def differing(one: Case, known: Operations, prepared: Prepared, parsed: DocumentNode) -> str | None:
    """None where both answer alike, else both answers and how to get them."""
    expected = await by_reference(one, parsed)
    given = await by_us(one, known, prepared)
    return None if alike(one, expected, given, prepared.kind) else report(one, expected, given)


def alike(one: Case, expected: Answer, given: Answer, kind: OperationType | None) -> bool:
    return (
        given.data == expected.data
        and (given.errors == expected.errors or (expected.waited and given.sure == expected.sure))
        and called_alike(one.document.text, expected, given, kind)
    )


def called_alike(text: str, expected: Answer, given: Answer, kind: OperationType | None) -> bool:
    """Where a root of a query fails, the reference may leave those beside it uncalled: we need not."""
    if kind is OperationType.MUTATION:
        return given.calls == expected.calls
    if not expected.errors:
        return sorted(given.calls) == sorted(expected.calls) and given.nested == expected.nested
    ours = Counter(given.calls)
    return Counter(expected.calls) <= ours and all(
        count <= max(1, len(re.findall(rf"\b{ROOT.findall(call)[0]}(Told)?\b", text)))
        for call, count in ours.items()
    )


async def by_reference(one: Case, parsed: DocumentNode) -> Answer:
    world = one.world()
    WORLD.set(world)
    result = execute(
        world.schema,
        parsed,
        context_value=world,
        variable_values=dict(one.sent),
        operation_name=one.document.name,
        max_coercion_errors=MOST_ERRORS,
    )
    found: Any = await result if isawaitable(result) else result
    errors = found.errors or ()
    ran = found.data is not None or any(error.path for error in errors)
    return answered(world, written(found.data) if ran else None, errors)


async def by_us(one: Case, known: Operations, prepared: Prepared) -> Answer:
    world = one.world()
    WORLD.set(world)
    try:
        result = await known.run(prepared, one.sent, world)
        if any(error.message == NO_JSON for error in result.errors):
            return answered(world, UNWRITABLE, ())
        return answered(world, ordered(result.data) if result.data is not None else None, result.errors)
    except Exception as error:  # a difference too, to be told like any other
        return answered(world, json.dumps(f"raised {type(error).__name__}: {error}"), ())


def answered(world: World, data: str | None, errors: Iterable[GraphQLError]) -> Answer:
    world.close()
    sure: set[str] = set()
    found = [] if data == UNWRITABLE else list(errors)
    tree = json.loads(data) if data not in {None, UNWRITABLE} else None
    for error in found:
        null = null_above(tree, error.path or ())
        sure.add(formatted(error) if null is None else f"something below {null}")
    return Answer(
        data,
        tuple(sorted(map(formatted, found))),
        frozenset(sure),
        tuple(ADDRESS.sub("0x", call) for call in world.calls),
        frozenset(ADDRESS.sub("0x", call) for call in world.nested),
        world.waited,
    )


def null_above(tree: Any, path: Sequence[str | int]) -> Sequence[str | int] | None:
    """Where the data is null above the place that an error tells of."""
    for depth, step in enumerate(path):
        if tree is None:
            return path[:depth]
        tree = (
            tree[step] if isinstance(step, int) else next((pair[step] for pair in tree if step in pair), None)
        )
    return None


def written(data: Any) -> str:
    """As orjson writes it; where that refuses, as the standard library does, but never as NaN."""
    try:
        return ordered(orjson.dumps(data))
    except TypeError:
        pass
    try:
        text = json.dumps(data, default=lambda value: orjson.loads(orjson.dumps(value)), ensure_ascii=False)
        return ordered(
            text.replace("NaN", "null").replace("-Infinity", "null").replace("Infinity", "null").encode()
        )
    except (TypeError, UnicodeEncodeError):
        return UNWRITABLE


def ordered(data: bytes) -> str:
    """JSON text that is equal for equal keys in equal order; a key that stands twice is seen."""
    found = json.loads(data, object_pairs_hook=pairs, parse_constant=refuse)
    return ADDRESS.sub("0x", json.dumps(found))


def pairs(of: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value} for key, value in of]


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def formatted(error: GraphQLError) -> str:
    return ADDRESS.sub("0x", repr({**error.formatted, "cause": type(error.original_error).__name__}))


def report(one: Case, expected: Answer, given: Answer) -> str:
    return "\n".join(
        (
            "--- schema", one.made.source,
            "--- SDL", one.made.schema.as_str(),
            "--- document", one.document.text,
            f"--- operation {one.document.name}, variables {dict(one.sent)!r}",
            f"--- world {one.seed}, trouble {one.trouble}",
            "--- graphql-core", *told(expected),
            "--- operations", *told(given),
        )
    )  # fmt: skip


def told(answer: Answer) -> list[str]:
    return [str(answer.data), *answer.errors, *(f"called {call}" for call in answer.calls),
            *(f"called below {call}" for call in sorted(answer.nested))]  # fmt: skip


async def ready(made: Made, one: Document, known: Operations) -> tuple[Prepared, DocumentNode]:
    """The document as we prepared it, and a copy of its own for the reference."""
    prepared = await known.prepare(one.text, one.name)
    assert not prepared.errors, f"{prepared.errors}\n{made.source}\n{one.text}"
    return prepared, parse(one.text)
