"""Answers that a client may keep: a tag of the answer's bytes, and 304 for whoever has them already.

An answer is one caller's own, so no shared cache may keep it, and whoever does keep it asks again each time. What
the answer depends on beyond the request's address (profile, content, circumstances) is in the tag, which is made
of the bytes. It is weak, since the same answer goes compressed and plain.
"""

from collections.abc import Mapping
from hashlib import blake2b

Header = tuple[bytes, bytes]

VARY: Header = (b"vary", b"accept, accept-encoding, authorization, blockloom-space")
OWN: Header = (b"cache-control", b"private, no-cache")
NEVER: Header = (b"cache-control", b"no-store")


def headers_of(tag: str | None) -> list[Header]:
    """What a cache is told of an answer; one without a tag is not to be kept."""
    return [VARY, NEVER] if tag is None else [VARY, OWN, (b"etag", tag.encode())]


def tag_of(body: bytes) -> str:
    return f'W/"{blake2b(body, digest_size=16).hexdigest()}"'


def known(headers: Mapping[str, str], tag: str) -> bool:
    """Whether `If-None-Match` names this tag; tags are compared weakly (RFC 9110, 8.8.3.2)."""
    named = headers.get("if-none-match")
    if named is None:
        return False
    opaque = tag.removeprefix("W/")
    return named.strip() == "*" or any(
        one.strip().removeprefix("W/") == opaque for one in named.split(",")
    )  # our tags hold no comma
