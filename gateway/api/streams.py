"""Subscriptions, over WebSocket and as server-sent events, by strawberry's own view."""

from typing import Any

import orjson
from cross_web import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, process_result
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL
from strawberry.types import ExecutionResult

from gateway.api import exchange
from gateway.api.failures import refused, worded
from gateway.api.sockets import PROTOCOL


class StreamView(GraphQL[Any, None]):
    """Finds the request, ready, in the scope under `blockloom`."""

    def __init__(self, schema: Any) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=(PROTOCOL, GRAPHQL_SSE_PROTOCOL))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except _BadBody as error:
            body = orjson.dumps(refused("BAD_INPUT", str(error)))
            await exchange.answer(send, 400, exchange.JSON, body)

    async def get_context(self, request: HttpRequest | WebSocket, response: Response | WebSocket) -> Any:
        return request.scope["blockloom"]

    async def parse_http_body(self, request: Any) -> Any:
        """JSON of any other shape than an object would end as an error of ours."""
        try:
            found: Any = await super().parse_http_body(request)  # never a batch: they are switched off
            exchange.checked({"query": found.query, "operationName": found.operation_name})
            return found
        except exchange.Refused as error:
            raise _BadBody(error.message) from error
        except HTTPException as error:
            raise _BadBody(error.reason) from error
        except (AttributeError, TypeError, UnicodeDecodeError, ValueError) as error:
            raise _BadBody(
                "the body must be a JSON object in UTF-8: query, variables, operationName"
            ) from error

    async def process_result(self, request: HttpRequest, result: ExecutionResult) -> GraphQLHTTPResponse:
        found = process_result(result)
        if result.errors:
            found["errors"] = [worded(error) for error in result.errors]
        return found

    def decode_json(self, data: str | bytes) -> object:
        """Strict, as for requests without a stream: no NaN, no numbers beyond 64 bits."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Text, since bytes would become binary frames on a WebSocket."""
        return orjson.dumps(data).decode()


class _BadBody(Exception):
    pass
