"""GraphQL over HTTP: who asks, for which space, what; and the answer."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from gateway.api import exchange
from gateway.api.exchange import Refused, Wanted
from gateway.api.failures import refused, worded
from gateway.api.request import Request
from gateway.api.schema import Schemas, SpaceSchema
from gateway.api.sockets import serve_socket
from gateway.api.streams import StreamView
from gateway.core.access import Caller
from gateway.core.editions import Edition
from gateway.errors import BlockloomError, Forbidden, NotFound, StoreUnavailable, Unauthenticated
from gateway.operations.results import Result
from gateway.services.gateway import MAIN, Gateway
from gateway.services.space import Space
from schemas.vocabulary import Scope as Right

SPACE_HEADER = "blockloom-space"  # chooses the space where no token does
STATUS: Mapping[type[BlockloomError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    StoreUnavailable: 503,
}


class GraphQLEndpoint:
    """An ASGI application; `open_access` lets everybody do everything, for a demo on loopback."""

    def __init__(self, gateway: Gateway, open_access: bool = False) -> None:
        self._gateway = gateway
        self._open = open_access
        self._schemas = Schemas()
        self._streams: WeakKeyDictionary[SpaceSchema, StreamView] = WeakKeyDictionary()
        gateway.opened.append(self._follow)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve_socket(scope, receive, send, self._admit)
            return
        try:
            await self._exchange(scope, receive, send)
        except BlockloomError as error:
            status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
            body = refused(error.code, error.message, error.extensions())
            await exchange.answer(send, status, exchange.JSON, orjson.dumps(body))
        except Refused as error:
            body = refused("BAD_INPUT", error.message)
            await exchange.answer(send, error.status, exchange.JSON, orjson.dumps(body), error.allow)

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await self.request(scope)
        if exchange.STREAM in request.headers.get("accept", ""):
            await self._lasting(scope, request)(scope, receive, send)
            return
        media = exchange.media_type(request.headers)
        wanted = await exchange.wanted(scope, request.headers, receive)
        result = await self._execute(request, wanted, reading=scope["method"] == "GET")
        # A request error is the client's: the new media type says so by the status, the old one never does.
        status = 200 if result.ran or media != exchange.RESPONSE else 400
        await exchange.answer(send, status, media, _body(request, result))

    async def _execute(self, request: Request, wanted: Wanted, reading: bool) -> Result:
        operations = self._schemas.of(request.edition.catalogue).operations
        prepared = operations.known(wanted.query, wanted.name) or await operations.prepare(
            wanted.query, wanted.name
        )
        if prepared.errors:
            return Result(None, prepared.errors)
        if prepared.kind is OperationType.SUBSCRIPTION:
            raise Refused(400, f"subscriptions need a WebSocket, or `accept: {exchange.STREAM}`")
        if reading and prepared.kind is not OperationType.QUERY:
            raise Refused(405, "GET is for queries; send a mutation by POST", "POST")
        return await operations.run(prepared, wanted.variables, request)

    async def _admit(self, scope: Scope, authorization: str | None) -> StreamView:
        """For a WebSocket: the view of the caller's space, with the request ready in the scope."""
        return self._lasting(scope, await self.request(scope, authorization))

    def _lasting(self, scope: Scope, request: Request) -> StreamView:
        """The view for a connection: it finds the request in the scope, and the token is asked for again."""
        request.renew = partial(self._caller, request.headers)
        scope["blockloom"] = request
        return self._stream(request)

    async def request(self, scope: Scope, authorization: str | None = None) -> Request:
        """Who asks, for which space. Raises Unauthenticated, Forbidden, NotFound."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if authorization is not None:
            headers["authorization"] = authorization
        caller = await self._caller(headers)
        wanted = headers.get(SPACE_HEADER)
        if wanted is not None and not self._open and wanted != caller.space:
            raise Forbidden(f"this token belongs to the space {caller.space}, not {wanted}")
        space = await self._gateway.space(caller.space)
        edition = space.shelf.edition
        schema = self._schemas.of(edition.catalogue)
        client = scope.get("client")
        return Request(
            gateway=self._gateway,
            space=space,
            caller=caller,
            edition=edition,
            types=schema.types,
            contents=schema.contents,
            headers=headers,
            client_ip=client[0] if client else None,
        )

    async def _caller(self, headers: Mapping[str, str]) -> Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer":
            return await self._gateway.tokens.caller(token.strip())
        if self._open:
            return Caller(headers.get(SPACE_HEADER, MAIN), frozenset(Right), "demo")
        raise Unauthenticated(
            "send a token: Authorization: Bearer ...; make one with `blockloom tokens create`"
        )

    async def _follow(self, space: Space) -> None:
        """A schema is ready before the edition that needs it is served."""

        async def ready(edition: Edition) -> None:
            await asyncio.to_thread(self._schemas.of, edition.catalogue)

        await space.shelf.before(ready)

    def _stream(self, request: Request) -> StreamView:
        schema = self._schemas.of(request.edition.catalogue)
        if schema not in self._streams:
            self._streams[schema] = StreamView(schema.schema)
        return self._streams[schema]


def _body(request: Request, result: Result) -> bytes:
    """The answer as JSON, around the data that is JSON already."""
    parts: dict[str, Any] = {}
    if result.errors:
        parts["errors"] = [worded(error) for error in result.errors]
    if result.data is not None:
        parts["data"] = orjson.Fragment(result.data)
    if request.degraded:
        parts["extensions"] = {"degraded": sorted(request.degraded)}
    return orjson.dumps(parts)
