"""GraphQL over WebSocket, as the protocol `graphql-transport-ws` has it.

The connection's own task hears the client; each operation has one more, and hands over its next answer only when
the last one is on its way. So a client that reads slowly has one answer waiting for each operation, not more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from gateway.api.exchange import Refused, Wanted, body_of, checked, decoded
from gateway.api.failures import told, worded
from gateway.api.messages import Closing, Code, id_of, parsed, short
from gateway.api.origins import allowed_origin
from gateway.api.streams import Answer, Left, Line, Streams, ended
from gateway.errors import BlockloomError, Overloaded, StoreUnavailable, Unauthenticated
from gateway.operations.results import Result

log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0  # seconds for the first message
LONGEST_FIRST = 16_384  # characters of it, from somebody who is not known yet
MOST_OPERATIONS = 100  # at the same time, over one connection
SAID_FIRST = ("authorization", "blockloom-space")  # headers that browsers can only send in the first message


async def serve_socket(
    scope: Scope, receive: Receive, send: Send, streams: Streams, origins: Sequence[str]
) -> None:
    await receive()  # it asks to be accepted
    headers = decoded(scope)
    if not allowed_origin(headers, origins):
        await send({"type": "websocket.close"})  # before it is accepted: HTTP 403
        return
    spoken = PROTOCOL in scope.get("subprotocols", ())
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL if spoken else None})
    socket = Socket(streams, streams.line(headers, scope.get("client")), receive, send)
    del headers  # while the connection lasts, they are not kept
    if not spoken:
        await socket.close(Code.BAD_PROTOCOL, f"speak {PROTOCOL}")
        return
    try:
        with streams.connected():
            await socket.serve()
    except Overloaded as error:
        await socket.close(Code.TRY_AGAIN, error.message)


class Socket:
    __slots__ = ("_checking", "_closed", "_line", "_receive", "_send", "_streams", "_tasks")

    def __init__(self, streams: Streams, line: Line, receive: Receive, send: Send) -> None:
        self._streams = streams
        self._line = line
        self._receive = receive
        self._send = send
        self._tasks: dict[str, asyncio.Task[None]] = {}  # operations under way, by their ids
        self._checking: asyncio.Task[None] | None = None
        self._closed = False

    async def serve(self) -> None:
        """Until either side closes."""
        try:
            await self._begin()
            self._streams.beats.add(self)
            while True:
                await self._hear(READY)
        except Closing as closing:
            await self.close(closing.code, closing.reason)
        except Left:
            self._closed = True
        finally:
            self._streams.beats.remove(self)
            await ended([*self._tasks.values(), *([self._checking] if self._checking else ())])
            self._tasks.clear()  # they hold frames that hold this

    async def close(self, code: Code, reason: str) -> None:
        if not self._closed:
            self._closed = True
            with suppress(Left):
                await self._tell({"type": "websocket.close", "code": code, "reason": short(reason)})

    def beat(self) -> None:
        """See whether the token still holds. Whether the client is there, the server's own pings find out."""
        if self._checking is None:
            self._checking = asyncio.create_task(self._check())

    async def _check(self) -> None:
        try:
            await self._line.check()
        except Unauthenticated as error:
            await self.close(Code.FORBIDDEN, error.message)
        except StoreUnavailable as error:
            log.info("tokens of connections are checked later: %s", error)
        finally:
            self._checking = None

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._hear(NEW):
                    pass
        except TimeoutError:
            raise Closing(Code.SILENT, "Connection initialisation timeout") from None

    async def _hear(self, known: "Mapping[str, Handler]") -> bool:
        """True when the client is acknowledged by it."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Left
        found = parsed(message.get("text"), LONGEST_FIRST if known is NEW else None)
        kind = found.get("type")
        handler = known.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise Closing(Code.BAD_REQUEST, f"no message has the type {kind!r:.30}")
        return await handler(self, found)

    async def _acknowledge(self, message: Mapping[str, Any]) -> bool:
        payload = message.get("payload")
        if not isinstance(payload, dict | None):
            raise Closing(Code.BAD_REQUEST, "the payload of connection_init must be an object")
        said = {name.lower(): value for name, value in (payload or {}).items() if isinstance(value, str)}
        self._line.headers.update({name: said[name] for name in SAID_FIRST if name in said})
        try:
            await self._line.open()
        except StoreUnavailable as error:
            raise Closing(Code.TRY_AGAIN, error.message) from error
        except BlockloomError as error:
            raise Closing(Code.FORBIDDEN, error.message) from error
        await self._say({"type": "connection_ack"})
        return True

    async def _pong(self, message: Mapping[str, Any]) -> bool:
        await self._say({"type": "pong"})
        return False

    async def _ignore(self, message: Mapping[str, Any]) -> bool:
        return False

    async def _complete(self, message: Mapping[str, Any]) -> bool:
        task = self._tasks.pop(id_of(message), None)
        if task is not None:
            task.cancel()  # it ends by itself
        return False

    async def _subscribe(self, message: Mapping[str, Any]) -> bool:
        name = id_of(message)
        if name in self._tasks:
            raise Closing(Code.SUBSCRIBER_EXISTS, f"Subscriber for {name} already exists")
        if len(self._tasks) >= MOST_OPERATIONS:
            problem = Overloaded(
                f"over one connection {MOST_OPERATIONS} operations run at once; end some first"
            )
            await self._answer(name, Answer(Result(None, (told(problem),))))
            return False
        try:
            wanted = checked(message.get("payload"))
        except Refused as error:
            raise Closing(Code.BAD_REQUEST, error.message) from error
        self._tasks[name] = asyncio.create_task(self._operate(name, wanted))
        return False

    async def _operate(self, name: str, wanted: Wanted) -> None:
        try:
            complete = await self._streams.deliver(self._line, wanted, partial(self._answer, name))
            if self._tasks.get(name) is asyncio.current_task():
                del self._tasks[name]  # before the client hears of it, who may then use it again
            if complete:
                await self._say({"id": name, "type": "complete"})
        except Left:
            self._closed = True

    async def _answer(self, name: str, answer: Answer) -> None:
        result = answer.result
        if answer.unauthenticated:
            await self.close(Code.FORBIDDEN, result.errors[0].message)
        elif result.data is None:
            await self._say(
                {"id": name, "type": "error", "payload": [worded(error) for error in result.errors]}
            )
        else:
            body = body_of(result, answer.degraded)
            text = b'{"id":%b,"type":"next","payload":%b}' % (orjson.dumps(name), body)
            await self._tell({"type": "websocket.send", "text": text.decode()})

    async def _say(self, message: Mapping[str, Any]) -> None:
        await self._tell({"type": "websocket.send", "text": orjson.dumps(message).decode()})

    async def _tell(self, message: Message) -> None:
        """Raises Left when nobody is there any more; what comes after closing is not sent."""
        if self._closed and message["type"] != "websocket.close":
            return
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:  # the server has just closed, or seen it closed
            raise Left from error


Handler = Callable[[Socket, Mapping[str, Any]], Awaitable[bool]]


def _closes(code: Code, reason: str) -> Handler:
    async def close(socket: Socket, message: Mapping[str, Any]) -> bool:
        raise Closing(code, reason)

    return close


# What a client may say before it is acknowledged, and after.
NEW: Mapping[str, Handler] = {
    "connection_init": Socket._acknowledge,
    "ping": Socket._pong,
    "pong": Socket._ignore,
    "subscribe": _closes(Code.UNAUTHORIZED, "Unauthorized"),
    "complete": Socket._complete,
}
READY: Mapping[str, Handler] = {
    **NEW,
    "connection_init": _closes(Code.TOO_MANY_INITS, "Too many initialisation requests"),
    "subscribe": Socket._subscribe,
}
