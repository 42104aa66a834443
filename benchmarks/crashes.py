"""kill -9 of the gateway, its engine, both, or a worker, under load: is anything acknowledged lost, or doubled?

Clients send one event after the other, each with an id of its own, and send it again until it is acknowledged.
Meanwhile processes are killed at random moments. In the end every acknowledged event must stand in the log once,
and each visitor's profile must be what the log says: counts exactly, interests up to rounding.

    python -m benchmarks.crashes [--kills 20] [--workers 1]
"""

import argparse
import asyncio
import json
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.track import answering
from gateway.core.catalogue import Entry, compile_catalogue
from gateway.core.events import Event
from gateway.core.memory import Learning, Memory, from_bytes, remember
from gateway.services.keys import open_keys
from gateway.settings import Settings
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine
from schemas.json_schemas import builtin_block_types

CLIENTS, VISITORS, BLOCKS = 8, 20, 10
TOKEN = "crash-token-crash-token-crash"
QUERY = (
    "mutation($events: [EventInput!]!) { track(events: $events) { accepted duplicates rejected { code } } }"
)
BUNDLE = {
    "blocks": [
        {
            "key": f"text-{n}",
            "type": "RichText",
            "tags": {f"tag-{n}": 1.0, "all": 0.5},
            "data": {"body": f"word{n}"},
        }
        for n in range(BLOCKS)
    ]
}


@dataclass
class Outcome:
    kills: int
    acknowledged: int
    lost: int  # acknowledged, but not in the log
    doubled: int  # counted more often in profiles than they stand in the log
    missed: int  # counted less often
    bent: int  # profiles whose interests are not what the log gives


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Deployment:
    """The installed command on a data folder, killed and started again."""

    folder: Path
    workers: int = 1
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    stopping: bool = False
    acknowledged: set[str] = field(default_factory=set)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = shutil.which("blockloom", path=Path(sys.executable).parent) or "blockloom"
        environment = os.environ | {"BLOCKLOOM_ADMIN_TOKEN": TOKEN, "BLOCKLOOM_CONSENT": "opt-out"}
        with (self.folder / "gateway.log").open("ab") as log:
            return subprocess.Popen(
                [command, *arguments, "--data", str(self.data)], env=environment, stdout=log, stderr=log
            )

    def load(self) -> None:
        bundle = self.folder / "bundle.json"
        bundle.write_text(json.dumps(BUNDLE))
        assert self.run("load", str(bundle)).wait(60) == 0

    def start(self) -> None:
        self.process = self.run("serve", "--port", str(self.port), "--workers", str(self.workers))

    def kill_gateway(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_engine(self) -> None:
        """The engine that the data folder names, if it still runs."""
        noted = json.loads((self.data / "blockloom.lock").read_text() or "{}")
        if noted.get("engine"):
            with suppress(ProcessLookupError):
                os.kill(noted["engine"], signal.SIGKILL)

    def kill_worker(self, rng: random.Random) -> None:
        """One of them, if any is there: the others go on."""
        assert self.process is not None
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if workers := [int(pid) for pid in found if _is_worker(pid)]:
            with suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


def _is_worker(pid: str) -> bool:
    try:
        return b"gateway.commands.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return False


async def client(deployment: Deployment, number: int) -> None:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{deployment.port}",
        headers={"authorization": f"Bearer {TOKEN}"},
        timeout=10,
    ) as http:
        sent = 0
        while not deployment.stopping:
            event = {
                "id": f"{number}-{sent}", "type": "view", "visitor": f"v{(number + sent) % VISITORS}",
                "block": f"text-{sent % BLOCKS}",
            }  # fmt: skip
            if await acknowledged(http, event):
                deployment.acknowledged.add(event["id"])
                sent += 1


async def acknowledged(http: httpx.AsyncClient, event: Mapping[str, str]) -> bool:
    try:
        answer = await http.post("/graphql", json={"query": QUERY, "variables": {"events": [event]}})
        result = answer.json()
    except (httpx.HTTPError, ValueError):
        await asyncio.sleep(0.05)
        return False
    track = (result.get("data") or {}).get("track")
    if track is None:
        assert result["errors"][0]["extensions"].get("retryable"), result
        await asyncio.sleep(0.05)
        return False
    assert not track["rejected"], track
    return bool(track["accepted"] + track["duplicates"] == 1)


