"""Serving the application with uvicorn on a loop that is already running."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from gateway.errors import BadInput


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int, log_level: str = "warning") -> AsyncIterator[str]:
    """The address, once it answers; requests under way are finished on exit. Port 0 takes a free one."""
    listening = _listen(host, port)
    config = uvicorn.Config(
        app, log_level=log_level, access_log=False, lifespan="off", ws="websockets-sansio",
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        if task.done():
            await task
        yield f"http://{_readable(host)}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Signals are the command line's business."""

    def install_signal_handlers(self) -> None: ...

    def capture_signals(self):  # type: ignore[no-untyped-def]  # a context manager that captures none
        from contextlib import nullcontext

        return nullcontext()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadInput(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port"
        ) from error
    listening.listen(2048)
    listening.setblocking(False)
    return listening


def _readable(host: str) -> str:
    return f"[{host}]" if ":" in host else host
