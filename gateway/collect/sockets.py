"""Our events over a WebSocket: each message is one event, and is acknowledged by its number and id once it is durable.

At most so many messages are under way at once; until one is acknowledged no other is read, and the sender's own
buffers fill: that is all that it needs to slow down.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from gateway.api.origins import allowed_origin
from gateway.collect import keys
from gateway.collect.collected import CollectedEvent, Item
from gateway.collect.endpoint import Door
from gateway.collect.events import NO_JSON, event_of
from gateway.collect.taking import Outcome, sort, take
from gateway.core.events import Refusal
from gateway.errors import BlockloomError

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds for the token
MOST_UNDER_WAY = 64
LONGEST = 65_536  # characters of a message
UNAUTHENTICATED, FORBIDDEN, TOO_LATE, TRY_LATER = 4401, 4403, 4408, 1013
_CLOSING: Mapping[str, int] = {"UNAUTHENTICATED": UNAUTHENTICATED, "FORBIDDEN": FORBIDDEN}
TOO_LONG = Refusal("TOO_LARGE", f"a message may have {LONGEST} characters")


class Socket:
    """An ASGI application."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        await receive()
        if self._door.open and not allowed_origin(headers, self._door.gateway.settings.cors_origins):
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        try:
            key = await self._key(headers, receive)
            await Connection(self._door, headers, key, send).serve(receive)
        except TimeoutError:
            await _close(send, TOO_LATE, "the token did not come in time")
        except BlockloomError as error:
            code = TRY_LATER if error.retryable else _CLOSING.get(error.code, FORBIDDEN)
            await _close(send, code, error.message)

    async def _key(self, headers: Mapping[str, str], receive: Receive) -> str | None:
        """Of the handshake, or of a first message `{"key": "..."}`, as from browsers."""
        key = keys.of_headers(headers)
        if key is not None or self._door.open:
            return key
        async with asyncio.timeout(PATIENCE):
            return keys.of_body(_document(await receive()))


class Connection:
    def __init__(self, door: Door, headers: Mapping[str, str], key: str | None, send: Send) -> None:
        self._door = door
        self._headers = headers
        self._key = key
        self._send = send
        self._gpc = headers.get("sec-gpc", "").strip() == "1"
        self._room = asyncio.Semaphore(MOST_UNDER_WAY)

    async def serve(self, receive: Receive) -> None:
        """Until the sender leaves, or its token is no longer good. Raises Unauthenticated, Forbidden."""
        await self._greet()
        under_way: set[asyncio.Task[None]] = set()
        try:
            await self._read(receive, under_way)
        finally:
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _read(self, receive: Receive, under_way: set[asyncio.Task[None]]) -> None:
        for number in itertools.count(1):
            await self._room.acquire()
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            caller = await self._door.caller(self._key, self._headers)  # a connection may outlive its token
            task = asyncio.create_task(self._take(number, message, caller.space))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    async def _greet(self) -> None:
        await self._door.caller(self._key, self._headers)
        await self._say({"ready": True, "atOnce": MOST_UNDER_WAY})

    async def _take(self, number: int, message: Message, space: str) -> None:
        try:
            await self._say(await self._answer(number, message, space))
        except OSError:
            log.debug("a sender left before message %s was acknowledged", number)
        except Exception:
            log.exception("a message could not be taken")
            await self._say(
                {"n": number, "status": "retry", "code": "INTERNAL", "message": "something went wrong"}
            )
        finally:
            self._room.release()

    async def _answer(self, number: int, message: Message, space_name: str) -> Mapping[str, Any]:
        received = time.time()
        item = _item(message, received)
        answer = {"n": number, "id": item.id if isinstance(item, CollectedEvent) else None}
        try:
            space = await self._door.gateway.space(space_name)
            found = sort([item], self._door.names_of(space), received)
            outcome = await take(space, found, self._door.agreed_by_default, self._gpc)
        except BlockloomError as error:
            status = "retry" if error.retryable else "rejected"
            return {**answer, "status": status, "code": error.code, "message": error.message}
        return {**answer, **_status(outcome)}

    async def _say(self, answer: Mapping[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": orjson.dumps(answer).decode()})


def _status(outcome: Outcome) -> Mapping[str, Any]:
    if outcome.rejected:
        why = outcome.rejected[0]
        return {"status": "rejected", "code": why.code, "message": why.message}
    return {"status": "accepted" if outcome.accepted else "duplicate"}


def _item(message: Message, received: float) -> Item:
    if len(message.get("text") or message.get("bytes") or "") > LONGEST:
        return TOO_LONG
    document = _document(message)
    return NO_JSON if document is None else event_of(document, None, received)


def _document(message: Message) -> Any:
    """None for what is no JSON, or too long."""
    given = message.get("text") or message.get("bytes") or ""
    if len(given) > LONGEST:
        return None
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:
        return None


async def _close(send: Send, code: int, reason: str) -> None:
    await send({"type": "websocket.close", "code": code, "reason": reason[:120]})
