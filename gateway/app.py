"""The ASGI application: GraphQL, the intake of events, the preview pages, public keys, whether all is well, figures."""

from collections.abc import Sequence

import orjson
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api import exchange, metrics
from gateway.api.failures import refused
from gateway.api.http import GraphQLEndpoint, status_of
from gateway.api.origins import loopback
from gateway.collect.routes import routes as collecting
from gateway.console import preview
from gateway.console.stages import Stage
from gateway.core.keys import key_set
from gateway.errors import BlockloomError, CrossSite, Forbidden
from gateway.services.gateway import MAIN, Gateway
from schemas.vocabulary import Scope as Right

HEADERS = ("authorization", "content-type")  # that scripts of other origins may send


class Application:
    """ASGI. The gateway must be open while it serves."""

    def __init__(self, gateway: Gateway, open_access: bool, stages: Sequence[Stage]) -> None:
        self._gateway = gateway
        self._graphql = GraphQLEndpoint(gateway, open_access)
        self._figures = metrics.registry(self._graphql.served.counts, gateway.bots.counts)
        routes: list[BaseRoute] = [
            Route("/health", self._health),
            Route("/metrics", self._metrics),
            Route("/.well-known/jwks.json", self._keys),
            *collecting(gateway, open_access),
        ]
        if open_access:
            routes += preview.routes(self._graphql, stages)
        self._others = Starlette(routes=routes)
        origins = gateway.settings.cors_origins
        self._asked: ASGIApp = self._graphql
        if origins:  # the intake allows any origin, and answers their preflights itself
            self._asked = CORSMiddleware(self._graphql, origins, ("GET", "POST"), HEADERS, max_age=86_400)
        self._app = self._local if open_access else self._routed

    async def ready(self) -> None:
        """Raises BadInput where a trusted document fits no schema. Without this, first requests wait for theirs."""
        await self._graphql.ready()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GraphQL past the router: it is what nearly every request wants."""
        await (self._asked if scope.get("path") == "/graphql" else self._others)(scope, receive, send)

    async def _local(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Without tokens, a name that a stranger's DNS points to this machine must not be served."""
        if loopback({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}):
            await self._routed(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            error = CrossSite(
                "without tokens only this machine is served, by the name localhost or 127.0.0.1"
            )
            body = orjson.dumps(refused(error.code, error.message))
            await exchange.answer(send, status_of(error), exchange.JSON, body)

    async def _health(self, request: Request) -> JSONResponse:
        """200 while pages can be served; the store may be away."""
        try:
            await self._gateway.storage.ping()
        except BlockloomError as error:
            return JSONResponse({"status": "degraded", "store": error.message})
        return JSONResponse({"status": "ok", "store": "ok"})

    async def _keys(self, request: Request) -> JSONResponse:
        """Public, for whoever verifies a receipt."""
        keys = key_set(self._gateway.keys.public)
        return JSONResponse(keys, headers={"cache-control": "public, max-age=3600"})

    async def _metrics(self, request: Request) -> Response:
        """Of the whole process, so for those who administer the deployment."""
        try:
            caller = await self._graphql.caller(request.headers)
            caller.require(Right.ADMIN)
            if caller.space != MAIN:
                raise Forbidden(f"these figures are for administrators of the space {MAIN}")
        except BlockloomError as error:
            return JSONResponse(refused(error.code, error.message, error.extensions()), status_of(error))
        return Response(metrics.exposed(self._figures), headers={"content-type": metrics.CONTENT_TYPE})


def build_app(gateway: Gateway, *, open_access: bool = False, stages: Sequence[Stage] = ()) -> Application:
    """`open_access`: no tokens, and pages that preview; for a demo. `stages` are what those offer."""
    return Application(gateway, open_access, stages)
