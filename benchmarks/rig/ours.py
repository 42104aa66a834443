"""The gateway as it is installed, in a process of its own: filled, known to its visitors, asked."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from rig import content
from rig.client import connected, raw
from rig.processes import Server, server

SCOPES = ("delivery", "events", "profiles")
SETTINGS = {
    "BLOCKLOOM_ADMIN_TOKEN": "benchmark-token-benchmark-token",
    "BLOCKLOOM_CONSENT": "opt-out",
    "BLOCKLOOM_BOT_RATE": "0",  # 64 visitors ask as thousands would
    "BLOCKLOOM_LOG_LEVEL": "warning",
}
BATCH = 500  # events in one mutation
FOLDED = 12.0  # seconds after which the gateway has moved events into profiles, as it does every ten
CHOSEN = 18  # blocks on the page


@dataclass(frozen=True)
class Gateway:
    server: Server
    token: str

    def post(self, body: bytes, **headers: str) -> bytes:
        return raw(body, content.headers(self.token) | headers)

    def pages(self, query: str = content.PAGE, **headers: str) -> list[bytes]:
        """A request for each visitor."""
        return [self.post(content.asked(visitor, query), **headers) for visitor in content.VISITORS]


@contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    bundle = folder / "bundle.json"
    bundle.write_bytes(orjson.dumps(content.bundle()))
    data = ("--data", str(folder / "data"))
    blockloom("load", str(bundle), *data)
    scopes = [part for scope in SCOPES for part in ("--scope", scope)]
    said = blockloom("tokens", "create", "benchmark", *scopes, *data)
    token = re.search(r"bls_[\w-]+", said)
    assert token, said
    with server("blockloom", [command(), "serve", "--port", "0", *data], SETTINGS) as process:
        yield Gateway(process, token[0])


def command() -> str:
    found = shutil.which("blockloom", path=Path(sys.executable).parent) or shutil.which("blockloom")
    if found is None:
        raise SystemExit("blockloom is not installed; run `make`, then .venv/bin/python benchmarks/pages.py")
    return found


def blockloom(*arguments: str) -> str:
    """What the command says; its words where it fails."""
    done = subprocess.run(
        [command(), *arguments], env={**os.environ, **SETTINGS}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"blockloom {arguments[0]} failed: {done.stderr}")
    return done.stdout


async def warm(found: Gateway) -> None:
    """Each visitor has been here, and done what makes a profile; and all that follows from it is done."""
    events = content.views()
    async with connected(found.server.port) as (connection,):
        for start in range(0, len(events), BATCH):
            await connection.data(found.post(content.tracked(events[start : start + BATCH])))
    await asyncio.sleep(FOLDED)


async def pages(found: Gateway) -> dict[str, Any]:
    """What each visitor is shown, by visitor."""
    async with connected(found.server.port) as (connection,):
        answers = [(await connection.data(request))["page"] for request in found.pages()]
    for page in answers:
        assert page["basis"] == "PERSONAL"
        assert sum(len(slot["blocks"]) for slot in page["slots"]) == CHOSEN
    assert len({orjson.dumps(page) for page in answers}) > 1, "the page is the same for everybody"
    return dict(zip(content.VISITORS, answers, strict=True))
