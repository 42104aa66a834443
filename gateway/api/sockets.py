"""GraphQL over WebSocket: the token may come with the handshake or, from browsers, with `connection_init`.

Which schema serves a connection depends on the token's space. So the connection is accepted here, its first
message read for the token, and both are then played again to the view of that schema.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from gateway.errors import BlockloomError

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0  # seconds for the first message
LONGEST = 65_536  # bytes of it

Serve = Callable[[Scope, Receive, Send], Awaitable[None]]


async def serve_socket(
    scope: Scope, receive: Receive, send: Send, admit: Callable[[Scope, str | None], Awaitable[Serve]]
) -> None:
    """`admit(scope, authorization)` gives the application that serves the connection, or raises."""
    connecting = await receive()
    if PROTOCOL not in scope.get("subprotocols", ()):
        await send({"type": "websocket.close", "code": 4406})
        return
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
    try:
        first = await asyncio.wait_for(receive(), PATIENCE)
    except TimeoutError:
        await send({"type": "websocket.close", "code": 4408, "reason": "Connection initialisation timeout"})
        return
    if first["type"] != "websocket.receive":
        return
    try:
        view = await admit(scope, _authorization(first))
    except BlockloomError as error:
        await send({"type": "websocket.close", "code": 4403, "reason": error.message[:120]})
        return
    await view(scope, _again([connecting, first], receive), _without_accept(send))


def _authorization(message: Message) -> str | None:
    text = message.get("text") or ""
    if len(text) > LONGEST:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    payload = found.get("payload") if isinstance(found, dict) else None
    if not isinstance(payload, dict):
        return None
    named: Any = payload.get("authorization") or payload.get("Authorization")
    return named if isinstance(named, str) else None


def _again(messages: list[Message], receive: Receive) -> Receive:
    async def replayed() -> Message:
        return messages.pop(0) if messages else await receive()

    return replayed


def _without_accept(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] != "websocket.accept":
            await send(message)

    return sent
