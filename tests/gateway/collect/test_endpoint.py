"""What holds of every protocol: who may send, how much, from where."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
import pytest_asyncio

from gateway.collect.routes import ADDRESSES
from gateway.services.gateway import MAIN
from schemas.vocabulary import Scope
from tests.gateway.collect.made import Collecting, collecting

pytestmark = pytest.mark.asyncio(loop_scope="package")

POSTED = [
    address.replace("{kind}", "batch").replace("{key}", "any")
    for address, protocol in ADDRESSES.items()
    if "POST" in protocol.methods
]
SECRETS = "blp_secretsecretsecret"


@pytest.mark.parametrize("address", POSTED)
async def test_an_unknown_key_is_refused_without_telling_more(found: Collecting, address: str) -> None:
    auth = {"auth": (SECRETS, "")}
    query = {"api_secret": SECRETS, "tid": SECRETS}
    answer = await found.http.post(address, params=query, json={"writeKey": SECRETS, "key": SECRETS}, **auth)
    assert answer.status_code == 401
    assert SECRETS not in answer.text


@pytest.mark.parametrize("address", POSTED)
async def test_without_a_key_nothing_is_taken(found: Collecting, address: str) -> None:
    assert (await found.http.post(address, json={})).status_code == 401


async def test_a_token_that_may_not_write_is_refused(found: Collecting) -> None:
    key = await found.token(Scope.DELIVERY)
    assert (await found.http.post("/v1/track", json={}, auth=(key, ""))).status_code == 403


async def test_a_token_of_one_space_writes_there(found: Collecting) -> None:
    key = await found.token(space="other")
    message = {"anonymousId": "spaces", "event": "Product Added"}
    await found.http.post("/v1/track", json=message, auth=(key, ""))
    assert await found.kept("spaces") == []
    assert await found.kept("spaces", space="other") == [("add_to_cart", None, None)]


async def test_keys_are_not_logged(found: Collecting, caplog: pytest.LogCaptureFixture) -> None:
    key = await found.token()
    with caplog.at_level(logging.DEBUG):
        await found.http.post("/v1/track", json={"userId": "log", "event": "x"}, auth=(key, ""))
        await found.http.post("/v1/track", content=b"{", auth=(key, ""))
    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    ]
    assert [line for line in ours if key in line] == []


async def test_a_zip_bomb_is_refused(found: Collecting) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    answer = await found.http.post(
        "/v1/batch", content=bomb, headers={"content-encoding": "gzip"}, auth=(await found.token(), "")
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


async def test_an_address_has_its_end(found: Collecting) -> None:
    answer = await found.http.get("/v1/pixel.gif", params={"visitor": "x" * 20_000})
    assert answer.status_code == 414


@pytest.mark.parametrize("address", POSTED)
async def test_other_methods_are_not_taken(found: Collecting, address: str) -> None:
    answer = await found.http.put(address, json={})
    assert (answer.status_code, "POST" in answer.headers["allow"]) == (405, True)


async def test_events_are_not_sent_by_get_but_as_a_picture_or_googles_way(found: Collecting) -> None:
    taking = [address for address, protocol in ADDRESSES.items() if "GET" in protocol.methods]
    assert taking == ["/v1/pixel.gif", "/g/collect", "/ga/{key}/g/collect"]


async def test_a_browser_may_send_from_any_page_with_a_key(found: Collecting) -> None:
    headers = {"origin": "https://shop.example"}
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,anonymousid",
    }
    preflight = await found.http.options("/v1/track", headers={**headers, **asked})
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-headers"] == "authorization,anonymousid"
    assert "access-control-allow-credentials" not in preflight.headers
    message = {"anonymousId": "cors", "event": "x"}
    answer = await found.http.post("/v1/track", json=message, headers=headers, auth=(await found.token(), ""))
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


async def test_a_browser_that_refuses_is_believed(found: Collecting) -> None:
    body = {"type": "view", "visitor": "gpc"}
    headers = {"authorization": f"Bearer {await found.token()}", "sec-gpc": "1"}
    answer = await found.http.post("/v1/events", json=body, headers=headers)
    assert (answer.status_code, answer.json()["rejected"][0]["code"]) == (400, "CONSENT_REQUIRED")


async def test_half_a_request_costs_nobody_anything(found: Collecting) -> None:
    """The connection is closed before the body has come."""
    at = urlsplit(found.address)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    head = f"POST /v1/events HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: 100\r\n"
    writer.write(f"{head}authorization: Bearer {await found.token()}\r\n\r\n{{".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await found.http.get("/health")).status_code == 200


async def test_what_cannot_be_stored_now_may_be_sent_again(engine_url: str) -> None:
    async with collecting(engine_url, "collectclosed") as found:
        key = await found.token()
        (await found.gateway.space(MAIN)).intake.close()
        answer = await found.http.post("/v1/track", json={"userId": "u", "event": "x"}, auth=(key, ""))
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
            503,
            "OVERLOADED",
            "5",
        )


# --- open, as in the demo ---


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def demo(engine_url: str) -> AsyncIterator[Collecting]:
    async with collecting(engine_url, "collectopen", open_access=True) as running:
        yield running


async def sent(demo: Collecting, **headers: str) -> httpx.Response:
    body = orjson.dumps({"type": "view", "visitor": "demo"})
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await demo.http.post("/v1/events", content=body, headers=given)


async def test_the_demo_needs_no_key(demo: Collecting) -> None:
    assert (await sent(demo)).status_code == 200
    assert (await sent(demo, blockloom_space=MAIN)).status_code == 200
    assert (await demo.http.get("/v1/pixel.gif", params={"visitor": "demo"})).status_code == 200


async def test_pages_of_other_sites_may_not_write_into_the_demo(demo: Collecting) -> None:
    answer = await sent(demo, sec_fetch_site="cross-site", origin="https://evil.example")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "CROSS_SITE")
    assert "access-control-allow-origin" not in answer.headers
    preflight = await demo.http.options("/v1/events", headers={"access-control-request-method": "POST"})
    assert "access-control-allow-origin" not in preflight.headers
