"""Tokens: who has none is told nothing, and what becomes of those that expire or are revoked."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError
from websockets.typing import Subprotocol

from gateway.services.gateway import MAIN
from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, f"t{uuid.uuid4().hex[:12]}", alone=True) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(found: Live) -> Client:
    return await found.client(Scope.ADMIN)


def code(given: Any) -> str:
    found: str = given["errors"][0]["extensions"]["code"]
    return found


CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "nothing": {},
    "an unknown token": {"authorization": "Bearer bls_" + "x" * 43},
    "an empty token": {"authorization": "Bearer"},
    "a token of 10 KB": {"authorization": "Bearer " + "x" * 10_000},
    "another scheme": {"authorization": "Basic dXNlcjpwYXNz"},
    "a token without scheme": {"authorization": "bls_" + "x" * 43},
}


@pytest.mark.parametrize("headers", CREDENTIALS.values(), ids=CREDENTIALS.keys())
async def test_who_cannot_be_told_is_told_nothing(found: Live, headers: Mapping[str, str]) -> None:
    introspection = "{ __schema { queryType { name } } }"
    answers = [
        await found.http.post("/graphql", json={"query": introspection}, headers=headers),
        await found.http.get("/graphql", params={"query": introspection}, headers=headers),
        await found.http.post(
            "/graphql", json={"query": introspection}, headers={**headers, "accept": "text/event-stream"}
        ),
        await found.http.post("/graphql", content=b"{", headers=headers),
    ]
    assert {(one.status_code, code(one.json())) for one in answers} == {(401, "UNAUTHENTICATED")}
    assert all("data" not in one.json() for one in answers)
    assert {one.headers.get("www-authenticate") for one in answers} == {"Bearer"}


async def test_an_expired_token_is_worth_nothing(found: Live) -> None:
    token, _ = await found.gateway.tokens.create(MAIN, [Scope.ADMIN], "old", lives=timedelta(seconds=-1))
    assert (await found.bearing(token).refused("{ __typename }"))["code"] == "UNAUTHENTICATED"


async def test_a_token_expires_while_it_is_used(found: Live) -> None:
    lives = timedelta(milliseconds=300)
    token, stored = await found.gateway.tokens.create(MAIN, [Scope.ADMIN], "short", lives=lives)
    client = found.bearing(token)
    while "errors" not in (given := await client.post("{ __typename }")):
        pass
    assert code(given) == "UNAUTHENTICATED"
    assert stored.expires is not None
    assert datetime.now(UTC) >= stored.expires


async def test_a_revoked_token_is_worth_nothing_from_then_on(found: Live, admin: Client) -> None:
    made = (await admin.ask(
        'mutation { createToken(name: "lost", scopes: ["editor"]) { token info { id } } }'
    ))["createToken"]  # fmt: skip
    client = found.bearing(made["token"])
    await client.ask("{ revisions { revision } }")
    revoke = "mutation ($id: ID!) { revokeToken(id: $id) }"
    assert await admin.ask(revoke, id=made["info"]["id"]) == {"revokeToken": True}
    assert (await client.refused("{ revisions { revision } }"))["code"] == "UNAUTHENTICATED"
    assert (await admin.refused(revoke, id=made["info"]["id"]))["code"] == "NOT_FOUND"
    assert made["info"]["id"] not in [one["id"] for one in (await admin.ask("{ tokens { id } }"))["tokens"]]


async def test_a_connection_does_not_outlive_its_token(found: Live, admin: Client) -> None:
    token, stored = await found.gateway.tokens.create(MAIN, [Scope.PROFILES], "listens")
    operation = json.dumps({"query": 'subscription { visitor(id: "heard") { visits } }'})
    address = found.address.replace("http", "ws") + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(f'{{"type": "connection_init", "payload": {{"authorization": "Bearer {token}"}}}}')
        await socket.recv()
        await socket.send(f'{{"id": "1", "type": "subscribe", "payload": {operation}}}')
        first = json.loads(await socket.recv())
        assert first["payload"] == {"data": {"visitor": {"visits": 0}}}
        await found.gateway.tokens.revoke(stored.digest, MAIN)
        await admin.ask('mutation { track(events: [{type: "view", visitor: "heard"}]) { accepted } }')
        with pytest.raises(ConnectionClosedError) as closed:
            await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_a_token_is_shown_once_and_stored_as_a_hash(admin: Client) -> None:
    made = (await admin.ask(
        'mutation { createToken(name: "once", scopes: ["events"], days: 1)'
        " { token info { id name scopes publishable createdAt expiresAt } } }"
    ))["createToken"]  # fmt: skip
    listed = await admin.ask("{ tokens { id name scopes publishable createdAt expiresAt } }")
    assert made["info"] in listed["tokens"]
    assert made["token"] not in json.dumps(listed)
    lives = datetime.fromisoformat(made["info"]["expiresAt"]) - datetime.fromisoformat(
        made["info"]["createdAt"]
    )
    assert lives == timedelta(days=1)


@pytest.mark.parametrize(
    "asked",
    [
        'name: "x", scopes: []',
        'name: "x", scopes: ["root"]',
        'name: "x", scopes: ["ADMIN"]',
        'name: "", scopes: ["events"]',
        'name: "a\\u0007b", scopes: ["events"]',
        f'name: "{"x" * 101}", scopes: ["events"]',
        'name: "x", scopes: ["events"], days: 0',
        'name: "x", scopes: ["events"], days: -1',
        'name: "x", scopes: ["events"], days: 100000',
    ],
)
async def test_a_token_that_cannot_be_right_is_not_made(admin: Client, asked: str) -> None:
    before = await admin.ask("{ tokens { id } }")
    refused = await admin.refused(f"mutation {{ createToken({asked}) {{ token }} }}")
    assert refused["code"] == "BAD_INPUT"
    assert await admin.ask("{ tokens { id } }") == before


async def test_a_scope_named_twice_is_one(admin: Client) -> None:
    made = await admin.ask(
        'mutation { createToken(name: "twice", scopes: ["events", "events"]) { info { scopes } } }'
    )
    assert made["createToken"]["info"]["scopes"] == ["events"]
