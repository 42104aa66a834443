"""Everything at once for a while: all protocols, pages, and those who mean harm, each with ever new visitors.

One gateway in a process of its own, on the embedded engine. Every ten seconds its memory is printed, and the
engine's. In the end: memory must be flat once it is warm, every refusal must be the one that was meant, and the log
must hold everything that was acknowledged, once.

    python -m benchmarks.soak [--minutes 10]
"""

import argparse
import asyncio
import gzip
import itertools
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect as connect_socket

from benchmarks.rig.processes import Server, children, server
from gateway.core.events import Event
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine

TOKEN = "soak-token-soak-token-soak-token"
EVERY = 10.0  # seconds between looks at the memory
PROFILES = 2_000  # held in memory: full within the first minute
GROWTH = 1.05  # what the last third of the warm time may have above the first
PAGE = {"blocks": [{"key": "boot", "type": "RichText", "tags": {"boots": 1.0}, "data": {"body": "Boots"}}],
        "pages": [{"slug": "home", "title": "Home", "slots": [{"name": "main", "strategy": "feed"}]}]}  # fmt: skip
TRACK = "mutation($events: [EventInput!]!) { track(events: $events) { accepted } }"
ASK = 'query($v: ID) { page(slug: "home", visitor: $v) { slots { name blocks { key decision } } } }'
AGENTS = ("Chrome/{}.0.0.0 Safari/537.36", "Version/{}.1 Safari/605.1.15", "Firefox/{}.0")


@dataclass
class Soak:
    http: httpx.AsyncClient
    address: str
    publishable: str
    acknowledged: Counter[str] = field(default_factory=Counter)  # events, by their type
    answered: Counter[str] = field(default_factory=Counter)  # by what was done, and the status
    wrong: Counter[str] = field(default_factory=Counter)
    number: Any = field(default_factory=itertools.count)

    def fresh(self) -> str:
        """Something that was never there: a visitor, an event."""
        return f"{next(self.number):09}"

    def person(self) -> dict[str, str]:
        """Headers of somebody else each time, from another address."""
        four = random.randbytes(4)
        agent = random.choice(AGENTS).format(random.randint(100, 160))
        return {
            "user-agent": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {agent}",
            "x-forwarded-for": f"81.{four[0]}.{four[1]}.{four[2]}",
            "accept-language": random.choice(("de", "en-GB,en;q=0.8", "fr-CA")),
        }

    def bearing(self) -> dict[str, str]:
        return {**self.person(), "authorization": f"Bearer {TOKEN}"}

    def batch(self, kind: str, number: int) -> list[dict[str, Any]]:
        return [{"id": f"{kind}-{(n := self.fresh())}", "type": kind, "visitor": f"v{n}", "block": "boot"}
                for _ in range(number)]  # fmt: skip

    async def sent(
        self, what: str, meant: int, url: str, taken: tuple[str, int] | None = None, **request: Any
    ) -> httpx.Response:
        """`taken`: the type and number of the events that the answer acknowledges if it is the one that was meant."""
        answer = await self.http.post(url, **request)
        self.answered[f"{what} {answer.status_code}"] += 1
        if answer.status_code == meant:
            if taken:
                self.acknowledged[taken[0]] += taken[1]
        elif answer.status_code not in (429, 503):
            self.wrong[f"{what} {answer.status_code} {answer.text[:100]}"] += 1
        return answer


# --- who means well: each is one round, again and again ---


async def rest(soak: Soak) -> None:
    body = {"events": soak.batch("soak_rest", 20)}
    await soak.sent("rest", 200, "/v1/events", ("soak_rest", 20), json=body, headers=soak.bearing())


async def lines(soak: Soak) -> None:
    content = b"\n".join(map(orjson.dumps, soak.batch("soak_lines", 20)))
    headers = {**soak.bearing(), "content-type": "application/x-ndjson", "content-encoding": "gzip"}
    content = gzip.compress(content)
    await soak.sent("lines", 200, "/v1/events", ("soak_lines", 20), content=content, headers=headers)


