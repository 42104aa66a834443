"""The demo's two spaces: a shop that does not exist, and a site whose visitors did."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import resources
from itertools import groupby
from typing import Any

import orjson

from gateway.core.bundles import Bundle, read_bundle
from gateway.core.events import Event
from gateway.demo import msweb
from gateway.errors import InvalidContent
from gateway.services.gateway import Gateway
from gateway.services.space import Space

SHOP, MSWEB = "shop", "msweb"
AT_ONCE = 500  # events in one request
IN_FLIGHT = 2  # requests: one is being written while the next is made ready

Progress = Callable[[int, int], None]


async def load(gateway: Gateway) -> tuple[Space, Space]:
    """Both spaces with their content; loading again what is there changes nothing."""
    shop, visited = await gateway.create_space(SHOP), await gateway.create_space(MSWEB)
    text = resources.files("gateway.demo").joinpath("shop.yaml").read_bytes()
    bundle, problems = read_bundle(text, "shop.yaml")
    if problems:
        raise InvalidContent("the demo's shop.yaml is damaged", problems)
    await shop.authoring.load(bundle, "demo")
    await visited.authoring.load(_areas(), "demo")
    return shop, visited


def _areas() -> Bundle:
    kinds = {"blockTypes": "blockType", "segments": "segment", "blocks": "block", "pages": "page"}
    return Bundle.of({kinds[name]: documents for name, documents in msweb.areas().items()})


def personas() -> list[dict[str, Any]]:
    """`[{name, story, visitor, context, events}]`: people to try the shop with."""
    text = resources.files("gateway.demo").joinpath("personas.json").read_bytes()
    found: list[dict[str, Any]] = orjson.loads(text)
    return found


async def replay(space: Space, visitors: int | None, on_progress: Progress) -> int:
    """Send the visits through the intake like any events, and let all of them count; returns how many."""
    events = list(_events(visitors))
    if await space.knows_events([events[0].id, events[-1].id]):
        return 0
    done = 0
    free = asyncio.Semaphore(IN_FLIGHT)

    async def send(batch: tuple[Event, ...]) -> None:
        nonlocal done
        async with free:
            await space.intake.submit(batch)
        done += len(batch)
        on_progress(done, len(events))

    batches = (tuple(events[start : start + AT_ONCE]) for start in range(0, len(events), AT_ONCE))
    await asyncio.gather(*map(send, batches))
    await space.profiles.fold()
    await space.update_signals(older_than=0.0)
    return done


def _events(visitors: int | None) -> Iterator[Event]:
    documents = msweb.visits(end=datetime.now(UTC))
    for number, (_, visits) in enumerate(groupby(documents, key=lambda document: document["visitor"])):
        if number == visitors:
            return
        for visit in visits:
            at = datetime.fromisoformat(visit["occurredAt"]).timestamp()
            yield Event(visit["id"], visit["type"], visit["visitor"], at, block=visit["block"])
