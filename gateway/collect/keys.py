"""Where senders put their key, which is a token of ours."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from gateway.collect.fields import mapping, text


def of_headers(headers: Mapping[str, str]) -> str | None:
    """Of `Authorization`, Basic or Bearer, or `X-Write-Key`."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    read = _SCHEMES.get(scheme.lower())
    if read is not None:
        return read(given.strip())
    return _secret(headers.get("x-write-key", ""))


def of_body(document: Any) -> str | None:
    """Of those who cannot set headers: `writeKey` is Segment's word, `key` ours."""
    found = mapping(document)
    return _secret(text(found.get("writeKey")) or text(found.get("key")) or "")


def of_query(query: str, *names: str) -> str | None:
    """The first that is there."""
    try:
        found = dict(parse_qsl(query, max_num_fields=300))
    except ValueError:
        return None
    return next((found[name] for name in names if found.get(name)), None)


def _basic(given: str) -> str | None:
    try:
        return _secret(base64.b64decode(given, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        return None


def _bearer(given: str) -> str | None:
    return given or None


def _secret(pair: str) -> str | None:
    """Of `key:secret` the secret is the token; Segment's clients send the key alone, with nothing behind it."""
    key, _, secret = pair.partition(":")
    return secret or key or None


_SCHEMES: Mapping[str, Callable[[str], str | None]] = {"basic": _basic, "bearer": _bearer}
