"""Any order, repetition and partition of a stream of events over four processes gives the same profiles."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.events import Event
from gateway.core.memory import Memory, Trait, blank, from_bytes, merge, remember
from gateway.services.recovery import recover
from gateway.storage.client import SpaceStore
from recommenders.interests import Interests
from tests.gateway.services.processes import AT_ONCE, LEARNING, NOW, Process, features, process

HOUR = 3600.0
PROCESSES = 4
VISITORS = ("ann", "bob")
_examples = count(1)


@dataclass(frozen=True)
class Sent:
    """One request: these of the events, to that process; then it may fold, or fold what others left open."""

    to: int
    events: Sequence[int]
    identify: bool
    then: str


@st.composite
def events(draw: st.DrawFn, number: int) -> Event:
    """Up to 72 hours late, or by a clock that is ahead."""
    return Event(
        id=f"e{number}",
        visitor=draw(st.sampled_from(VISITORS)),
        type=draw(st.sampled_from(["view", "click", "add_to_cart", "purchase", "dismiss"])),
        at=NOW - draw(st.sampled_from([-300.0, 0.0, 1.0, 1700.0, 2.5 * HOUR, 26 * HOUR, 72 * HOUR])) - number,
        block=draw(st.sampled_from([None, "travel", "city"])),
        page=draw(st.sampled_from([None, "home"])),
        value=draw(st.sampled_from([None, 12.5, 80.0])),
    )


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Event], list[Sent]]:
    """Some events, and how they are sent: each at least once, many again, some all of them once more."""
    stream = [draw(events(number)) for number in range(draw(st.integers(1, 10)))]
    numbers = st.integers(0, len(stream) - 1)
    again = draw(st.lists(numbers, max_size=8))
    replayed = list(range(len(stream))) if draw(st.booleans()) else []
    order = draw(st.permutations([*range(len(stream)), *again])) + replayed
    sent = []
    while order:
        size = draw(st.integers(1, 4))
        sent.append(
            Sent(
                to=draw(st.integers(0, PROCESSES - 1)),
                events=list(dict.fromkeys(order[:size])),
                identify=draw(st.booleans()),
                then=draw(st.sampled_from(["", "", "fold", "recover"])),
            )
        )
        order = order[size:]
    return stream, sent


@asynccontextmanager
async def four(space: SpaceStore, name: str) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(process(space, f"{name}x{n}", gather=0.0))
            for n in range(PROCESSES)
        ]


def traits(number: int) -> Memory:
    return replace(blank(LEARNING), traits={"plan": Trait(number, NOW + number)})


def named(event: Event, name: str) -> Event:
    return replace(event, id=f"{name}-{event.id}", visitor=f"{name}-{event.visitor}")


async def send(one: Process, sent: Sent, number: int, stream: Sequence[Event], name: str) -> None:
    said = {f"{name}-ann": traits(number)} if sent.identify else None
    await one.intake.submit([stream[place] for place in sent.events], extra=said)
    if sent.then == "fold":
        await one.profiles.fold()
    elif sent.then == "recover":  # from processes that live: it takes over what is theirs
        await recover(one.profiles._events, one.profiles, one.name, AT_ONCE)


def expected(stream: Sequence[Event], sent: Sequence[Sent], visitor: str, name: str) -> Memory:
    """Everything once, in the order it happened, in one process."""
    theirs = sorted((event for event in stream if event.visitor == visitor), key=lambda event: event.at)
    memory = remember([(event, features(event.block, event.variant)) for event in theirs], LEARNING)
    said = [number for number, one in enumerate(sent) if one.identify]
    if said and visitor == f"{name}-ann":
        memory = merge(memory, traits(max(said)), LEARNING.names)
    return memory


def faded(interests: Interests) -> Mapping[str, float]:
    """What they are at one time, whatever they are counted from."""
    by = 2.0 ** ((interests.landmark - NOW) / interests.half_life)
    return {name: weight * by for name, weight in interests.sums.items()}


def alike(one: Any, other: Any) -> bool:
    """Equal, but for the last bits of floats."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, Interests):
        return isinstance(other, Interests) and alike(faded(one), faded(other))
    if is_dataclass(one):
        return type(one) is type(other) and all(
            alike(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
        )
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(alike(value, other[name]) for name, value in one.items())
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories(), st.booleans())
async def test_any_stream_over_four_processes_gives_the_same_profiles(
    space: SpaceStore, story: tuple[list[Event], list[Sent]], at_once: bool
) -> None:
    name = f"s{next(_examples)}"
    stream, sent = [named(event, name) for event in story[0]], story[1]
    visitors = [f"{name}-{visitor}" for visitor in VISITORS]
    async with four(space, name) as processes:
        work = [send(processes[one.to], one, number, stream, name) for number, one in enumerate(sent)]
        if at_once:
            await asyncio.gather(*work)
        else:
            for one in work:
                await one
        seen = [await one.profiles.get_many(visitors) for one in processes]
        for _ in range(PROCESSES):  # who loses a race folds again
            for one in processes:
                await one.profiles.fold()
    stored = await space.profiles.get_many(visitors)
    for visitor in visitors:
        right = expected(stream, sent, visitor, name)
        assert all(alike(profiles[visitor].memory, right) for profiles in seen)
        if visitor in stored:
            assert alike(from_bytes(stored[visitor].body), right)
    assert await space.events.open_moves(visitors) == {}
    logged = [event.id for visitor in visitors for _, event in await space.events.of_visitor(visitor)]
    assert sorted(logged) == sorted(event.id for event in stream)
