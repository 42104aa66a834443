"""Messages of `graphql-transport-ws` as they are read, and why they may end the connection."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import orjson

LONGEST_ID = 200


class Code(IntEnum):
    """Why a connection is closed. Clients try again after TRY_AGAIN and FORBIDDEN, and not after the others."""

    TRY_AGAIN = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    BAD_PROTOCOL = 4406
    SILENT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITS = 4429


class Closing(Exception):
    """The connection ends, by us."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def parsed(text: str | None, longest: int | None) -> Mapping[str, Any]:
    if text is None:
        raise Closing(Code.BAD_REQUEST, "messages are text")
    if longest is not None and len(text) > longest:
        raise Closing(Code.BAD_REQUEST, f"the first message may have {longest} characters")
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Closing(Code.BAD_REQUEST, f"messages are JSON: {error}") from error
    if not isinstance(found, dict):
        raise Closing(Code.BAD_REQUEST, "messages are JSON objects")
    return found


def id_of(message: Mapping[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID:
        raise Closing(Code.BAD_REQUEST, f"the id of an operation is a text of 1 to {LONGEST_ID} characters")
    return name


def short(reason: str) -> str:
    """As much as a close frame takes: 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")
