"""The ASGI application: GraphQL, the preview pages, and whether all is well."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.bounds import BodyLimit
from gateway.api.http import GraphQLEndpoint
from gateway.console import preview
from gateway.console.stages import Stage
from gateway.errors import BlockloomError
from gateway.services.gateway import Gateway

HEADERS = ("authorization", "content-type")  # that scripts of other origins may send


def build_app(gateway: Gateway, *, open_access: bool = False, stages: Sequence[Stage] = ()) -> ASGIApp:
    """The gateway must be open while the application serves.

    `open_access`: no tokens, and pages that preview; for a demo. `stages` are what those offer.
    """
    graphql = GraphQLEndpoint(gateway, open_access)

    async def health(request: Request) -> JSONResponse:
        """200 while pages can be served; the store may be away."""
        try:
            await gateway.storage.ping()
        except BlockloomError as error:
            return JSONResponse({"status": "degraded", "store": error.message})
        return JSONResponse({"status": "ok", "store": "ok"})

    routes: list[BaseRoute] = [Route("/health", health)]
    if open_access:
        routes += preview.routes(graphql, stages)
    others = Starlette(routes=routes)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """GraphQL past the router: it is what nearly every request wants."""
        await (graphql if scope.get("path") == "/graphql" else others)(scope, receive, send)

    bounded = BodyLimit(app, gateway.settings.max_body)
    origins = gateway.settings.cors_origins
    return CORSMiddleware(bounded, origins, ("GET", "POST"), HEADERS, max_age=86_400) if origins else bounded
