"""Debian's chromium without a window, driven over its debugging protocol."""

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
PATIENCE = 30.0  # seconds


class Browser:
    """One page of it. What scripts complain of is kept in `said`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._loads = 0
        self.said: list[str] = []

    async def call(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        body = orjson.dumps({"id": number, "method": method, "params": parameters})
        await self._connection.send(body.decode())
        while (message := await self._receive()).get("id") != number:
            pass
        assert "error" not in message, message["error"]
        return message["result"]

    async def open(self, address: str) -> None:
        async with self.loading():
            await self.call("Page.navigate", url=address)

    @asynccontextmanager
    async def loading(self) -> AsyncIterator[None]:
        """What is done inside brings another page; on exit it is there."""
        before = self._loads
        yield
        while self._loads == before:
            await self._receive()

    async def run(self, script: str) -> Any:
        """The value of an expression; a promise is awaited."""
        done = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait for a condition on this page."""
        await self.run(
            f"new Promise((done, late) => {{ const end = performance.now() + {PATIENCE * 1000};"
            f" const look = () => ({condition}) ? done() : performance.now() > end ? late(Error('too late'))"
            " : setTimeout(look, 20); look(); })"
        )

    async def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = orjson.loads(await asyncio.wait_for(self._connection.recv(), PATIENCE))
        self._loads += message.get("method") == "Page.loadEventFired"
        if message.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}:
            self.said.append(str(message["params"]))
        return message


@asynccontextmanager
async def browsing(folder: Path, *flags: str) -> AsyncIterator[Browser]:
    """A browser with a new profile in `folder`, and more flags. Without chromium the test is skipped, but not in CI."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is missing: apt-get install chromium")
        pytest.skip("chromium is missing, so nothing was tried in a browser: apt-get install chromium")
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with connect(await _page(process), max_size=None) as connection:
            browser = Browser(connection)
            for domain in ("Page", "Runtime", "Log"):
                await browser.call(f"{domain}.enable")
            yield browser
    finally:
        process.terminate()
        await process.communicate()


async def _page(process: asyncio.subprocess.Process) -> str:
    """The WebSocket of the page that stands open at the start."""
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        while not (line := (await process.stderr.readline()).decode()).startswith("DevTools listening on "):
            assert line, "chromium ended before it listened"
    port = line.rpartition(":")[2].partition("/")[0]
    async with httpx.AsyncClient() as http:
        pages = (await http.get(f"http://127.0.0.1:{port}/json/list")).json()
    return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
