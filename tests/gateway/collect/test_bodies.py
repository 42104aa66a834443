import asyncio
import gzip
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.collect import bodies
from gateway.collect.bodies import inflated, read
from gateway.collect.refusals import Gone, Refused

MOST = 10_000


def raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


CODINGS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip that is not labelled": ("", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", raw_deflate),
    "brotli": ("br", brotli.compress),
    "nothing": ("identity", bytes),
}


@pytest.mark.parametrize("name", CODINGS)
@given(body=st.binary(max_size=3000))
@settings(max_examples=30)
def test_what_was_compressed_comes_back(name: str, body: bytes) -> None:
    coding, compress = CODINGS[name]
    if not body.startswith(b"\x1f\x8b"):
        assert inflated(compress(body), coding, MOST) == body


@pytest.mark.parametrize("name", CODINGS)
def test_a_body_is_inflated_no_further_than_it_may_be(name: str) -> None:
    coding, compress = CODINGS[name]
    assert len(inflated(compress(b"x" * MOST), coding, MOST)) == MOST
    for size in (MOST + 1, 50_000_000):
        with pytest.raises(Refused) as refused:
            inflated(compress(b"x" * size), coding, MOST)
        assert (refused.value.status, refused.value.code) == (413, "TOO_LARGE")


@pytest.mark.parametrize("name", ["gzip", "deflate", "deflate without a header", "brotli"])
def test_half_a_body_is_none(name: str) -> None:
    coding, compress = CODINGS[name]
    whole = compress(bytes(range(256)) * 8)
    with pytest.raises(Refused, match="not whole"):
        inflated(whole[: len(whole) // 2], coding, MOST)


@pytest.mark.parametrize(("coding", "status"), [("gzip", 400), ("br", 400), ("deflate", 400), ("zstd", 415)])
def test_what_is_not_what_it_says_is_refused(coding: str, status: int) -> None:
    with pytest.raises(Refused) as refused:
        inflated(b"\xff" * 50, coding, MOST)
    assert refused.value.status == status


def receiving(*messages: Mapping[str, Any]) -> Any:
    waiting = list(messages)

    async def receive() -> Any:
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    return receive


def part(body: bytes, more: bool = True) -> Mapping[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_may_come_in_pieces() -> None:
    assert await read(receiving(part(b"a"), part(b"b"), part(b"", False)), {}, MOST) == b"ab"


async def test_a_body_is_read_no_further_than_it_may_be() -> None:
    with pytest.raises(Refused, match="larger"):
        await read(receiving(*[part(b"x" * 1000)] * 20), {}, MOST)


async def test_a_body_that_says_that_it_is_too_large_is_not_read() -> None:
    with pytest.raises(Refused, match="larger"):
        await read(receiving(), {"content-length": "99999999999999999999"}, MOST)


async def test_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.01)
    with pytest.raises(Refused) as refused:
        await read(receiving(part(b"a")), {}, MOST)
    assert refused.value.status == 408


async def test_a_client_that_leaves_is_gone() -> None:
    with pytest.raises(Gone):
        await read(receiving(part(b"a"), {"type": "http.disconnect"}), {}, MOST)
