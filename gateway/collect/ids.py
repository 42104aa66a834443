"""Ids of events, such that the same message sent again has the same one."""

import secrets
from hashlib import blake2b
from typing import Any

import orjson


def derived(protocol: str, *parts: str | bytes) -> str:
    """The same for the same parts, so that a repetition is known; `protocol` keeps senders' ids apart."""
    digest = blake2b(digest_size=16)
    for part in parts:
        whole = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(whole))
        digest.update(whole)
    return f"{protocol}-{digest.hexdigest()}"


def made() -> str:
    """For a message that names neither an id nor a time: nothing tells it from another like it."""
    return f"made-{secrets.token_hex(12)}"


def of_content(protocol: str, content: Any) -> str:
    """Of a message that names its time, but no id: it is the same when all that it says is the same."""
    try:
        return derived(protocol, orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
    except orjson.JSONEncodeError:  # nested deeper than anything that is taken
        return made()
