"""A client of our own, where wrk cannot follow: requests that depend on each other, and load at a fixed rate."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson

HEAD_ENDS = b"\r\n\r\n"
LENGTH = b"content-length:"


def raw(
    body: bytes | None, headers: Mapping[str, str], target: str = "/graphql", method: str = "POST"
) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class Connection(asyncio.Protocol):
    """One request at a time; answers must tell their length."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._length = -1  # of the whole answer, once its head is there
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: Any = None  # uvloop's, which is an asyncio.Transport by its methods alone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._length < 0 and (head := self._got.find(HEAD_ENDS)) >= 0:
            told = self._got[:head].lower().partition(LENGTH)[2].partition(b"\r\n")[0]
            self._length = head + len(HEAD_ENDS) + int(told)
        if self._answer and 0 <= self._length <= len(self._got):
            self._answer.set_result(bytes(self._got))

    async def ask(self, request: bytes) -> bytes:
        """The answer, with its head."""
        self._got.clear()
        self._length = -1
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    async def data(self, request: bytes) -> Any:
        """What GraphQL answers; raises SystemExit where it refuses."""
        answer = orjson.loads((await self.ask(request)).partition(HEAD_ENDS)[2])
        if "errors" in answer or "data" not in answer:
            raise SystemExit(f"a request was refused: {answer}")
        return answer["data"]

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def connected(port: int, count: int = 1) -> AsyncIterator[list[Connection]]:
    loop = asyncio.get_running_loop()
    found = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]
    try:
        yield found
    finally:
        for connection in found:
            connection.close()


async def steady(
    port: int, requests: Sequence[bytes], rate: float, seconds: float, connections: int = 64
) -> list[float]:
    """Milliseconds that each answer took, sorted, with so many requests a second whatever the server does.

    Counted from when a request was due: one that had to wait for the client, or for a connection because the
    server had none free, has waited. A client that only sends when the last answer is there would leave out
    the very requests that a stalled server delays (coordinated omission).
    """
    took: list[float] = []
    async with connected(port, connections) as found:
        free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in found:
            free.put_nowait(connection)

        async def ask(request: bytes, due: float) -> None:
            connection = await free.get()
            await connection.ask(request)
            took.append((time.perf_counter() - due) * 1e3)
            free.put_nowait(connection)

        begins = time.perf_counter() + 0.05
        async with asyncio.TaskGroup() as asking:
            for number, request in zip(range(int(rate * seconds)), itertools.cycle(requests), strict=False):
                due = begins + number / rate
                while (early := due - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                asking.create_task(ask(request, due))
    return sorted(took)
