"""What senders are answered, each in the shape that its client knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Send

from gateway.collect.refusals import Refused
from gateway.collect.taking import Outcome

Header = tuple[bytes, bytes]
JSON = b"application/json"
RETRY_AFTER: Header = (b"retry-after", b"5")
NEVER: Header = (b"cache-control", b"no-store")
CLOSE: Header = (b"connection", b"close")  # what is still under way is not read


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    media: bytes = JSON

    async def send(self, send: Send, more: Sequence[Header] = ()) -> None:
        headers = [*more, NEVER]
        if self.status != 204:
            headers += [(b"content-type", self.media), (b"content-length", b"%d" % len(self.body))]
        if self.status == 503:
            headers.append(RETRY_AFTER)
        if self.status in (401, 403, 408, 413):
            headers.append(CLOSE)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_reply(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status, orjson.dumps(body))


def rejected(outcome: Outcome) -> Mapping[str, Any]:
    """What of a request was not taken, where there is any; clients of others look no further than the status."""
    return {"rejected": outcome.rejected} if outcome.rejected else {}


# --- ours ---


def counted(outcome: Outcome) -> Reply:
    """207 where only a part was taken, 400 where nothing was, and sending it again will not help."""
    status = 200
    if outcome.rejected:
        status = 207 if outcome.accepted or outcome.duplicates else 400
    return json_reply(
        status,
        {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "rejected": outcome.rejected},
    )


def plain_error(error: Refused) -> Reply:
    return json_reply(error.status, {"error": {"code": error.code, "message": error.message}})


# --- Segment's, which RudderStack's clients read as well ---


def success(outcome: Outcome) -> Reply:
    return json_reply(200, {"success": True, **rejected(outcome)})


def no_success(error: Refused) -> Reply:
    return json_reply(error.status, {"success": False, "code": error.code, "message": error.message})


# --- Jitsu's ---


def okay(outcome: Outcome) -> Reply:
    return json_reply(200, {"ok": True, **rejected(outcome)})


def not_okay(error: Refused) -> Reply:
    return json_reply(error.status, {"ok": False, "code": error.code, "error": error.message})


# --- mParticle's ---


def accepted(outcome: Outcome) -> Reply:
    return json_reply(202, rejected(outcome))


def error_list(error: Refused) -> Reply:
    return json_reply(error.status, {"errors": [{"code": error.code, "message": error.message}]})


# --- Google's ---


def nothing(outcome: Outcome) -> Reply:
    return Reply(204)
