"""GraphQL over HTTP: who asks, for which space, what; and the answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from graphql import GraphQLError, OperationType
from starlette.types import Receive, Scope, Send

from gateway.api import caching, compression, exchange
from gateway.api.caching import Header
from gateway.api.documents import Documents, read_documents
from gateway.api.exchange import Accepted, Gone, Refused, Wanted
from gateway.api.failures import refused
from gateway.api.origins import refuse_other_sites
from gateway.api.request import Request
from gateway.api.schema import SpaceSchema
from gateway.api.served import Served
from gateway.api.sockets import serve_socket
from gateway.api.sse import serve_events
from gateway.api.streams import Streams
from gateway.core.access import Caller
from gateway.errors import (
    BadInput,
    BlockloomError,
    Forbidden,
    NotFound,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
)
from gateway.operations.results import Result
from gateway.services.gateway import MAIN, Gateway
from schemas.vocabulary import Scope as Right

SPACE_HEADER = "blockloom-space"  # chooses the space where no token does
STATUS: Mapping[type[BlockloomError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    StoreUnavailable: 503,
    TooLarge: 413,
}
MORE: Mapping[int, Sequence[Header]] = {
    401: ((b"www-authenticate", b"Bearer"),),
    413: ((b"connection", b"close"),),  # what is still under way is not read
}
VARY: Header = (b"vary", b"accept-encoding")
CODED: Header = (b"content-encoding", b"gzip")


class GraphQLEndpoint:
    """An ASGI application; `open_access` lets everybody do everything, for a demo on loopback."""

    def __init__(self, gateway: Gateway, open_access: bool = False) -> None:
        """Raises BadInput for a manifest of trusted documents that cannot be used."""
        settings = gateway.settings
        self._gateway = gateway
        self._open = open_access
        self._origins = settings.cors_origins
        self._most = settings.max_body
        self._compresses = settings.compression
        trusted = read_documents(settings.trusted_documents) if settings.trusted_documents else {}
        # Open access is open to any document: the preview pages bring their own.
        self.served = Served(Documents(trusted, settings.only_trusted and not open_access), settings.limits)
        self.streams = Streams(self, settings.max_subscriptions)

    async def ready(self) -> None:
        """Have the main space's schema. Raises BadInput where a trusted document does not fit the only one."""
        space = await self._gateway.space(MAIN)
        await self.served.follow(space)
        problems = await self.served.problems(space)
        if problems and len(await self._gateway.storage.control.spaces()) == 1:
            raise BadInput(f"trusted documents that do not fit the schema: {problems[0]}", problems)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve_socket(scope, receive, send, self.streams, self._origins)
            return
        headers = exchange.decoded(scope)
        accepted = exchange.accepted(headers.get("accept", exchange.ANY))
        try:
            lasting = await self._exchange(scope, headers, accepted, receive, send)
            if lasting is not None:
                line = self.streams.line(headers, scope.get("client"))
                del headers  # as long as the stream lasts, nothing else of the request is kept
                await serve_events(receive, send, self.streams, line, lasting)
        except BlockloomError as error:
            body = refused(error.code, error.message, error.extensions())
            await _refuse(send, status_of(error), accepted, body)
        except Refused as error:
            more = [(b"allow", error.allow.encode())] if error.allow else ()
            await _refuse(send, error.status, accepted, refused("BAD_INPUT", error.message), more)
        except GraphQLError as error:  # of the document, before it is looked at
            status = 200 if accepted.media == exchange.JSON else 400
            await _refuse(send, status, accepted, {"errors": [error.formatted]})
        except Gone:
            return  # and nobody is left to be told

    async def _exchange(
        self, scope: Scope, headers: Mapping[str, str], accepted: Accepted, receive: Receive, send: Send
    ) -> Wanted | None:
        """Answer, or say which operation's answers are a stream."""
        refuse_other_sites(headers, self._origins)
        request, schema = await self.asking(headers, scope.get("client"))
        media = accepted.media
        if media is None:
            raise Refused(406, f"accept {exchange.RESPONSE} or {exchange.JSON}")
        wanted = await exchange.wanted(scope, headers, receive, self._most)
        text, prepared = await self.served.prepared(schema, wanted)
        subscribes = prepared.kind is OperationType.SUBSCRIPTION
        if prepared.kind is OperationType.MUTATION and scope["method"] == "GET":
            raise Refused(405, "GET is for queries; send a mutation by POST", "POST")
        if subscribes and not accepted.streams:
            raise Refused(400, f"subscriptions need a WebSocket, or `accept: {exchange.STREAM}`")
        if subscribes or media == exchange.STREAM:
            return wanted._replace(query=text, document=None)
        if prepared.errors:
            result = Result(None, prepared.errors)
        else:
            result = await schema.operations.run(prepared, wanted.variables, request)
        await self._answer(send, scope, headers, media, exchange.body_of(result, request.degraded), result)
        return None

    async def _answer(
        self, send: Send, scope: Scope, headers: Mapping[str, str], media: str, body: bytes, result: Result
    ) -> None:
        # A request error is the client's: the new media type says so by the status, the old one never does.
        status = 200 if result.data is not None or media != exchange.RESPONSE else 400
        more = [VARY] if self._compresses else []
        if scope["method"] == "GET":
            tag = None if result.errors else caching.tag_of(body)
            more = caching.headers_of(tag)
            if tag and caching.known(headers, tag):
                await exchange.unchanged(send, more)
                return
        long = self._compresses and len(body) >= compression.LEAST
        if long and compression.takes_gzip(headers.get("accept-encoding", "")):
            body = await compression.compressed(body)
            more.append(CODED)
        await exchange.answer(send, status, media, body, more)

    async def request(self, scope: Scope) -> Request:
        """Who asks, for which space. Raises Unauthenticated, Forbidden, NotFound."""
        request, _ = await self.asking(exchange.decoded(scope), scope.get("client"))
        return request

    async def asking(
        self, headers: Mapping[str, str], client: tuple[str, int] | None
    ) -> tuple[Request, SpaceSchema]:
        caller = await self.caller(headers)
        wanted = headers.get(SPACE_HEADER)
        if wanted is not None and not self._open and wanted != caller.space:
            raise Forbidden(f"this token belongs to the space {caller.space}, not {wanted}")
        space = await self._gateway.space(caller.space)
        await self.served.follow(space)
        edition = space.shelf.edition
        schema = self.served.schema(edition)
        request = Request(
            gateway=self._gateway,
            space=space,
            caller=caller,
            edition=edition,
            types=schema.types,
            contents=schema.contents,
            headers=headers,
            client_ip=client[0] if client else None,
        )
        return request, schema

    async def caller(self, headers: Mapping[str, str]) -> Caller:
        """Raises Unauthenticated, StoreUnavailable."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer":
            return await self._gateway.tokens.caller(token.strip())
        if self._open:
            return Caller(headers.get(SPACE_HEADER, MAIN), frozenset(Right), "demo")
        raise Unauthenticated(
            "send a token: Authorization: Bearer ...; make one with `blockloom tokens create`"
        )


def status_of(error: BlockloomError) -> int:
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)


async def _refuse(
    send: Send, status: int, accepted: Accepted, body: Mapping[str, Any], more: Sequence[Header] = ()
) -> None:
    media = accepted.media if accepted.media == exchange.RESPONSE else exchange.JSON
    headers = [caching.NEVER, *more, *MORE.get(status, ())]
    await exchange.answer(send, status, media, orjson.dumps(body), headers)
