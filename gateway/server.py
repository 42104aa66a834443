"""Serving the application with uvicorn on a loop that is already running.

uvicorn's protocols leave two things to do for connections that last: one whose client does not read is cut, since
what waits for it is held in memory and closing would wait for it too; and when the server stops, streams
end at once instead of using up the time that requests have.
"""

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.errors import BadInput

SWITCH = 0.001  # seconds
GRACE = 5  # seconds that requests under way have at the end
STALLED = 30.0  # seconds after which a client that does not read is cut off
LAST_WORDS = 1.0  # seconds for what is on its way when the server stops
PING = 20.0  # seconds between pings over WebSocket, and as long for the answer
LONGEST_MESSAGE = 1 << 20  # bytes over WebSocket


def settle() -> None:
    """Tell the garbage collector that what is there by now stays, and to look for more in small steps.

    By default it would walk everything each time a quarter of it is new: seconds, with ten thousand
    subscribers. Connections leave no cycles behind, so there is little to find.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(3_000, 2, 2_000)


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int, log_level: str = "warning") -> AsyncIterator[str]:
    """The address, once it answers; requests under way are finished on exit. Port 0 takes a free one."""
    # A new document is prepared in a thread: for so long, at most, it keeps the event loop from its turn.
    sys.setswitchinterval(SWITCH)
    listening = _listen(host, port)
    config = uvicorn.Config(
        app, log_level=log_level, access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE,
        http=_Http, ws=_WebSocket, ws_ping_interval=PING, ws_ping_timeout=PING, ws_max_size=LONGEST_MESSAGE,
        proxy_headers=False,  # which addresses to believe is for the reader of contexts to say
        ws_per_message_deflate=False,  # its buffers are larger than everything else of an idle connection
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


class _Cut:
    """Cuts a connection off that takes nothing for too long."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _cutting: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        self._cut(STALLED)

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]
        self._spare()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)  # type: ignore[misc]
        self._spare()

    def _cut(self, within: float) -> None:
        self._spare()
        self._cutting = self.loop.call_later(within, self.transport.abort)

    def _spare(self) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
            self._cutting = None


class _Http(_Cut, HttpToolsProtocol):
    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # they hold each other, until a collector comes

    def shutdown(self) -> None:
        super().shutdown()
        # Of an answer without a length nobody knows the end: it is a stream.
        if self.cycle is not None and self.cycle.chunked_encoding and not self.cycle.response_complete:
            self.transport.close()
            self._cut(LAST_WORDS)


class _Inbox:
    """What asyncio.Queue does for one reader, at a tenth of its size."""

    __slots__ = ("_items", "_waiting")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, item: Any) -> None:
        self._items.append(item)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def empty(self) -> bool:
        return not self._items

    async def get(self) -> Any:
        while not self._items:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        self._waiting = None
        return self._items.pop(0)


class _WebSocket(_Cut, WebSocketsSansIOProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue = _Inbox()  # type: ignore[assignment]

    def start_keepalive(self) -> None:
        """Called once the handshake is done, whose headers would be held three times as long as the connection."""
        super().start_keepalive()
        self.request.headers.clear()
        self.response.headers.clear()
        self.scope["headers"] = []

    def shutdown(self) -> None:
        super().shutdown()
        self._cut(LAST_WORDS)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut(LAST_WORDS)


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
