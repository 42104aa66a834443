"""The embedded engine: a server with MongoDB's wire protocol, run as a child when no URL is given.

Only this module knows which one. It is never imported: a process of its own, under its own licence.
"""

import asyncio
import importlib.metadata
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from gateway.errors import EngineError
from gateway.storage.engine_folder import EngineFolder

_ENGINE = "secantusdb"
_COMMAND = "secantusd-py"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.2
_QUICK_SECONDS = 10.0
_QUICK_DEATHS = 5

# Dies with us, or at once if we died before it could ask. The kernel ties this to the thread that starts it. It is
# killed, which it survives whole; merely asked to end, it was seen to linger for half a minute.
_DIE_WITH_PARENT = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "os.getppid() == int(sys.argv[1]) or sys.exit(1)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)

_log = logging.getLogger(__name__)


class EmbeddedEngine:
    """Owns a data folder and the engine on it; start and stop it on the main thread's loop."""

    def __init__(
        self, data: Path, port: int | None = None, on_failed: Callable[[EngineError], None] | None = None
    ) -> None:
        self._folder = EngineFolder(data.absolute())
        self._port = port
        self._on_failed = on_failed
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None
        self.failed = asyncio.Event()
        """Set when the engine died again and again and nobody tries any more."""

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}/?directConnection=true&retryWrites=false"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> str:
        """The URL of an engine that answers. Raises EngineError, which says what to do."""
        command, version = _installed()
        await asyncio.to_thread(self._folder.acquire)
        try:
            self._folder.check_version(_ENGINE, version)
            self._port = _free_port(self._port)
            self._spawn(command)
            await self._answering()
        except BaseException:
            await self._end()
            self._folder.release()
            raise
        self._watch = asyncio.create_task(self._supervise(command), name="embedded engine")
        return self.url

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self._end()
        self._folder.release()

    def _spawn(self, command: str) -> None:
        options = [
            "--host",
            "127.0.0.1",
            "--port",
            str(self._port),
            "--storage-path",
            str(self._folder.store),
        ]
        options += ["--sync-on-commit", "--cache-size", "256M", "--log-level", "WARNING"]
        trampoline: list[str] = []
        if sys.platform == "linux":
            trampoline = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
        with self._folder.open_log() as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [*trampoline, command, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for us: we end the engine when we are done
            )
        self._folder.note_engine(self._process.pid)

    async def _answering(self) -> None:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            self.url, serverSelectionTimeoutMS=200
        )
        deadline = time.monotonic() + _START_SECONDS
        try:
            while not await _answers(client):
                if self._dead() or time.monotonic() > deadline:
                    raise EngineError(self._why_not("does not start"))
        finally:
            client.close()

    async def _supervise(self, command: str) -> None:
        quick_deaths = 0
        while True:
            started = time.monotonic()
            # A thread in wait() would hold up the end of a loop that nobody stopped us on.
            while not self._dead():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
            quick_deaths = quick_deaths + 1 if time.monotonic() - started < _QUICK_SECONDS else 0
            if quick_deaths >= _QUICK_DEATHS:
                return self._give_up(self._why_not("dies again and again"))
            _log.warning("the embedded engine ended unexpectedly and is started again")
            await asyncio.sleep(0.1 * 2**quick_deaths - 0.1)
            try:
                self._spawn(command)
            except OSError as error:
                return self._give_up(self._why_not(f"cannot be started again ({error})"))

    def _give_up(self, why: str) -> None:
        _log.error(why)
        self.failed.set()
        if self._on_failed is not None:
            self._on_failed(EngineError(why))

    def _why_not(self, what: str) -> str:
        return (
            f"the embedded engine {what}; mend the cause, or give a mongodb:// URL in BLOCKLOOM_MONGODB_URL. "
            f"The end of {self._folder.log}:\n{self._folder.log_tail()}"
        )

    def _dead(self) -> bool:
        return self._process is None or self._process.poll() is not None

    async def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        self._process = None
        self._folder.note_engine(None)


async def _answers(client: AsyncIOMotorClient[dict[str, Any]]) -> bool:
    try:
        await client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _installed() -> tuple[str, str]:
    beside = Path(sys.executable).parent / _COMMAND
    command = str(beside) if beside.exists() else shutil.which(_COMMAND)
    try:
        version = importlib.metadata.version(_ENGINE)
    except importlib.metadata.PackageNotFoundError:
        version = None
    if command is None or version is None:
        raise EngineError(
            'the embedded engine is not installed; run `pip install "blockloom[embedded]"` '
            "(Python 3.11 to 3.13), or give a mongodb:// URL in BLOCKLOOM_MONGODB_URL"
        )
    return command, version


def _free_port(wanted: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except OSError as error:
            raise EngineError(f"port {wanted} is in use; choose another for the embedded engine") from error
        port: int = probe.getsockname()[1]
        return port
