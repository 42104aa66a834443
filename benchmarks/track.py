"""Events taken, single from 16 and 64 clients and in batches of 100, against what the embedded engine takes itself.

The baseline makes the very writes that the gateway makes, in groups of as many events as come at once:
one bucket of events, and the profiles that it moves. The gateway is the installed command, in a process of
its own, as are its clients, who speak GraphQL (`track`) and REST (`POST /v1/events`). Rounds alternate; the median of
each side counts, and the ratio between them. In the end the same clients send at half that rate, by the clock, and the
time from when a request was due to its answer is measured.

    python -m benchmarks.track [--seconds 20] [--rounds 2]
"""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Case:
    protocol: str
    clients: int
    batch: int  # events in a request

    @property
    def group(self) -> int:
        """Events that come at once. Two who send batches take turns."""
        return self.clients if self.batch == 1 else self.batch


@dataclass
class Run:
    """Of one gateway."""

    acknowledged: float  # events a second
    folded: float  # the same with the time that stopping takes: the last profiles are folded
    cpu: float  # microseconds of the gateway's own, an event
    late: float  # p99 of a request, in milliseconds, at half the rate


async def gateway(case: Case, seconds: float, folder: Path) -> Run:
    bundle = folder / "bundle.json"
    bundle.write_text(json.dumps(BUNDLE))
    environment = os.environ | {"BLOCKLOOM_ADMIN_TOKEN": TOKEN, "BLOCKLOOM_CONSENT": "opt-out"}
    command = shutil.which("blockloom", path=Path(sys.executable).parent) or "blockloom"
    data = ["--data", str(folder / "data")]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([command, "load", str(bundle), *data], check=True, env=environment, **quiet)
    port = free_port()
    serving = subprocess.Popen([command, "serve", "--port", str(port), *data], env=environment, **quiet)
    try:
        await answering(port)
        began, cpu = time.perf_counter(), _cpu(serving.pid)
        waits = await _clients(port, case, seconds)
        took, cpu = time.perf_counter() - began, _cpu(serving.pid) - cpu
        events = len(waits) * case.batch
        due = 2 * case.clients * case.batch * took / events
        paced = sorted(await _clients(port, case, seconds / 2, due))
    finally:
        stopping = time.perf_counter()
        serving.send_signal(signal.SIGTERM)
        serving.wait(60)
    folded = time.perf_counter() - stopping
    rate = events / took
    everything = events + len(paced) * case.batch  # as if all had come at the highest rate
    return Run(
        acknowledged=rate,
        folded=everything / (everything / rate + folded),
        cpu=cpu / events * 1e6,
        late=paced[int(len(paced) * 0.99)] * 1e3,
    )


def _cpu(pid: int) -> float:
    """Seconds, without those of children that run."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def answering(port: int) -> None:
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise RuntimeError("the gateway did not start")


async def _clients(port: int, case: Case, seconds: float, due: float = 0.0) -> list[float]:
    """Seconds that each request waited."""
    run = secrets.token_hex(3)
    found = await asyncio.gather(
        *(_client(port, f"{run}-{n}", n, case, seconds, due) for n in range(case.clients))
    )
    return [wait for waits in found for wait in waits]


async def _client(port: int, name: str, number: int, case: Case, seconds: float, due: float) -> list[float]:
    """One request after the other, each sent when the one before it is acknowledged, and not before it is due."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waits: list[float] = []
    began = time.perf_counter() + due * number / case.clients
    until = began + seconds
    while (planned := began + due * len(waits)) < until and time.perf_counter() < until:
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        sent = planned if due else time.perf_counter()
        writer.write(_request(case, name, number, len(waits)))
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        said = await reader.readexactly(length)
        assert b'"accepted":%d' % case.batch in said, said
        waits.append(time.perf_counter() - sent)
    writer.close()
    return waits


def _request(case: Case, name: str, number: int, sent: int) -> bytes:
    events = [
        {
            "id": f"{name}-{sent}-{n}",
            "visitor": f"v{((sent * case.clients + number) * case.batch + n) % VISITORS}",
            "type": "click",
            "block": f"text-{(sent + n) % 20}",
            "page": "home",
        }
        for n in range(case.batch)
    ]
    path, said = PROTOCOLS[case.protocol]
    body = orjson.dumps(said(events))
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {TOKEN}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


PROTOCOLS: Mapping[str, tuple[str, Callable[[list[Any]], Any]]] = {
    "GraphQL": ("/graphql", lambda events: {"query": QUERY, "variables": {"events": events}}),
    "REST": ("/v1/events", lambda events: {"events": events}),
}
CASES = [Case(name, *sizes) for sizes in ((16, 1), (64, 1), (2, 100)) for name in PROTOCOLS]


async def measure(case: Case, seconds: float, rounds: int) -> None:
    alone: list[float] = []
    runs: list[Run] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            alone.append(await engine_alone(case.group, seconds, Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            runs.append(await gateway(case, seconds, Path(folder)))
    base = statistics.median(alone)
    taken, folded, cpu, late = (
        statistics.median(getattr(run, name) for run in runs)
        for name in ("acknowledged", "folded", "cpu", "late")
    )
    print(
        f"{case.protocol:7} {case.clients:2} clients x {case.batch:3}: engine alone {base:6.0f} events/s in groups "
        f"of {case.group}; {taken:6.0f}/s acknowledged ({taken / base:.2f}), {folded:6.0f}/s when all is folded and "
        f"stopped ({folded / base:.2f}); {cpu:5.0f} us of its own CPU an event; p99 {late:5.1f} ms at half the rate",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    for case in CASES:
        asyncio.run(measure(case, given.seconds, given.rounds))


if __name__ == "__main__":
    main()
