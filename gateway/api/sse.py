"""One operation as server-sent events, as the protocol of `graphql-sse` has it for distinct connections."""

import asyncio

from starlette.types import Receive, Send

from gateway.api.exchange import STREAM, Wanted, body_of
from gateway.api.failures import told
from gateway.api.streams import Answer, Line, Streams, ended
from gateway.errors import StoreUnavailable, Unauthenticated
from gateway.operations.results import Result

HEADERS = (
    (b"content-type", f"{STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx passes it on at once
)
SILENCE = b":\n\n"  # a comment: the line is alive, and there is nothing to say
COMPLETE = b"event: complete\ndata:\n\n"


async def serve_events(receive: Receive, send: Send, streams: Streams, line: Line, wanted: Wanted) -> None:
    """Raises Overloaded."""
    with streams.connected():
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await _Events(send, streams, line, wanted).serve(receive)


class _Events:
    __slots__ = ("_beating", "_line", "_send", "_streams", "_wanted")

    def __init__(self, send: Send, streams: Streams, line: Line, wanted: Wanted) -> None:
        self._send = send
        self._streams = streams
        self._line = line
        self._wanted = wanted
        self._beating: asyncio.Task[None] | None = None

    async def serve(self, receive: Receive) -> None:
        """Until the operation is complete, or the client has left."""
        delivering = asyncio.create_task(self._deliver())
        self._streams.beats.add(self)
        try:
            await self._write(SILENCE)
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._streams.beats.remove(self)
            await ended([delivering, *([self._beating] if self._beating else ())])

    def beat(self) -> None:
        if self._beating is None:
            self._beating = asyncio.create_task(self._live())

    async def _live(self) -> None:
        """A sign of life, as long as the token holds."""
        try:
            await self._line.check()
            await self._write(SILENCE)
        except Unauthenticated as error:
            await self._push(Answer(Result(None, (told(error),))))
            await self._write(COMPLETE, more=False)
        except StoreUnavailable:
            await self._write(SILENCE)
        finally:
            self._beating = None

    async def _deliver(self) -> None:
        await self._streams.deliver(self._line, self._wanted, self._push)
        await self._write(COMPLETE, more=False)

    async def _push(self, answer: Answer) -> None:
        body = body_of(answer.result, answer.degraded)
        await self._write(b"event: next\ndata: %b\n\n" % body)

    async def _write(self, event: bytes, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": event, "more_body": more})
