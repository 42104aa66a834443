import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.collect.sockets import FORBIDDEN, MOST_UNDER_WAY, UNAUTHENTICATED
from schemas.vocabulary import Scope
from tests.gateway.collect.made import Collecting

pytestmark = pytest.mark.asyncio(loop_scope="package")


@asynccontextmanager
async def connected(found: Collecting, key: str | None, **more: Any) -> AsyncIterator[ClientConnection]:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    address = found.address.replace("http", "ws") + "/v1/events/ws"
    async with connect(address, additional_headers=headers, **more) as connection:
        yield connection


async def said(connection: ClientConnection) -> Any:
    return orjson.loads(await asyncio.wait_for(connection.recv(), 10))


async def say(connection: ClientConnection, message: Any) -> None:
    await connection.send(orjson.dumps(message).decode())


def event(id_: str, visitor: str = "socket") -> dict[str, Any]:
    return {"id": id_, "type": "view", "visitor": visitor}


async def test_each_event_is_acknowledged_when_it_is_durable(found: Collecting) -> None:
    async with connected(found, await found.token()) as connection:
        assert await said(connection) == {"ready": True, "atOnce": MOST_UNDER_WAY}
        await say(connection, event("s1"))
        assert await said(connection) == {"n": 1, "id": "s1", "status": "accepted"}
        await say(connection, event("s1"))
        assert await said(connection) == {"n": 2, "id": "s1", "status": "duplicate"}
        assert [one.id for one in await found.events("socket")] == ["s1"]


async def test_a_bad_message_does_not_end_the_connection(found: Collecting) -> None:
    async with connected(found, await found.token()) as connection:
        await said(connection)
        answers = []
        for text in ("{", "5", '{"type": "two words", "visitor": "v", "id": "x"}', " " * 70_000):
            await connection.send(text)
            answer = await said(connection)
            answers.append((answer["n"], answer["id"], answer["status"], answer["code"]))
        assert answers == [
            (1, None, "rejected", "BAD_INPUT"),
            (2, None, "rejected", "BAD_INPUT"),
            (3, "x", "rejected", "BAD_INPUT"),
            (4, None, "rejected", "TOO_LARGE"),
        ]


async def test_a_browser_brings_its_key_in_the_first_message(found: Collecting) -> None:
    async with connected(found, None) as connection:
        await say(connection, {"key": await found.token()})
        assert (await said(connection))["ready"]


@pytest.mark.parametrize("first", ['{"key": "blp_unknown"}', "{}", "nonsense"])
async def test_without_a_good_key_the_connection_is_closed(found: Collecting, first: str) -> None:
    async with connected(found, None) as connection:
        await connection.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            await said(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == UNAUTHENTICATED


async def test_a_token_that_may_not_write_is_refused(found: Collecting) -> None:
    async with connected(found, await found.token(Scope.DELIVERY)) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await said(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == FORBIDDEN


async def test_a_flood_is_taken_as_fast_as_it_can_be_stored_and_nothing_is_lost(found: Collecting) -> None:
    total = MOST_UNDER_WAY * 10
    async with connected(found, await found.token()) as connection:
        await said(connection)

        async def flood() -> None:
            for number in range(total):
                await say(connection, event(f"flood-{number}", "flood"))

        sending = asyncio.create_task(flood())
        answers = [await said(connection) for _ in range(total)]
        await sending
    assert {answer["status"] for answer in answers} == {"accepted"}
    assert sorted(answer["n"] for answer in answers) == list(range(1, total + 1))
    assert len(await found.events("flood")) == total


async def test_what_was_read_is_kept_when_the_sender_leaves(found: Collecting) -> None:
    async with connected(found, await found.token()) as connection:
        await said(connection)
        await say(connection, event("leaving", "leaver"))
        await say(connection, event("leaving-too", "leaver"))
        await said(connection)
    async with connected(found, await found.token()) as connection:
        await said(connection)
        await say(connection, event("leaving-too", "leaver"))
        assert (await said(connection))["status"] == "duplicate"
