"""`track` of one event from 16 and from 64 clients, against what the embedded engine takes by itself.

The baseline makes the very writes that the gateway makes, in groups of as many events as there are clients:
one bucket of events, and the profiles that it moves. The gateway is the installed command, in a process of
its own, as are its clients. Rounds alternate; the median of each side counts, and the ratio between them.

    python -m benchmarks.track [--seconds 20] [--rounds 2]
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from gateway.core.events import Event
from gateway.core.memory import Learning, remember, to_bytes
from gateway.storage.client import SpaceStore, connect
from gateway.storage.embedded import EmbeddedEngine
from gateway.storage.events import Bucket, LoggedEvent, Move
from gateway.storage.profiles import ProfileChange, StoredProfile

VISITORS = 2_000
TOKEN = "benchmark-token-benchmark-token"
BUNDLE = {
    "blocks": [
        {
            "key": f"text-{n}",
            "type": "RichText",
            "tags": {f"tag-{n + k}": 1.0 for k in range(10)},
            "data": {"body": "x"},
        }
        for n in range(20)
    ]
}
QUERY = (
    "mutation($events: [EventInput!]!) { track(events: $events) { accepted visitors { id profileVersion } } }"
)


async def engine_alone(group: int, seconds: float, folder: Path) -> float:
    """Events a second: a bucket of `group` events, then the profiles of their visitors."""
    engine = EmbeddedEngine(folder)
    storage = connect(await engine.start())
    space = storage.space("main")
    await space.prepare()
    try:
        return await _write_groups(space, group, seconds)
    finally:
        storage.close()
        await engine.stop()


async def _write_groups(space: SpaceStore, group: int, seconds: float) -> float:
    versions = dict.fromkeys((f"v{n}" for n in range(VISITORS)), 0)
    names = list(versions)
    written = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        seq = written // group + 1
        events = [_event(names[(written + n) % VISITORS], f"e{written + n}") for n in range(group)]
        bodies = [to_bytes(remember([(event, _FEATURES)], Learning())) for event in events]
        now = datetime.now(UTC)
        await space.events.append(
            Bucket(
                "bench", seq, now,
                tuple(LoggedEvent(e.id, e.visitor, e.to_bytes()) for e in events),
                tuple(Move(e.visitor, body) for e, body in zip(events, bodies, strict=True)),
            )
        )  # fmt: skip
        changes = []
        for event, body in zip(events, bodies, strict=True):
            version = versions[event.visitor]
            versions[event.visitor] += 1
            stored = StoredProfile(version + 1, {"bench": seq}, body, now)
            changes.append(ProfileChange(event.visitor, version, stored))
        await space.profiles.write(changes)
        written += group
    return written / (time.perf_counter() - began)


_FEATURES = {f"tag-{n}": 0.25 for n in range(10)} | {"text:x": 0.1}


def _event(visitor: str, name: str) -> Event:
    return Event(id=name, type="click", visitor=visitor, at=time.time(), block="text-1", page="home")


async def gateway(clients: int, seconds: float, folder: Path) -> tuple[float, float]:
    """(acknowledged events a second, the same with the time that stopping takes: the last profiles are folded)."""
    bundle = folder / "bundle.json"
    bundle.write_text(json.dumps(BUNDLE))
    environment = os.environ | {"BLOCKLOOM_ADMIN_TOKEN": TOKEN, "BLOCKLOOM_CONSENT": "opt-out"}
    command = shutil.which("blockloom", path=Path(sys.executable).parent) or "blockloom"
    data = ["--data", str(folder / "data")]
    subprocess.run(
        [command, "load", str(bundle), *data],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    port = free_port()
    serving = subprocess.Popen(
        [command, "serve", "--port", str(port), *data],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await _answering(port)
        began = time.perf_counter()
        counts = await asyncio.gather(*(_client(port, n, clients, seconds) for n in range(clients)))
        took = time.perf_counter() - began
    finally:
        stopping = time.perf_counter()
        serving.send_signal(signal.SIGTERM)
        serving.wait(60)
    folded = time.perf_counter() - stopping
    return sum(counts) / took, sum(counts) / (took + folded)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def _answering(port: int) -> None:
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise RuntimeError("the gateway did not start")


async def _client(port: int, number: int, clients: int, seconds: float) -> int:
    """One event after the other, each sent when the one before it is acknowledged."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        event = {
            "id": f"{number}-{sent}", "visitor": f"v{(sent * clients + number) % VISITORS}",
            "type": "click", "block": f"text-{sent % 20}", "page": "home",
        }  # fmt: skip
        body = orjson.dumps({"query": QUERY, "variables": {"events": [event]}})
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {TOKEN}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        assert b'"accepted":1' in await reader.readexactly(length)
        sent += 1
    writer.close()
    return sent


async def measure(clients: int, seconds: float, rounds: int) -> None:
    alone, served, settled = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            alone.append(await engine_alone(clients, seconds, Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            acknowledged, folded = await gateway(clients, seconds, Path(folder))
            served.append(acknowledged)
            settled.append(folded)
    base = statistics.median(alone)
    print(
        f"{clients:3} clients: engine alone {base:6.0f} events/s in groups of {clients}; "
        f"track {statistics.median(served):6.0f}/s acknowledged ({statistics.median(served) / base:.2f}), "
        f"{statistics.median(settled):6.0f}/s when the rest is folded and all is stopped "
        f"({statistics.median(settled) / base:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    for clients in (16, 64):
        asyncio.run(measure(clients, given.seconds, given.rounds))


if __name__ == "__main__":
    main()
