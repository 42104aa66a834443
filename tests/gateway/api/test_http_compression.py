"""Compressed answers over the wire."""

import gzip
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.api.compression import ASIDE, LEAST, compressed
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = '{ page(slug: "home") { slots { name blocks { key variant data tags reason { summary } } } } }'
SHORT = '{ page(slug: "home") { slug } }'
DECODERS: Mapping[str, Any] = {"gzip": gzip.decompress, "": bytes}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, "compressed", alone=True) as running:
        await running.load_shop()
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(found: Live) -> Client:
    return await found.client()


async def raw(client: Client, query: str, coding: str, method: str = "POST") -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it came."""
    asked: dict[str, Any] = {"json": {"query": query}} if method == "POST" else {"params": {"query": query}}
    headers = httpx.Headers({**client.headers, "accept-encoding": coding}, encoding="latin-1")
    async with client.http.stream(method, "/graphql", headers=headers, **asked) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("br, zstd, *;q=0.1", "gzip"),
        ("br", ""),
        ("gzip;q=0", ""),
        ("\xff\xfe", ""),
    ],
)
async def test_a_long_answer_is_compressed_as_the_client_likes_it(
    client: Client, accepted: str, coding: str, method: str
) -> None:
    plain = (await raw(client, LONG, "identity", method))[1]
    answer, body = await raw(client, LONG, accepted, method)
    assert answer.headers.get("content-encoding", "") == coding
    assert int(answer.headers["content-length"]) == len(body)
    assert "accept-encoding" in answer.headers["vary"]
    assert DECODERS[coding](body) == plain
    assert len(plain) > LEAST
    assert not coding or len(body) < len(plain) / 2


async def test_a_short_answer_goes_as_it_is(client: Client) -> None:
    answer, body = await raw(client, SHORT, "gzip, zstd")
    assert "content-encoding" not in answer.headers
    assert body == b'{"data":{"page":{"slug":"home"}}}'


async def test_a_long_refusal_is_compressed_too(client: Client) -> None:
    answer, body = await raw(client, "{" + " ".join(f"nonsense{n}" for n in range(10)) + "}", "gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert b"GRAPHQL_VALIDATION_FAILED" in gzip.decompress(body)


async def test_a_setting_leaves_compressing_to_others(engine_url: str) -> None:
    async with live(engine_url, "plain", alone=True, compression=False) as running:
        await running.load_shop()
        answer, body = await raw(await running.client(), LONG, "gzip, zstd")
    assert {"content-encoding", "vary"}.isdisjoint(answer.headers)
    assert body.startswith(b'{"data":{"page":{"slots":[')


async def test_what_is_very_long_is_compressed_beside_the_loop_to_the_same() -> None:
    body = bytes(range(256)) * (ASIDE // 256 + 1)
    assert gzip.decompress(await compressed(body)) == body