async def graphql(soak: Soak) -> None:
    body = {"query": TRACK, "variables": {"events": soak.batch("soak_graphql", 20)}}
    await soak.sent("track", 200, "/graphql", ("soak_graphql", 20), json=body, headers=soak.bearing())


async def pages(soak: Soak) -> None:
    body = {"query": ASK, "variables": {"v": f"v{soak.fresh()}"}}
    for _ in range(5):
        answer = await soak.sent("page", 200, "/graphql", json=body, headers=soak.bearing())
        if "errors" in answer.json():
            soak.wrong[f"page {answer.text[:100]}"] += 1


async def segment(soak: Soak) -> None:
    messages = [
        {"type": "track", "event": "soak_segment", "anonymousId": f"v{soak.fresh()}", "messageId": soak.fresh(),
         "context": {"userAgent": soak.person()["user-agent"], "ip": "81.2.69.142"}}
        for _ in range(20)
    ]  # fmt: skip
    body = {"batch": messages, "sentAt": datetime.now(UTC).isoformat()}
    await soak.sent("segment", 200, "/v1/batch", ("soak_segment", 20), json=body, auth=(TOKEN, ""))


async def jitsu(soak: Soak) -> None:
    body = {
        "type": "track",
        "event": "soak_jitsu",
        "anonymousId": f"v{soak.fresh()}",
        "messageId": soak.fresh(),
    }
    headers = {**soak.person(), "x-write-key": f"any:{TOKEN}"}
    await soak.sent("jitsu", 200, "/api/s/track", ("soak_jitsu", 1), json=body, headers=headers)


async def mparticle(soak: Soak) -> None:
    data = {"event_name": "soak_mparticle", "source_message_id": soak.fresh(), "custom_event_type": "other"}
    body = {"mp_deviceid": f"v{soak.fresh()}", "events": [{"event_type": "custom_event", "data": data}]}
    await soak.sent("mparticle", 202, "/v2/events", ("soak_mparticle", 1), json=body, auth=("key", TOKEN))


async def measurement(soak: Soak) -> None:
    names = [{"name": "soak_ga", "params": {"n": soak.fresh()}} for _ in range(5)]
    body = {"client_id": f"v{soak.fresh()}", "events": names}
    url = f"/mp/collect?measurement_id=G-1&api_secret={TOKEN}"
    await soak.sent("measurement", 204, url, ("soak_ga", 5), json=body, headers=soak.person())


async def tag(soak: Soak) -> None:
    query = f"v=2&cid={soak.fresh()}&en=soak_tag&_p={soak.fresh()}"
    url = f"/ga/{soak.publishable}/g/collect?{query}"
    await soak.sent("tag", 204, url, ("soak_tag", 1), headers=soak.person())


async def layer(soak: Soak) -> None:
    event = {
        "id": soak.fresh(),
        "name": "soak_layer",
        "at": datetime.now(UTC).isoformat(),
        "data": {"event": "soak_layer"},
    }
    body = {"key": soak.publishable, "visitor": f"v{soak.fresh()}", "events": [event]}
    await soak.sent("layer", 200, "/v1/collect", ("soak_layer", 1), json=body, headers=soak.person())


async def socket(soak: Soak) -> None:
    """A connection of fifty messages, twenty under way at once."""
    url = soak.address.replace("http", "ws") + "/v1/events/ws"
    async with connect_socket(url, additional_headers={"authorization": f"Bearer {TOKEN}"}) as found:
        await found.recv()
        for start in range(0, 50, 10):
            for event in soak.batch("soak_socket", 10):
                await found.send(orjson.dumps(event).decode())
            for _ in range(start, start + 10):
                said = orjson.loads(await found.recv())
                soak.answered[f"socket {said['status']}"] += 1
                soak.acknowledged["soak_socket"] += said["status"] == "accepted"


# --- who means harm: nothing of it may cost more than its refusal ---

BOMB = gzip.compress(b" " * 200_000_000, 9)
DEEP = b'{"events": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
NAMES = ("$where", "__proto__", "a.b.c", "constructor", "", "\x00", "$set", "_id", "é" * 50)


