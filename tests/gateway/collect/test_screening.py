"""Bots and floods at the intake: nothing of them is kept, and every client is answered as it knows."""

import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from schemas.vocabulary import Scope
from tests.gateway.collect.made import Collecting, collecting

pytestmark = pytest.mark.asyncio(loop_scope="package")

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CRAWLER, HOUSEHOLD = "66.249.66.1", "81.2.69.142"
ADDRESSES = (f"81.2.80.{n}" for n in itertools.count(1))  # of somebody who was never here
RATES = {
    "bot_rate": "100/minute",
    "rate_limit": "300/minute",
    "rate_limit_address": "30/hour",
    "rate_limit_unknown": "10/hour",
}


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def proxied(engine_url: str) -> AsyncIterator[Collecting]:
    """Behind a proxy that tells who asks."""
    async with collecting(engine_url, "screening", trusted_proxies=1, **RATES) as running:
        yield running


def of(agent: str, address: str, token: str) -> Mapping[str, str]:
    return {"user-agent": agent, "x-forwarded-for": address, "authorization": f"Bearer {token}"}


def view(visitor: str, **more: Any) -> dict[str, Any]:
    return {"type": "view", "visitor": visitor, **more}


@pytest.mark.parametrize(("agent", "address"), [(GOOGLEBOT, HOUSEHOLD), (CHROME, CRAWLER)])
async def test_a_bots_events_are_refused(proxied: Collecting, agent: str, address: str) -> None:
    headers = of(agent, address, await proxied.token())
    answer = await proxied.http.post("/v1/events", json=[view("bot"), view("bot")], headers=headers)
    assert (answer.status_code, [(r["index"], r["code"]) for r in answer.json()["rejected"]]) == (
        400,
        [(0, "BOT"), (1, "BOT")],
    )
    assert await proxied.kept("bot") == []


async def test_a_server_tells_of_bots_and_people(proxied: Collecting) -> None:
    def message(visitor: str, **context: str) -> dict[str, Any]:
        return {"type": "track", "event": "x", "anonymousId": visitor, "context": context}

    batch = [
        message("person", userAgent=CHROME, ip=HOUSEHOLD),
        message("named", userAgent=GOOGLEBOT),
        message("ranged", userAgent=CHROME, ip=CRAWLER),
        {"type": "identify", "userId": "named", "traits": {"a": 1}, "context": {"userAgent": GOOGLEBOT}},
        message("unsaid"),
    ]
    token = await proxied.token(publishable=False)
    headers = {"user-agent": "analytics-node/2.0.0", "x-forwarded-for": next(ADDRESSES)}
    answer = await proxied.http.post("/v1/batch", json={"batch": batch}, headers=headers, auth=(token, ""))
    assert answer.status_code == 200
    assert [(r["index"], r["code"]) for r in answer.json()["rejected"]] == [
        (1, "BOT"),
        (2, "BOT"),
        (3, "BOT"),
    ]
    assert await proxied.kept("person", "named", "ranged", "unsaid") == [("x", None, None)] * 2


async def test_a_visitor_faster_than_anybody_is_not_kept(proxied: Collecting) -> None:
    headers = of(CHROME, HOUSEHOLD, await proxied.token(publishable=False))
    many = [view("fast", id=f"fast-{n}") for n in range(101)]
    answer = await proxied.http.post("/v1/events", json=[*many, view("calm")], headers=headers)
    assert (answer.status_code, answer.json()["accepted"], len(answer.json()["rejected"])) == (207, 1, 101)
    assert await proxied.kept("fast", "calm") == [("view", None, None)]


async def test_an_address_that_floods_with_a_pages_token_waits(proxied: Collecting) -> None:
    token, address = await proxied.token(), "81.2.70.1"
    picture = {"params": {"key": token, "visitor": "flood"}}
    headers = {"x-forwarded-for": address, "user-agent": CHROME}
    codes = [
        (await proxied.http.get("/v1/pixel.gif", headers=headers, **picture)).status_code for _ in range(35)
    ]
    assert codes[:30] == [200] * 30
    assert codes[31:] == [429] * 4
    answer = await proxied.http.post("/v1/events", json=view("flood"), headers=of(CHROME, address, token))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    others = {"x-forwarded-for": "81.2.70.2", "user-agent": CHROME}
    assert (await proxied.http.get("/v1/pixel.gif", headers=others, **picture)).status_code == 200


async def test_forged_keys_are_soon_not_even_looked_up(proxied: Collecting) -> None:
    codes = [
        (
            await proxied.http.post("/v1/events", json={}, headers=of(CHROME, "81.2.71.1", f"blp_{n}"))
        ).status_code
        for n in range(20)
    ]
    assert (codes[:10], codes[12:]) == ([401] * 10, [429] * 8)


async def test_a_token_that_asks_too_often_waits_over_http_and_a_socket(proxied: Collecting) -> None:
    token = await proxied.token(Scope.EVENTS, publishable=False)
    headers = {"authorization": f"Bearer {token}"}
    async with connect(
        proxied.address.replace("http", "ws") + "/v1/events/ws", additional_headers=headers
    ) as socket:
        await socket.recv()
        statuses = []
        for n in range(310):
            await socket.send(orjson.dumps(view(f"often-{n}")).decode())
            statuses.append(orjson.loads(await socket.recv()))
    assert {said["status"] for said in statuses[:290]} == {"accepted"}
    last = statuses[-1]
    assert (last["status"], last["code"], last["retryAfter"] > 0) == ("retry", "RATE_LIMITED", True)
    answer = await proxied.http.post("/v1/track", json={}, auth=(token, ""))
    assert (answer.status_code, answer.json()["code"], "retry-after" in answer.headers) == (
        429,
        "RATE_LIMITED",
        True,
    )


HOSTILE = ("$where", "__proto__", "constructor", "a.b.c", "", "\x00", "$set", "_id", "é" * 60)


async def test_names_that_mean_something_elsewhere_are_names_like_others(proxied: Collecting) -> None:
    properties = {name: {name: [1, {name: "x"}]} for name in HOSTILE}
    headers = of(CHROME, next(ADDRESSES), await proxied.token(publishable=False))
    answer = await proxied.http.post("/v1/events", json=view("names", properties=properties), headers=headers)
    assert answer.json()["accepted"] == 1
    assert [event.properties for event in await proxied.events("names")] == [properties]


@pytest.mark.parametrize("name", [*HOSTILE[:4], *HOSTILE[6:]])
async def test_a_visitor_may_be_called_as_a_database_calls_things(proxied: Collecting, name: str) -> None:
    headers = of(CHROME, next(ADDRESSES), await proxied.token(publishable=False))
    event = view(name, block=name, decision=name, page=name)
    answer = await proxied.http.post("/v1/events", json=event, headers=headers)
    assert answer.json()["accepted"] == 1
    assert await proxied.kept(name) == [("view", name, None)]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b'{"type": "\xc3\x28", "visitor": "v"}', b'{"visitor": "\\ud800"}']
)
async def test_what_is_no_utf8_is_refused(proxied: Collecting, content: bytes) -> None:
    headers = of(CHROME, next(ADDRESSES), await proxied.token(publishable=False))
    answer = await proxied.http.post("/v1/events", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_INPUT")
