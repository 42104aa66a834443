"""Serving the application with uvicorn on a loop that is already running."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from gateway.errors import BadInput

SWITCH = 0.001  # seconds
GRACE = 5  # seconds that requests under way have at the end


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int, log_level: str = "warning") -> AsyncIterator[str]:
    """The address, once it answers; requests under way are finished on exit. Port 0 takes a free one."""
    # A new document is prepared in a thread: for so long, at most, it keeps the event loop from its turn.
    sys.setswitchinterval(SWITCH)
    listening = _listen(host, port)
    # The client's address behind proxies is for the reader of contexts to find, by how many are trusted.
    config = uvicorn.Config(
        app, log_level=log_level, access_log=False, lifespan="off", ws="websockets-sansio",
        timeout_graceful_shutdown=GRACE, proxy_headers=False,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        started = asyncio.create_task(server.ready.wait())
        await asyncio.wait({started, task}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        yield f"http://{_readable(host)}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Says when it answers, and leaves signals to the command line."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        message = f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port"
        raise BadInput(message) from error
    listening.listen(2048)
    listening.setblocking(False)
    return listening


def _readable(host: str) -> str:
    return f"[{host}]" if ":" in host else host
