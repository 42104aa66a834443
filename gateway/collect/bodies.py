"""Bodies of requests: read within bounds and in time, inflated no further than they may be."""

import asyncio
import zlib
from collections.abc import Callable, Mapping

import brotli
from starlette.types import Receive

from gateway.collect.refusals import Gone, Refused

PATIENCE = 30.0  # seconds for the whole body
_GZIP = b"\x1f\x8b"
_ANY_WRAPPER = 47  # zlib's word for a gzip or zlib header, whichever is there
_RAW = -15


async def read(receive: Receive, headers: Mapping[str, str], most: int) -> bytes:
    """The body as it was before it was compressed. Raises Refused, Gone."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 15 or int(declared) > most):
        raise too_large(most)
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _whole(receive, most)
    except TimeoutError:
        raise Refused(408, "BAD_INPUT", f"the body did not come within {PATIENCE:.0f} seconds") from None
    return inflated(body, headers.get("content-encoding", ""), most)


async def _whole(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise too_large(most)
        if not message.get("more_body"):
            return b"".join(parts)


def inflated(body: bytes, coding: str, most: int) -> bytes:
    """At most `most` bytes. What begins as gzip is gzip, however it is labelled: some clients say nothing."""
    coding = coding.strip().lower()
    if coding in ("", "identity") and body.startswith(_GZIP):
        coding = "gzip"
    inflate = _CODINGS.get(coding)
    if inflate is None:
        raise Refused(415, "BAD_INPUT", f"send the body as it is, or by {', '.join(filter(None, _CODINGS))}")
    try:
        found = inflate(body, most)
    except (zlib.error, brotli.error) as error:
        raise Refused(400, "BAD_INPUT", f"the body is not {coding}: {error}") from error
    if found is None:
        raise Refused(400, "BAD_INPUT", f"the {coding} body is not whole")
    if len(found) > most:
        raise too_large(most)
    return found


def too_large(most: int) -> Refused:
    return Refused(413, "TOO_LARGE", f"the body is larger than {most} bytes; send less at once")


def _zlib(body: bytes, most: int) -> bytes | None:
    """One byte more than is allowed where there is more; None where the end is missing."""
    return _stream(body, most, _ANY_WRAPPER)


def _deflate(body: bytes, most: int) -> bytes | None:
    """With zlib's header, as it should be, or without, as some send it."""
    wrapped = body[:1] and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _stream(body, most, _ANY_WRAPPER if wrapped else _RAW)


def _stream(body: bytes, most: int, wrapper: int) -> bytes | None:
    stream = zlib.decompressobj(wbits=wrapper)
    found = stream.decompress(body, most + 1)
    return found if stream.eof or len(found) > most else None


def _brotli(body: bytes, most: int) -> bytes | None:
    stream = brotli.Decompressor()
    found = bytearray(stream.process(body, output_buffer_limit=most + 1))
    while not stream.is_finished() and len(found) <= most:
        more = stream.process(b"", output_buffer_limit=most + 1 - len(found))
        if not more:
            return None
        found += more
    return bytes(found)


def _plain(body: bytes, most: int) -> bytes | None:
    return body


_CODINGS: Mapping[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _zlib, "x-gzip": _zlib, "deflate": _deflate, "br": _brotli, "identity": _plain, "": _plain,
}  # fmt: skip
