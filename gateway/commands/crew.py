"""The worker processes of `blockloom serve --workers N`, kept alive by the one that was started.

Each is a gateway of its own on the same store and the same listening socket, as if it stood on another machine; so
one that is killed takes no connection with it that was not accepted yet. They are told what they need through
a pipe, whose end tells them too that nobody supervises them any more.
"""

import asyncio
import logging
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from typing import Self

import orjson

from gateway.errors import BadInput
from gateway.settings import Settings

log = logging.getLogger(__name__)

GO = b"go\n"
STEADY = 10.0  # seconds; who ends sooner ended quickly
LONGEST_WAIT = 30.0  # seconds before one that always ends quickly is started again
STOP_SECONDS = 30.0  # for requests under way and for folding


class Crew:
    """A context: on exit all workers have ended."""

    def __init__(self, settings: Settings, url: str, listening: socket.socket) -> None:
        self._settings = settings
        self._url = url
        self._listening = listening
        self._processes: set[Process] = set()
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        for process in self._processes:
            process.terminate()
        await asyncio.gather(*(_ended(process) for process in self._processes))

    async def start(self) -> str | None:
        """Returns once all of them answer: the administrator's token if there was none before.

        The first prepares the store, so the others find it whole.
        """
        first, token = await self._ready()
        others = [self._ready() for _ in range(self._settings.workers - 1)]
        processes = [first, *(process for process, _ in await asyncio.gather(*others))]
        for process in processes:
            _tell(process, GO)
            self._watches.append(asyncio.create_task(self._keep(process), name=f"worker {process.pid}"))
        return token

    async def _keep(self, process: Process) -> None:
        """Whenever it ends, another one takes its place: at once, or later and later if they end quickly."""
        quick = 0
        while True:
            started = time.monotonic()
            code = await process.wait()
            self._processes.discard(process)
            quick = quick + 1 if time.monotonic() - started < STEADY else 0
            log.warning("worker %d ended with %d; another one takes its place", process.pid, code)
            await asyncio.sleep(min(LONGEST_WAIT, 0.1 * 2**quick - 0.1))
            try:
                process, _ = await self._ready()
                _tell(process, GO)
            except BadInput as error:
                log.warning("%s", error.message)

    async def _ready(self) -> tuple[Process, str | None]:
        """A worker that is ready to serve when it is told to, and the token it made. Raises what it says."""
        number = self._listening.fileno()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "gateway.commands.worker", str(number),
            stdin=PIPE, stdout=PIPE, pass_fds=(number,),
            start_new_session=True,  # a Ctrl-C at the terminal is for us
        )  # fmt: skip
        self._processes.add(process)
        _tell(process, orjson.dumps({"url": self._url}) + b"\n")
        line = await process.stdout.readline() if process.stdout else b""
        said = orjson.loads(line) if line else {"refused": f"worker {process.pid} ended before it served"}
        if "refused" in said:
            await process.wait()
            self._processes.discard(process)
            raise BadInput(said["refused"])
        return process, said["token"]


def _tell(process: Process, line: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(line)


async def _ended(process: Process) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        log.warning("worker %d did not stop; it is killed, what it acknowledged is in the log", process.pid)
        process.kill()
        await process.wait()
