"""Ten thousand idle subscribers to the demo's page in one process: what each costs, and what a publication does.

    python benchmarks/subscribers.py [--count 10000] [--over websocket sse] [--processes 2]

The gateway is in this process, on the embedded engine; the subscribers, each with a visitor and a connection of its
own, are in others, which speak just enough WebSocket and HTTP for it. Printed: memory for each subscriber, then
for one publication the time until all have the new page, the largest lag of the loop meanwhile (and what it is
without a publication), the time of queries that were sent meanwhile, and the CPU for each push.
"""

import argparse
import asyncio
import base64
import gc
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import resources
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import uvloop

from gateway.app import build_app
from gateway.core.bundles import Bundle, read_bundle
from gateway.core.events import Event
from gateway.server import serving, settle
from gateway.services.gateway import Gateway
from gateway.services.space import Space
from gateway.settings import Settings
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine

OPENING = 50  # connections that one process opens at a time
PATIENCE = 300.0  # seconds
HEADERS = (
    "user-agent: Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1\r\naccept-language: en-GB,en;q=0.9\r\naccept-encoding: gzip\r\n"
    "cache-control: no-cache\r\nblockloom-space: shop\r\n"
)
SUBSCRIPTION = """\
subscription ($visitor: ID!) {
  page(slug: "home", visitor: $visitor) { title revision slots { name blocks { key type variant position data } } }
}"""
QUERY = '{ page(slug: "home", visitor: "somebody") { slots { blocks { key variant data } } } }'


# --- subscribers, in processes of their own ---


class Subscriber(asyncio.Protocol):
    """One connection; `pushed` is called with the time of each page that has arrived whole."""

    def __init__(self, visitor: str, pushed: Callable[[float], None]) -> None:
        self.visitor = visitor
        self.pushed = pushed
        self.opened = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.pages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.begin()

    def begin(self) -> None:
        raise NotImplementedError

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"closed: {exc}"))

    def page(self) -> None:
        self.pages += 1
        if not self.opened.done():
            self.opened.set_result(None)
        self.pushed(time.monotonic())

    @property
    def operation(self) -> dict[str, Any]:
        return {"query": SUBSCRIPTION, "variables": {"visitor": self.visitor}}


