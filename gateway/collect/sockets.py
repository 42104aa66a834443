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
from gateway.collect.screening import slowed
from gateway.collect.taking import Outcome, sort, take
from gateway.core.access import Caller
from gateway.core.events import Refusal
from gateway.errors import BlockloomError, RateLimited

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
            peer = scope["client"][0] if scope.get("client") else None
            await Connection(self._door, headers, peer, key, send).serve(receive)
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
    def __init__(
        self, door: Door, headers: Mapping[str, str], peer: str | None, key: str | None, send: Send
    ) -> None:
        self._door = door
        self._headers = headers
        self._peer = peer
        self._key = key
        self._send = send
        self._screen = door.screen(headers, peer, time.time())
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
            try:  # a connection may outlive its token
                caller = await self._door.caller(self._key, self._headers, self._peer)
            except RateLimited as error:
                await self._say({"n": number, **_again(error), "retryAfter": error.retry_after})
                self._room.release()
                continue
            task = asyncio.create_task(self._take(number, message, caller))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    async def _greet(self) -> None:
        await self._door.caller(self._key, self._headers, self._peer)
        await self._say({"ready": True, "atOnce": MOST_UNDER_WAY})

    async def _take(self, number: int, message: Message, caller: Caller) -> None:
        try:
            await self._say(await self._answer(number, message, caller))
        except OSError:
            log.debug("a sender left before message %s was acknowledged", number)
        except Exception:
            log.exception("a message could not be taken")
            await self._say(
                {"n": number, "status": "retry", "code": "INTERNAL", "message": "something went wrong"}
            )
        finally:
            self._room.release()

    async def _answer(self, number: int, message: Message, caller: Caller) -> Mapping[str, Any]:
        received = time.time()
        item = _item(message, received)
        answer = {"n": number, "id": item.id if isinstance(item, CollectedEvent) else None}
        try:
            space = await self._door.gateway.space(caller.space)
            found = sort(self._screen.items([item]), self._door.names_of(space), received)
            slowed(found, self._door.bots, self._door.asking(caller, self._headers, self._peer), received)
            outcome = await take(space, found, self._door.terms(caller, self._headers, self._peer))
        except BlockloomError as error:
            return {**answer, **_again(error)}
        return {**answer, **_status(outcome)}

    async def _say(self, answer: Mapping[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": orjson.dumps(answer).decode()})


def _again(error: BlockloomError) -> Mapping[str, Any]:
    status = "retry" if error.retryable else "rejected"
    return {"status": status, "code": error.code, "message": error.message}


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
