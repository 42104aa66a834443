"""One GraphQL request over HTTP: from method, headers and body to what is asked, and the answer back.

As the GraphQL over HTTP specification has it: POST with JSON, GET for queries; the media type of the answer
is negotiated, and says whether a refused request has the status 400 or 200.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from gateway.api.caching import Header
from gateway.api.documents import LONGEST_ID, SHA256
from gateway.api.failures import worded
from gateway.api.limits import crowded
from gateway.api.negotiation import remembered, weights
from gateway.errors import TooLarge
from gateway.operations.results import Result

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
STREAM = "text/event-stream"
ANY = "*/*"
PATIENCE = 30.0  # seconds for a body that comes in pieces
_KINDS: Mapping[str, Sequence[str]] = {  # what we can send, and how a client may name it, the nearest first
    JSON: (JSON, "application/*", ANY),
    RESPONSE: (RESPONSE, "application/*", ANY),
    STREAM: (STREAM,),
}
_CONTENT_TYPES: Mapping[str, Header] = {
    media: (b"content-type", f"{media}; charset=utf-8".encode()) for media in (JSON, RESPONSE)
}
_MOST_PARAMETERS = 20


class Accepted(NamedTuple):
    """`media` is what the client likes best, None where we have nothing for it; `streams`: it takes those too."""

    media: str | None
    streams: bool


class Wanted(NamedTuple):
    """`query` is empty where the document is only named, by `document`; `automatic`: in Apollo's way, by its hash."""

    query: str
    variables: Mapping[str, Any] | None
    name: str | None
    document: str | None = None
    automatic: bool = False


class Refused(Exception):
    """A request that is none; `status` is HTTP's."""

    def __init__(self, status: int, message: str, allow: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow


class Gone(Exception):
    """The client left before it had said everything."""


@remembered
def accepted(header: str) -> Accepted:
    """The heaviest wins, then the one that is named most exactly, then the one that is named first."""
    given = weights(header)
    order = list(given)
    best, media = (0.0, 0, 0), None
    for kind, names in _KINDS.items():
        place = next((place for place, name in enumerate(names) if name in given), None)
        if place is None:
            continue
        rank = given[names[place]], -place, -order.index(names[place])
        if rank[0] > 0 and rank > best:
            best, media = rank, kind
    return Accepted(media, given.get(STREAM, 0.0) > 0)


def decoded(scope: Scope) -> dict[str, str]:
    """The headers."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def wanted(scope: Scope, headers: Mapping[str, str], receive: Receive, most: int) -> Wanted:
    """`most`: bytes of the body. Raises Refused for what is no GraphQL request, TooLarge, Gone."""
    method = scope["method"]
    if method == "POST":
        if headers.get("content-type") != JSON:
            _check_type(headers.get("content-type", ""))
        if "content-encoding" in headers:
            _check_coding(headers["content-encoding"])
        return checked(_parsed(await _body(headers, receive, most)))
    if method == "GET":
        return checked(_parameters(scope["query_string"]))
    raise Refused(405, "use POST, or GET for queries", "GET, POST")


def _check_type(content_type: str) -> None:
    """Only what no page of another site can send without the browser asking us first."""
    kind, _, parameter = content_type.partition(";")
    name, _, charset = parameter.strip().lower().partition("=")
    utf8 = name != "charset" or charset.strip('" ') in {"utf-8", "utf8"}
    if kind.strip().lower() != JSON or not utf8:
        raise Refused(415, f"send the operation as {JSON} in UTF-8")


def _check_coding(coding: str) -> None:
    if coding.strip().lower() != "identity":
        raise Refused(415, "send the body as it is: content-encoding is not taken")


async def _body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes:
    declared = headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 15 or int(declared) > most):
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        return body
    try:
        async with asyncio.timeout(PATIENCE):
            return await _pieces(message, receive, most)
    except TimeoutError:
        raise Refused(408, f"the body did not come within {PATIENCE:.0f} seconds") from None


async def _pieces(message: Mapping[str, Any], receive: Receive, most: int) -> bytes:
    parts, received = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        received += len(parts[-1])
        if received > most:
            raise _too_large(most)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body is larger than {most} bytes; send less at once")


def _parsed(body: str | bytes) -> Any:
    if isinstance(body, bytes) and crowded(body):
        raise TooLarge("the body holds more values than any request needs; send less at once")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is not JSON in UTF-8: {error}") from error


def _parameters(query_string: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query_string.decode("ascii"), errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise Refused(400, "the parameters of the address are not UTF-8, or too many") from error
    found: dict[str, Any] = dict(pairs)
    if len(found) < len(pairs):
        raise Refused(400, "a parameter of the address is there twice")
    for name in ("variables", "extensions"):
        if name in found:
            found[name] = _parsed(found[name])
    return found


def checked(found: Any) -> Wanted:
    """Raises Refused for a body that is no request."""
    if not isinstance(found, dict):
        more = "; several operations at once are not taken" if isinstance(found, list) else ""
        raise Refused(400, f"the body must be a JSON object with query, variables, operationName{more}")
    query, variables, name = found.get("query"), found.get("variables"), found.get("operationName")
    if not isinstance(variables, dict | None):
        raise Refused(400, "variables must be an object")
    if not isinstance(name, str | None):
        raise Refused(400, "operationName must be a string")
    document, automatic = None, False
    if "extensions" in found or "documentId" in found:
        document, automatic = _named(found)
    if document is not None and (query is None or query == ""):
        return Wanted("", variables, name or None, document, automatic)
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "query must be the text of a GraphQL document")
    if document is not None and not automatic:
        raise Refused(400, "send the document's text as query, or its documentId, not both")
    return Wanted(query, variables, name or None, document, automatic)


def _named(found: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The id of the document, if one is given, and whether as Apollo's clients do."""
    extensions, document = found.get("extensions"), found.get("documentId")
    if not isinstance(extensions, dict | None):
        raise Refused(400, "extensions must be an object")
    persisted = extensions.get("persistedQuery") if extensions else None
    if persisted is not None:
        if document is not None:
            raise Refused(400, "name the document by documentId or by extensions.persistedQuery, not both")
        if not isinstance(persisted, dict) or persisted.get("version") != 1:
            raise Refused(400, "extensions.persistedQuery must be an object with version 1 and sha256Hash")
        document = persisted.get("sha256Hash", "")
    elif document is None:
        return None, False
    if not isinstance(document, str) or not 0 < len(document) <= LONGEST_ID:
        raise Refused(400, f"the id of a document is a text of 1 to {LONGEST_ID} characters")
    return document.removeprefix(SHA256), persisted is not None


def body_of(result: Result, degraded: Collection[str]) -> bytes:
    """The answer as JSON, around the data that is JSON already."""
    if not result.errors and not degraded and result.data is not None:
        return b'{"data":%b}' % result.data
    parts: dict[str, Any] = {}
    if result.errors:
        parts["errors"] = [worded(error) for error in result.errors]
    if result.data is not None:
        parts["data"] = orjson.Fragment(result.data)
    if degraded:
        parts["extensions"] = {"degraded": sorted(degraded)}
    return orjson.dumps(parts)


async def answer(send: Send, status: int, media: str, body: bytes, more: Sequence[Header] = ()) -> None:
    headers = [_CONTENT_TYPES[media], (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def unchanged(send: Send, more: Sequence[Header]) -> None:
    """The client has the answer already."""
    await send({"type": "http.response.start", "status": 304, "headers": list(more)})
    await send({"type": "http.response.body", "body": b""})
