"""Clients for what lasts: npm's over node, and a plain WebSocket that says whatever it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.gateway.live import Client, Live
from tests.npm import FOLDER, require_packages

FEATURED = (
    'subscription { page(slug: "home", visitor: "v") { basis slot(name: "featured") { blocks { key } } } }'
)
HELLO = 'subscription { page(slug: "home", visitor: "v") { slots { blocks { data } } } }'
BUY = 'mutation { track(events: [{type: "purchase", visitor: "v", block: "mantel-shoes"}]) { accepted } }'
VISITS = 'subscription { visitor(id: "v") { visits } }'
PATIENCE = 20.0


def hello(text: str) -> dict[str, Any]:
    """A bundle of one page that says this."""
    slot = {"name": "s", "strategy": "rules", "block": "hello"}
    return {
        "blocks": [{"key": "hello", "type": "RichText", "data": {"body": text}}],
        "pages": [{"slug": "home", "title": "Home", "slots": [slot]}],
    }


def said(payload: Any) -> str:
    """What the page of `hello` says."""
    body: str = payload["data"]["page"]["slots"][0]["blocks"][0]["data"]["body"]
    return body


def first_product(payload: Any) -> str:
    key: str = payload["data"]["page"]["slot"]["blocks"][0]["key"]
    return key


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110  # what is awaited says nothing by itself
            await asyncio.sleep(0.005)


# --- a plain WebSocket ---


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, kind: str, **more: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **more}))

    async def hear(self) -> Any:
        message = await asyncio.wait_for(self.connection.recv(), PATIENCE)
        assert isinstance(message, str), "frames are text"
        return json.loads(message)

    async def subscribe(self, query: str, id: str = "1", **variables: Any) -> None:  # noqa: A002
        await self.say("subscribe", id=id, payload={"query": query, "variables": variables})

    async def code(self) -> int:
        """The code that the server closes with, whatever it says before."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code


@asynccontextmanager
async def raw_socket(live: Live, **more: Any) -> AsyncIterator[Socket]:
    """Not acknowledged yet."""
    address = live.address.replace("http", "ws") + "/graphql"
    options = {"subprotocols": ["graphql-transport-ws"], **more}
    async with connect(address, **options) as connection:
        yield Socket(connection)


@asynccontextmanager
async def socket(live: Live, client: Client) -> AsyncIterator[Socket]:
    async with raw_socket(live) as found:
        await found.say("connection_init", payload=dict(client.headers))
        assert await found.hear() == {"type": "connection_ack"}
        yield found


# --- clients from npm ---


class Node:
    """A script of tests/node, which says what happens to it a line at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hear(self, *kinds: str) -> list[Any]:
        """The next line of one of these kinds, or of any."""
        assert self._process.stdout is not None
        while True:
            line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
            assert line, "the client has ended"
            found: list[Any] = json.loads(line)
            if not kinds or found[0] in kinds:
                return found

    async def pages(self, number: int = 0) -> Any:
        """The next result of that subscription."""
        while (found := await self.hear("next", "error"))[1] != number:
            pass
        assert found[0] == "next", found
        return found[2]

    async def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()


SCRIPTS = {"ws": "subscribe_ws.mjs", "sse": "subscribe_sse.mjs"}


@asynccontextmanager
async def node(over: str, address: str, client: Client, *queries: str) -> AsyncIterator[Node]:
    """`over`: ws or sse."""
    require_packages()
    url = (address.replace("http", "ws") if over == "ws" else address) + "/graphql"
    operations = [json.dumps({"query": query}) for query in queries]
    process = await asyncio.create_subprocess_exec(
        "node", SCRIPTS[over], url, client.headers.get("authorization", ""), *operations,
        cwd=FOLDER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Node(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
