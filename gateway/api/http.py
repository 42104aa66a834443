"""GraphQL over HTTP: who asks, for which space; then strawberry's view; then errors in our words."""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from cross_web import HTTPException
from graphql import GraphQLError, GraphQLSyntaxError
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, process_result
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL
from strawberry.types import ExecutionResult

from gateway.api.failures import told
from gateway.api.request import Request
from gateway.api.schema import Schemas, SpaceSchema
from gateway.api.sockets import PROTOCOL, serve_socket
from gateway.core.access import Caller
from gateway.core.editions import Edition
from gateway.errors import BlockloomError, Forbidden, NotFound, StoreUnavailable, Unauthenticated
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
        self._views: WeakKeyDictionary[SpaceSchema, _View] = WeakKeyDictionary()
        gateway.opened.append(self._follow)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve_socket(scope, receive, send, self._admit)
            return
        try:
            view = await self._admit(scope)
        except BlockloomError as error:
            await refusal(error)(scope, receive, send)
            return
        await view(scope, receive, send)

    async def _admit(self, scope: Scope, authorization: str | None = None) -> "_View":
        """The view of the caller's space, with the request ready in the scope."""
        request = await self.request(scope, authorization)
        scope["blockloom"] = request
        return self._view(request.edition)

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

    def _view(self, edition: Edition) -> "_View":
        schema = self._schemas.of(edition.catalogue)
        if schema not in self._views:
            self._views[schema] = _View(schema.schema)
        return self._views[schema]


class _View(GraphQL[Any, None]):
    def __init__(self, schema: Any) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=(PROTOCOL, GRAPHQL_SSE_PROTOCOL))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except _BadBody as error:
            await _errors(400, "BAD_INPUT", str(error))(scope, receive, send)

    async def get_context(self, request: HttpRequest | WebSocket, response: Response | WebSocket) -> Any:
        return request.scope["blockloom"]

    async def parse_http_body(self, request: Any) -> Any:
        """JSON of any other shape than an object would end as an error of ours."""
        try:
            return await super().parse_http_body(request)
        except HTTPException as error:
            raise _BadBody(error.reason) from error
        except (AttributeError, TypeError, UnicodeDecodeError, ValueError) as error:
            raise _BadBody(
                "the body must be a JSON object in UTF-8: query, variables, operationName"
            ) from error

    async def process_result(self, request: HttpRequest, result: ExecutionResult) -> GraphQLHTTPResponse:
        degraded = request.scope["blockloom"].degraded
        answer = process_result(result)
        if result.errors:
            answer["errors"] = [worded(error) for error in result.errors]
        if degraded:
            answer["extensions"] = {**(answer.get("extensions") or {}), "degraded": sorted(degraded)}
        return answer

    def encode_json(self, data: object) -> str:
        """Text, since bytes would become binary frames on a WebSocket."""
        return orjson.dumps(data).decode()


class _BadBody(Exception):
    pass


def worded(error: GraphQLError) -> Any:
    """A GraphQL error as it is sent: each has a stable code."""
    if error.extensions:
        return error.formatted
    cause = error.original_error
    if cause is not None and not isinstance(
        cause, GraphQLError
    ):  # below a root field, where nothing should fail
        return {**error.formatted, **told(cause).formatted}
    return {**error.formatted, "extensions": {"code": _code(error)}}


def _code(error: GraphQLError) -> str:
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    return "GRAPHQL_VALIDATION_FAILED" if error.path is None else "BAD_INPUT"


def refusal(error: BlockloomError) -> Response:
    """For what is refused before there is a GraphQL operation."""
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)
    return _errors(status, error.code, error.message, dict(error.extensions()))


def _errors(status: int, code: str, message: str, extensions: Mapping[str, Any] | None = None) -> Response:
    body = {"errors": [{"message": message, "extensions": {"code": code, **(extensions or {})}}]}
    return Response(orjson.dumps(body), status, media_type="application/json")
