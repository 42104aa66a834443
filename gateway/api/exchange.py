"""One GraphQL request over HTTP: from method, headers and body to what is asked, and the answer back.

As the GraphQL over HTTP specification has it: POST with JSON, GET for queries; the media type of the answer
is negotiated, and says whether a refused request has the status 400 or 200.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
STREAM = "text/event-stream"
_MEDIA: Mapping[str, str] = {RESPONSE: RESPONSE, "application/*": JSON, "*/*": JSON, JSON: JSON}
_MOST_PARAMETERS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    query: str
    variables: Mapping[str, Any] | None
    name: str | None


class Refused(Exception):
    """A request that is none; `status` is HTTP's."""

    def __init__(self, status: int, message: str, allow: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow


def media_type(headers: Mapping[str, str]) -> str:
    """What the client accepts, the first that we can; raises Refused (406)."""
    accepted = headers.get("accept", "*/*")
    for part in accepted.lower().split(","):
        kind = part.split(";")[0].strip()
        if kind in _MEDIA:
            return _MEDIA[kind]
    raise Refused(406, f"accept {RESPONSE} or {JSON}")


async def wanted(scope: Scope, headers: Mapping[str, str], receive: Receive) -> Wanted:
    """Raises Refused for what is no GraphQL request."""
    method = scope["method"]
    if method == "GET":
        return checked(_parameters(scope["query_string"]))
    if method != "POST":
        raise Refused(405, "use POST, or GET for queries", "GET, POST")
    content_type, _, parameter = headers.get("content-type", "").partition(";")
    if content_type.strip().lower() != JSON or not _is_utf8(parameter):
        raise Refused(415, f"send the operation as {JSON} in UTF-8")
    return checked(_parsed(await _body(receive)))


def _is_utf8(parameter: str) -> bool:
    name, _, charset = parameter.strip().lower().partition("=")
    return name != "charset" or charset.strip('" ') in {"utf-8", "utf8"}


async def _body(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        return message.get("body", b"")  # type: ignore[no-any-return]
    parts = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is not JSON in UTF-8: {error}") from error


def _parameters(query_string: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = dict(
            parse_qsl(query_string.decode("ascii"), errors="strict", max_num_fields=_MOST_PARAMETERS)
        )
    except ValueError as error:
        raise Refused(400, "the parameters of the address are not UTF-8, or too many") from error
    for name in ("variables", "extensions"):
        if name in found:
            found[name] = _parsed(found[name].encode())
    return found


def checked(found: Any) -> Wanted:
    """Raises Refused for a body that is no request."""
    if not isinstance(found, dict):
        raise Refused(400, "the body must be a JSON object with query, variables, operationName")
    query, variables, name = found.get("query"), found.get("variables"), found.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "query must be the text of a GraphQL document")
    if not isinstance(variables, dict | None):
        raise Refused(400, "variables must be an object")
    if not isinstance(name, str | None):
        raise Refused(400, "operationName must be a string")
    if not isinstance(found.get("extensions"), dict | None):
        raise Refused(400, "extensions must be an object")
    return Wanted(query, variables, name or None)


async def answer(send: Send, status: int, media: str, body: bytes, allow: str | None = None) -> None:
    headers = [
        (b"content-type", f"{media}; charset=utf-8".encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if allow:
        headers.append((b"allow", allow.encode()))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