async def bombs(soak: Soak) -> None:
    headers = {**soak.bearing(), "content-encoding": "gzip"}
    await soak.sent("bomb", 413, "/v1/events", content=BOMB, headers=headers)
    await asyncio.sleep(0.2)


async def giants(soak: Soak) -> None:
    for url in ("/v1/events", "/graphql"):
        headers = {**soak.bearing(), "content-type": "application/json"}
        with suppress(
            httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError
        ):  # it is not read to its end
            await soak.sent("giant", 413, url, content=b"[" * 2_000_000, headers=headers)
        await asyncio.sleep(0.2)


async def nonsense(soak: Soak) -> None:
    for content in (b"\xff\xfe\x00", b'{"type": "\xc3\x28"}', DEEP, b'{"type":', b'"\\ud800"'):
        await soak.sent("nonsense", 400, "/v1/events", content=content, headers=soak.bearing())
    await asyncio.sleep(0.1)


async def names(soak: Soak) -> None:
    """Names that mean something to a database or to JavaScript are names like others."""
    given = {name: {name: [{name: soak.fresh()}]} for name in NAMES}
    events = [{**event, "properties": given} for event in soak.batch("soak_names", 5)]
    await soak.sent(
        "names", 200, "/v1/events", ("soak_names", 5), content=orjson.dumps(events), headers=soak.bearing()
    )
    body = {"type": "identify", "userId": f"v{soak.fresh()}", "traits": given}
    await soak.sent("traits", 200, "/v1/identify", json=body, auth=(TOKEN, ""))


async def forged(soak: Soak) -> None:
    for _ in range(20):
        headers = {**soak.person(), "authorization": f"Bearer bls_{soak.fresh()}"}
        await soak.sent("forged", 401, "/v1/events", json={}, headers=headers)


