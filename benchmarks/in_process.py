"""Where a page's microseconds go: the whole ASGI application in this process, without sockets or server.

    python benchmarks/in_process.py [--requests 2000] [--only page,...] [--profile [--sort tottime]]

The content and visitors of `pages.py`, on the embedded engine. Each row is CPU time of this process a request,
the best of several batches, and its ratio to the floor: a Starlette route that sends the same pages with orjson.
`--profile` prints where it went, under cProfile, which makes calls look dearer than they are. To sample a server
under load instead: `pages.py --profile FILE`.
"""

import argparse
import asyncio
import cProfile
import itertools
import pstats
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import process_time
from typing import Any

import orjson
import uvloop
from rig import content, floor
from starlette.types import ASGIApp

from gateway.app import build_app
from gateway.services.running import running
from gateway.settings import Settings
from schemas.vocabulary import Scope

BATCHES = 5
SLOWER = {"reasons": 20, "after-event": 10}  # asked fewer times: many traces; the event's write is waited for
Ask = Callable[[], Awaitable[float]]


class Browser:
    """Asks the application as a server would on its behalf, with hand-made messages."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        raw = [(name.encode(), value.encode()) for name, value in content.headers(token).items()]
        self._scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/graphql", "raw_path": b"/graphql", "root_path": "", "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:8000"), *raw], "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
        }  # fmt: skip

    async def post(self, body: bytes, headers: Mapping[bytes, bytes] | None = None) -> bytes:
        answered: list[bytes] = []
        more = [(name, value) for name, value in (headers or {}).items()]
        length = (b"content-length", str(len(body)).encode())
        scope = {**self._scope, "headers": [*self._scope["headers"], *more, length]}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                answered.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return b"".join(answered)

    async def data(self, body: bytes) -> Any:
        answer = orjson.loads(await self.post(body))
        assert "errors" not in answer, answer["errors"][:3]
        return answer["data"]


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """For a gateway that holds the content, and knows the visitors."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Settings(data=Path(folder), consent="opt-out")) as gateway:
            space = await gateway.space("main")
            await space.authoring.load(content.documents(), "benchmark")
            scopes = (Scope.DELIVERY, Scope.EVENTS, Scope.PROFILES)
            token, _ = await gateway.tokens.create("main", scopes, "benchmark")
            asking = Browser(build_app(gateway), token)
            events = content.views()
            for start in range(0, len(events), 500):
                await asking.data(content.tracked(events[start : start + 500]))
            yield asking


async def rows(asking: Browser) -> dict[str, Ask]:
    """Each asks once, for the next visitor, and tells the CPU seconds of it."""

    def page(query: str, headers: Mapping[bytes, bytes] | None = None, browser: Browser = asking) -> Ask:
        bodies = itertools.cycle([content.asked(visitor, query) for visitor in content.VISITORS])
        return lambda: timed(browser.post(next(bodies), headers))

    shown = {who: (await asking.data(content.asked(who)))["page"] for who in content.VISITORS}
    return {
        "floor": page(content.PAGE, browser=Browser(floor.app(shown), "")),
        "page": page(content.PAGE),
        "gzip": page(content.PAGE, {b"accept-encoding": b"gzip"}),
        "without-data": page(content.WITHOUT_DATA),
        "typed": page(content.TYPED),
        "reasons": page(content.REASONED),
        "after-event": after_event(asking),
    }


def after_event(asking: Browser) -> Ask:
    """The first page that a visitor asks for after something was done; the event itself is not counted."""
    rng, visitors = random.Random(3), itertools.cycle(content.VISITORS)

    async def ask() -> float:
        visitor = next(visitors)
        await asking.data(content.tracked([content.view(visitor, f"e{rng.getrandbits(60)}", rng)]))
        return await timed(asking.post(content.asked(visitor)))

    return ask


async def timed(work: Awaitable[object]) -> float:
    started = process_time()
    await work
    return process_time() - started


async def batch(ask: Ask, requests: int) -> float:
    """CPU seconds of as many requests."""
    taken = 0.0
    for number in range(requests):
        taken += await ask()
        if not number % 20:
            await asyncio.sleep(0)  # an application that answers at once would starve what runs beside it
    return taken


async def micro(ask: Ask, requests: int) -> float:
    """CPU microseconds of one request: the best of five batches."""
    size = max(1, requests // BATCHES)
    return min([await batch(ask, size) for _ in range(BATCHES)]) / size * 1e6


async def profiled(ask: Ask, requests: int, sort: str, lines: int) -> None:
    profile = cProfile.Profile()
    with profile:
        await batch(ask, requests)
    pstats.Stats(profile).strip_dirs().sort_stats(sort).print_stats(lines)


async def main(given: argparse.Namespace) -> None:
    async with browser() as asking:
        found = await rows(asking)
        base = 0.0
        for name in (name for name in found if name == "floor" or name in (given.only or found)):
            await batch(found[name], len(content.VISITORS))  # each page is ranked, the operation compiled
            requests = given.requests // SLOWER.get(name, 1)
            taken = await micro(found[name], requests)
            base = base or taken
            print(f"{name:14}{taken:>10,.1f} us CPU a request{taken / base:>8,.1f} x", flush=True)
            if given.profile and name != "floor":
                await profiled(found[name], requests, given.sort, given.lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--only", type=lambda text: text.split(","), help="rows, with commas between")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--sort", default="tottime", help="tottime, cumtime, ncalls")
    parser.add_argument("--lines", type=int, default=45)
    return parser.parse_args()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(arguments()))
