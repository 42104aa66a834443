"""`blockloom serve --workers`: several processes on one port and one store."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.commandline import COMMAND

TOKEN = "workers-token-workers-token"
TRACK = "mutation($events: [EventInput!]!) { track(events: $events) { accepted duplicates } }"
VIEWS = '{ visitor(id: "%s") { engagement { pageViews } } }'
PATIENCE = 30.0


@dataclass
class Serving:
    process: asyncio.subprocess.Process
    address: str
    said: list[str]

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"gateway.commands.worker" in command_line(pid)]

    async def ask(self, query: str, **variables: Any) -> Any:
        """Over a connection of its own, so any worker may answer; asked again where one died of it."""
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}, timeout=10) as http:
            while True:
                try:
                    body = {"query": query, "variables": variables}
                    answer = (await http.post(f"{self.address}/graphql", json=body)).json()
                except httpx.TransportError:
                    continue
                assert "errors" not in answer, answer
                return answer["data"]


def command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


@asynccontextmanager
async def serving(folder: Path, workers: int, **environment: str) -> AsyncIterator[Serving]:
    own = os.environ | {"BLOCKLOOM_ADMIN_TOKEN": TOKEN, "BLOCKLOOM_CONSENT": "opt-out", **environment}
    process = await asyncio.create_subprocess_exec(
        str(COMMAND), "serve", "--port", "0", "--workers", str(workers), "--data", str(folder),
        env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not (found := re.search(r"http://\S+(?=/graphql)", said[-1] if said else "")):
                line = await process.stdout.readline()
                assert line, said
                said.append(line.decode())
        yield Serving(process, found[0], said)
    finally:
        if process.returncode is None:
            process.terminate()
        said.append((await process.stdout.read()).decode())
        await process.wait()


async def until_other(found: Serving, before: list[int]) -> None:
    """A worker took the place of one of these."""
    async with asyncio.timeout(PATIENCE):
        while not set(found.workers()) - set(before):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def until_seen(found: Serving, visitor: str, views: int) -> None:
    """Whichever worker is asked knows it within a moment, and none of them more."""
    async with asyncio.timeout(PATIENCE):
        right = 0
        while right < 8:
            seen = (await found.ask(VIEWS % visitor))["visitor"]["engagement"]["pageViews"]
            assert seen <= views
            right = right + 1 if seen == views else 0


async def test_killed_workers_are_replaced_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async with serving(tmp_path, 2) as found:
        first = found.workers()
        assert len(first) == 2

        async def visit(visitor: str) -> None:
            """Each event until it is acknowledged, and once more."""
            for number in range(8):
                event = {"id": f"{visitor}{number}", "type": "view", "visitor": visitor}
                sent = (await found.ask(TRACK, events=[event]))["track"]
                assert sent["accepted"] + sent["duplicates"] == 1
                again = (await found.ask(TRACK, events=[event]))["track"]
                assert again == {"accepted": 0, "duplicates": 1}

        visits = [asyncio.create_task(visit(f"v{n}")) for n in range(3)]
        await asyncio.sleep(0)
        os.kill(first[0], signal.SIGKILL)
        await until_other(found, first)
        os.kill(first[1], signal.SIGKILL)
        await asyncio.gather(*visits)
        for n in range(3):
            await until_seen(found, f"v{n}", 8)
    assert found.process.returncode == 0
    assert "another one takes its place" in "".join(found.said)
    assert all(not command_line(str(pid)) for pid in first)


async def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    async with serving(tmp_path, 2) as found:
        workers = found.workers()
        found.process.kill()
        await found.process.wait()
        async with asyncio.timeout(PATIENCE):
            while any(b"gateway" in command_line(str(pid)) for pid in workers):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_workers_that_cannot_start_say_why_and_leave_nothing_behind(tmp_path: Path) -> None:
    url = {"BLOCKLOOM_MONGODB_URL": "mongodb://127.0.0.1:1/"}
    process = await asyncio.create_subprocess_exec(
        str(COMMAND), "serve", "--port", "0", "--workers", "2", "--data", str(tmp_path),
        env=os.environ | url, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert (process.returncode, b"the store does not answer" in said) == (1, True)