class OverWebSocket(Subscriber):
    shaken = False

    def begin(self) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n{HEADERS}"
            f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.shaken:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self.shaken, self.buffer = True, rest
            self.say({"type": "connection_init"})
        while (frame := self.frame()) is not None:
            self.heard(*frame)

    def frame(self) -> tuple[int, bytes] | None:
        """(opcode, payload) of the next one."""
        if len(self.buffer) < 2:
            return None
        size, start = self.buffer[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            if len(self.buffer) < start:
                return None
            size = int.from_bytes(self.buffer[2:start], "big")
        if len(self.buffer) < start + size:
            return None
        found = self.buffer[0] & 15, self.buffer[start : start + size]
        self.buffer = self.buffer[start + size :]
        return found

    def heard(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.write(10, payload)
        elif b'"connection_ack"' in payload[:60]:
            self.say({"id": "1", "type": "subscribe", "payload": self.operation})
        elif b'"next"' in payload[:60]:
            assert b'"errors"' not in payload, payload[:500]
            self.page()
        else:
            self.transport.abort()

    def say(self, message: Mapping[str, Any]) -> None:
        self.write(1, orjson.dumps(message))

    def write(self, opcode: int, payload: bytes) -> None:
        """Masked, as a client must, but by zeros."""
        size = len(payload)
        length = bytes([128 | size]) if size < 126 else bytes([128 | 126]) + size.to_bytes(2, "big")
        self.transport.write(bytes([128 | opcode]) + length + bytes(4) + payload)


class OverSse(Subscriber):
    def begin(self) -> None:
        body = orjson.dumps(self.operation)
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n{HEADERS}"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        *whole, self.buffer = self.buffer.split(b"\n\n")
        for event in whole:
            if b"event: next" in event:
                assert b'"errors"' not in event, event[:500]
                self.page()


KINDS: Mapping[str, type[Subscriber]] = {"websocket": OverWebSocket, "sse": OverSse}


def subscribe(kind: str, port: int, number: int, count: int, told: Connection) -> None:
    raise_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_subscribe(kind, port, number, count, told))


async def _subscribe(kind: str, port: int, number: int, count: int, told: Connection) -> None:
    """Says that all have their first page; then, of each that is asked for, the times it arrived at."""
    loop = asyncio.get_running_loop()
    arrived: list[float] = []
    full = asyncio.Event()

    def pushed(at: float) -> None:
        arrived.append(at)
        if len(arrived) == count:
            full.set()

    gate = asyncio.Semaphore(OPENING)
    address = f"127.0.0.{10 + number}"  # each process its own, lest ports run out
    everybody: list[Subscriber] = []

    async def open_one(index: int) -> None:
        async with gate:
            _, found = await loop.create_connection(
                lambda: KINDS[kind](visitor(number, index), pushed),
                "127.0.0.1",
                port,
                local_addr=(address, 0),
            )
            everybody.append(found)
            await found.opened

    await asyncio.gather(*(open_one(index) for index in range(count)))
    await full.wait()
    gc.freeze()
    told.send("opened")
    while await asyncio.to_thread(told.recv):
        arrived.clear()
        full.clear()
        told.send("ready")
        await asyncio.wait_for(full.wait(), PATIENCE)
        told.send(arrived)
    for one in everybody:
        one.transport.abort()
    await asyncio.sleep(0.1)


# --- the gateway, in this one ---


class Heart:
    """How late the loop is, by a beat each millisecond: on the clock, and by the CPU that it used itself meanwhile.

    The second is what this program is to blame for; the first has what others on the machine take as well.
    """

    def __init__(self) -> None:
        self.late = self.used = 0.0

    async def beat(self) -> None:
        while True:
            due, cpu = time.perf_counter() + 0.001, time.thread_time()
            await asyncio.sleep(0.001)
            self.late = max(self.late, time.perf_counter() - due)
            self.used = max(self.used, time.thread_time() - cpu)

    def lag(self) -> str:
        found = f"{self.late * 1e3:.1f} ms ({self.used * 1e3:.1f} ms of CPU)"
        self.late = self.used = 0.0
        return found


@asynccontextmanager
async def gateway_of_the_shop() -> AsyncIterator[tuple[Space, str]]:
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder))
        url = await engine.start()
        gateway = Gateway(connect(url), Settings(consent="opt-out"), alone=True)
        try:
            await gateway.open()
            shop = await gateway.create_space("shop")
            text = resources.files("gateway.demo").joinpath("shop.yaml").read_bytes()
            await shop.authoring.load(read_bundle(text, "shop.yaml")[0], "benchmark")
            async with serving(build_app(gateway, open_access=True), "127.0.0.1", 0) as address:
                yield shop, address
        finally:
            await gateway.close()
            await engine.stop()


async def measure(kind: str, count: int, processes: int) -> None:
    async with (
        gateway_of_the_shop() as (shop, address),
        httpx.AsyncClient(base_url=address, timeout=60) as http,
    ):
        await asyncio.gather(*(ask(http) for _ in range(50)))
        await become_known(shop, count, processes)
        settle()
        before = resident()
        children = start(kind, int(address.rpartition(":")[2]), count, processes)
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(asyncio.to_thread(told.recv) for _, told in children))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        settled = resident()
        print(f"{count:,} over {kind}, {processes} client processes")
        print(
            f"  opened in {took:.1f} s, {cpu / count * 1e6:,.0f} us of CPU each; watching: {shop.notices.watching:,}"
        )
        print(
            f"  memory {settled / 2**20:,.0f} MB in all, {(settled - before) / count / 1024:.1f} KB a subscriber"
        )
        heart = Heart()
        beating = asyncio.create_task(heart.beat())
        await asyncio.sleep(1)
        print(f"  largest lag of the loop in a second without any push: {heart.lag()}")
        for number in range(2):
            await publish_once(shop, http, heart, children, count, number)
        beating.cancel()
        for process, told in children:
            told.send(False)
            await asyncio.to_thread(process.join)
        began = time.perf_counter()
        while shop.notices.watching and time.perf_counter() - began < 10:
            await asyncio.sleep(0.05)
        print(f"  all gone: watching {shop.notices.watching}, memory {resident() / 2**20:,.0f} MB")
        began = time.perf_counter()
    print(f"  stopped in {time.perf_counter() - began:.1f} s")