async def bots(soak: Soak) -> None:
    headers = {
        **soak.bearing(),
        "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    }
    await soak.sent("bot", 400, "/v1/events", json=soak.batch("soak_bots", 20), headers=headers)


async def sluggards(soak: Soak) -> None:
    """Half a request, and then nothing for a while."""
    url = httpx.URL(soak.address)
    _, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST /v1/events HTTP/1.1\r\nhost: soak\r\ncontent-length: 1000\r\nauthorization: Bearer {TOKEN}\r\n\r\n["
    writer.write(head.encode())
    await writer.drain()
    await asyncio.sleep(2)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    soak.answered["sluggard"] += 1


ROUNDS: tuple[Callable[[Soak], Awaitable[None]], ...] = (
    rest, lines, graphql, pages, pages, segment, jitsu, mparticle, measurement, tag, layer, socket,
    bombs, giants, nonsense, names, forged, bots, sluggards, sluggards, sluggards,
)  # fmt: skip


async def again_and_again(round_: Callable[[Soak], Awaitable[None]], soak: Soak, until: float) -> None:
    while time.monotonic() < until:
        try:
            await round_(soak)
        except (httpx.HTTPError, OSError) as error:
            soak.wrong[f"{round_.__name__} {type(error).__name__}"] += 1
            await asyncio.sleep(0.1)


async def weighed(gateway: Server, soak: Soak, until: float) -> list[float]:
    """Megabytes of the gateway, each EVERY seconds."""
    found: list[float] = []
    began = time.monotonic()
    print(f"{'s':>5} {'gateway MB':>11} {'engine MB':>10} {'events':>9} {'requests':>9}")
    while (now := time.monotonic()) < until:
        found.append(gateway.resident() / 1e6)
        engine = sum(Server("", child, 0).resident() for child in children(gateway.pid)) / 1e6
        events, requests = soak.acknowledged.total(), soak.answered.total()
        print(f"{now - began:5.0f} {found[-1]:11.1f} {engine:10.1f} {events:9,} {requests:9,}", flush=True)
        await asyncio.sleep(EVERY)
    return found


async def logged(data: Path, since: datetime) -> Counter[str]:
    """Events in the log, by their types."""
    engine = EmbeddedEngine(data)
    storage = connect(await engine.start())
    found: Counter[str] = Counter()
    seen: set[str] = set()
    try:
        async for bucket in _buckets(storage.space("main").events, since):
            for event in bucket.events:
                assert event.id not in seen, f"{event.id} was counted twice"
                seen.add(event.id)
                found[Event.from_bytes(event.id, event.visitor, event.body).type] += 1
    finally:
        storage.close()
        await engine.stop()
    return found


async def _buckets(store: Any, at: datetime) -> AsyncIterator[Any]:
    """Some seconds at a time: together they would not fit into memory."""
    end = datetime.now(UTC) + timedelta(minutes=1)
    while at < end:
        for bucket in await store.since(at, at + timedelta(seconds=10), 1_000_000):
            yield bucket
        at += timedelta(seconds=10)


def command() -> str:
    return shutil.which("blockloom", path=Path(sys.executable).parent) or "blockloom"


def _run(*arguments: str, env: Mapping[str, str]) -> str:
    """What the command prints."""
    done = subprocess.run([command(), *arguments], check=True, env=env, stdout=subprocess.PIPE, text=True)
    return done.stdout


def prepared(data: Path, environment: Mapping[str, str]) -> str:
    """Content, and a publishable token."""
    bundle = data.parent / "bundle.json"
    bundle.write_bytes(orjson.dumps(PAGE))
    _run("load", str(bundle), "--data", str(data), env=environment)
    make = ("tokens", "create", "soak", "--scope", "events", "--publishable", "--data", str(data))
    said = _run(*make, env=environment)
    return next(word for word in said.split() if word.startswith("blp_"))


@asynccontextmanager
async def soaking(gateway: Server, publishable: str) -> AsyncIterator[Soak]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=40)
    async with httpx.AsyncClient(base_url=gateway.address, timeout=60, limits=limits) as http:
        yield Soak(http, gateway.address, publishable)


async def soak(gateway: Server, publishable: str, seconds: float) -> tuple[Soak, list[float]]:
    async with soaking(gateway, publishable) as found:
        until = time.monotonic() + seconds
        rounds = (again_and_again(round_, found, until) for round_ in ROUNDS)
        memory, *_ = await asyncio.gather(weighed(gateway, found, until), *rounds)
        return found, memory


def judged(found: Soak, memory: list[float], held: Counter[str]) -> list[str]:
    """What is not as it should be."""
    wrong = [f"{count} x {what}" for what, count in found.wrong.most_common()]
    for kind, count in found.acknowledged.items():
        if held[kind] < count:
            wrong.append(f"{count - held[kind]} acknowledged events of {kind} are not in the log")
    if held["soak_bots"]:
        wrong.append(f"{held['soak_bots']} events of bots were kept")
    warm = memory[len(memory) // 3 :]
    third = max(1, len(warm) // 3)
    first, last = statistics.median(warm[:third]), statistics.median(warm[-third:])
    print(f"warm, the gateway has {first:.1f} MB at first and {last:.1f} MB at last ({last / first:.3f})")
    if last > first * GROWTH:
        wrong.append(f"memory grew from {first:.1f} to {last:.1f} MB")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        environment = {
            **os.environ, "BLOCKLOOM_ADMIN_TOKEN": TOKEN, "BLOCKLOOM_CONSENT": "opt-out",
            "BLOCKLOOM_PROFILE_CACHE": str(PROFILES), "BLOCKLOOM_TRUSTED_PROXIES": "1",
            "BLOCKLOOM_LOG_LEVEL": "warning",
        }  # fmt: skip
        publishable = prepared(data, environment)
        since = datetime.now(UTC) - timedelta(minutes=1)
        serve = [command(), "serve", "--port", "0", "--data", str(data)]
        with server("blockloom", serve, environment) as gateway:
            found, memory = asyncio.run(soak(gateway, publishable, minutes * 60))
        held = asyncio.run(logged(data, since))
    for what, count in sorted(found.answered.items()):
        print(f"{count:9,} {what}")
    print(f"{found.acknowledged.total():,} events acknowledged, {held.total():,} in the log")
    wrong = judged(found, memory, held)
    if wrong:
        raise SystemExit("\n".join(wrong))
    print("nothing was lost, nothing counted twice, and memory is flat")


if __name__ == "__main__":
    main()