async def run(kills: int, folder: Path, rng: random.Random, workers: int = 1) -> Outcome:
    deployment = Deployment(folder, workers)
    victims = ("gateway", "engine", "both", *(["worker"] * 3 if workers > 1 else []))
    deployment.load()
    deployment.start()
    clients = [asyncio.create_task(client(deployment, number)) for number in range(CLIENTS)]
    for kill in range(kills):
        await more(deployment, rng.randrange(20, 200))
        await asyncio.sleep(rng.random() * 0.3)
        strike(deployment, victims[kill % len(victims)], rng)
    await more(deployment, 50)
    deployment.stopping = True
    await asyncio.gather(*clients)
    deployment.stop()
    if (
        workers > 1
    ):  # among several, what the killed ones left waits for half a minute; alone, one folds it at once
        deployment.workers = 1
        deployment.start()
        await answering(deployment.port)
        deployment.stop()
    return await compare(deployment, kills)


async def more(deployment: Deployment, events: int) -> None:
    """Wait until so many more are acknowledged: everything works again."""
    wanted = len(deployment.acknowledged) + events
    until = time.monotonic() + 90
    while len(deployment.acknowledged) < wanted:
        assert time.monotonic() < until, (deployment.folder / "gateway.log").read_text()[-3000:]
        await asyncio.sleep(0.02)


def strike(deployment: Deployment, victim: str, rng: random.Random) -> None:
    if victim == "worker":
        deployment.kill_worker(rng)
    if victim in {"gateway", "both"}:
        deployment.kill_gateway()
    if victim in {"engine", "both"}:
        deployment.kill_engine()
    if victim in {"gateway", "both"}:
        deployment.start()


async def compare(deployment: Deployment, kills: int) -> Outcome:
    """The log and the profiles, read from the store itself."""
    engine = EmbeddedEngine(deployment.data)
    storage = connect(await engine.start())
    try:
        space = storage.space("main")
        keys = await open_keys(storage.control, Settings())
        names = [keys.pseudonyms("main").of(f"v{n}") for n in range(VISITORS)]
        logged = {
            name: [found for _, found in await space.events.of_visitor(name, 1_000_000)] for name in names
        }
        stored = await space.profiles.get_many(names)
        open_moves = await space.events.open_moves(names)
    finally:
        storage.close()
        await engine.stop()
    assert not open_moves, "everything was folded at the stop"
    ids = Counter(event.id for events in logged.values() for event in events)
    memories = {name: from_bytes(profile.body) for name, profile in stored.items()}
    events = {
        name: [Event.from_bytes(e.id, e.visitor, e.body) for e in found] for name, found in logged.items()
    }
    off = [memories[name].page_views - len(events[name]) for name in names if events[name]]
    return Outcome(
        kills=kills,
        acknowledged=len(deployment.acknowledged),
        lost=len(deployment.acknowledged - ids.keys()),
        doubled=sum(max(0, count) for count in off) + sum(count - 1 for count in ids.values()),
        missed=sum(max(0, -count) for count in off),
        bent=sum(bent(memories[name], events[name]) for name in names if events[name]),
    )


def bent(memory: Memory, events: list[Event]) -> bool:
    documents = [{"kind": "block", **block} for block in BUNDLE["blocks"]]
    entries = [Entry("block", d["key"], 1, json.dumps(_without_kind(d)).encode()) for d in documents]
    catalogue = compile_catalogue(1, entries, builtin_block_types())
    expected = remember([(event, catalogue.features(event.block, None)) for event in events], Learning())
    return not (
        close(memory.now.unit(), expected.now.unit()) and close(memory.usual.unit(), expected.usual.unit())
    )


def _without_kind(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "kind"}


def close(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(weight, other[name], rel_tol=1e-6, abs_tol=1e-9) for name, weight in one.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(run(given.kills, Path(folder), random.Random(given.seed), given.workers))
    print(
        f"{outcome.kills} kills, {outcome.acknowledged} events acknowledged: {outcome.lost} lost, "
        f"{outcome.doubled} doubled, {outcome.missed} missing in profiles, {outcome.bent} profiles bent"
    )
    sys.exit(bool(outcome.lost or outcome.doubled or outcome.missed or outcome.bent))


if __name__ == "__main__":
    main()