async def become_known(shop: Space, count: int, processes: int) -> None:
    """Each visitor has looked at something, so that each has a page of his own."""
    keys = [block.key for block in shop.shelf.edition.catalogue.blocks]
    visitors = [visitor(index % processes, index // processes) for index in range(count)]
    for start in range(0, count, 500):
        events = [
            Event(f"e-{who}", "view", who, time.time(), keys[place % len(keys)])
            for place, who in enumerate(visitors[start : start + 500], start)
        ]
        await shop.intake.submit(events)
    await shop.profiles.fold()


def visitor(process: int, index: int) -> str:
    return f"visitor-{process}-{index}"


async def publish_once(
    shop: Space, http: httpx.AsyncClient, heart: Heart, children: list[Any], count: int, number: int
) -> None:
    for _, told in children:
        told.send(True)
        await asyncio.to_thread(told.recv)
    notice = {"key": "notice", "type": "Notice", "data": {"text": f"Number {number}", "level": "info"}}
    arriving = asyncio.gather(*(asyncio.to_thread(told.recv) for _, told in children))
    asked: list[float] = []
    asking = asyncio.create_task(keep_asking(http, asked))
    heart.lag()
    cpu = time.process_time()
    await shop.authoring.load(Bundle.of({"block": [notice]}), "benchmark")
    published = time.monotonic()
    arrived = [at for times in await arriving for at in times]
    cpu = time.process_time() - cpu
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    late = sorted(at - published for at in arrived)
    print(
        f"  published: all {len(arrived):,} have the page after {late[-1]:.2f} s, "
        f"half of them after {late[len(late) // 2]:.2f} s"
    )
    print(
        f"    {cpu / count * 1e6:,.0f} us of CPU a push, queries beside it included; largest lag {heart.lag()}"
    )
    if asked:
        print(
            f"    {len(asked)} queries one after the other beside it: {statistics.median(asked) * 1e3:.1f} ms, "
            f"at most {max(asked) * 1e3:.1f} ms"
        )


async def keep_asking(http: httpx.AsyncClient, asked: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await ask(http)
        asked.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)


async def ask(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": QUERY}, headers={"blockloom-space": "shop"})
    assert "errors" not in answer.json(), answer.text


def start(kind: str, port: int, count: int, processes: int) -> list[tuple[Any, Connection]]:
    spawning = multiprocessing.get_context("spawn")
    found = []
    for number in range(processes):
        ours, theirs = spawning.Pipe()
        share = count // processes + (number < count % processes)
        process = spawning.Process(target=subscribe, args=(kind, port, number, share, theirs), daemon=True)
        process.start()
        found.append((process, ours))
    return found


def resident() -> int:
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def measure_alone(kind: str, count: int, processes: int) -> None:
    raise_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(kind, count, processes))


def raise_limit() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--over", nargs="+", choices=list(KINDS), default=list(KINDS))
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    for kind in given.over:  # each in a process that holds nothing of the last
        measuring = multiprocessing.get_context("spawn").Process(
            target=measure_alone, args=(kind, given.count, given.processes)
        )
        measuring.start()
        measuring.join()


if __name__ == "__main__":
    main()
