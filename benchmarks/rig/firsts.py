"""What is asked for the first time: a page after something was done, a document that nobody has sent before."""

import asyncio
import hashlib
import itertools
import random
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from rig import content
from rig.client import HEAD_ENDS, Connection, connected, raw
from rig.ours import Gateway

CLIENTS = 16


@dataclass(frozen=True)
class Seen:
    cpu: float  # of the gateway, microseconds: of an event and its page, or of a document
    took: list[float]  # milliseconds of each page, sorted


async def after_events(gateway: Gateway, seconds: float, own: bool) -> Seen:
    """Events, each followed by a page once it is acknowledged: for who did it, or for a visitor who did nothing.

    The difference between the two is what the event makes of the page: all else is the same.
    """
    rng = random.Random()
    visitors = itertools.cycle(
        zip(content.VISITORS, content.VISITORS if own else content.OTHERS, strict=True)
    )
    pages = dict(zip(content.VISITORS, gateway.pages(), strict=True))
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def visit(connection: Connection) -> None:
        while time.perf_counter() < until:
            visitor, doer = next(visitors)
            event = content.view(doer, f"after-{rng.getrandbits(60)}", rng)
            await connection.data(gateway.post(content.tracked([event])))
            asked = time.perf_counter()
            await connection.ask(pages[visitor])
            took.append((time.perf_counter() - asked) * 1e3)

    async with connected(gateway.server.port, CLIENTS) as connections:
        for request in pages.values():  # what earlier events made new is ranked before it counts
            await connections[0].ask(request)
        before = gateway.server.cpu()
        await asyncio.gather(*map(visit, connections))
        taken = gateway.server.cpu() - before
    return Seen(taken / len(took) * 1e6, sorted(took))


async def cold_documents(gateway: Gateway, count: int) -> Seen:
    """One new document after the other, each for a page that is warm."""
    name = random.Random().getrandbits(40)
    took = []
    async with connected(gateway.server.port) as (connection,):
        for request in gateway.pages():
            await connection.ask(request)
        before = gateway.server.cpu()
        for number, visitor in zip(range(count), itertools.cycle(content.VISITORS), strict=False):
            query = content.PAGE.replace("title", f"never{name}seen{number}: title")
            request = gateway.post(content.asked(visitor, query))
            asked = time.perf_counter()
            await connection.data(request)
            took.append((time.perf_counter() - asked) * 1e3)
        taken = gateway.server.cpu() - before
    return Seen(taken / count * 1e6, sorted(took))


async def persisted(gateway: Gateway) -> list[bytes] | None:
    """A GET by hash for each visitor, once the document was sent; None where the gateway keeps none."""
    digest = hashlib.sha256(content.PAGE.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    sent = orjson.loads(content.asked(content.VISITORS[0])) | {"extensions": extensions}
    found = [_get(gateway, visitor, extensions) for visitor in content.VISITORS]
    async with connected(gateway.server.port) as (connection,):
        await connection.ask(gateway.post(orjson.dumps(sent)))
        head, _, body = (await connection.ask(found[0])).partition(HEAD_ENDS)
    return found if head.startswith(b"HTTP/1.1 200") and "errors" not in orjson.loads(body) else None


def _get(gateway: Gateway, visitor: str, extensions: dict[str, Any]) -> bytes:
    variables = orjson.loads(content.asked(visitor))["variables"]
    parameters = {"variables": variables, "extensions": extensions}
    query = {"operationName": "Page"} | {name: orjson.dumps(value) for name, value in parameters.items()}
    headers = content.headers(gateway.token)
    del headers["content-type"]
    return raw(None, headers, f"/graphql?{urlencode(query)}", "GET")
