"""One protocol over HTTP: read, authenticated, parsed, taken, answered."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from gateway.api.origins import refuse_other_sites
from gateway.collect import bodies, keys
from gateway.collect.names import Names
from gateway.collect.protocols import Protocol, Sent
from gateway.collect.refusals import Gone, Refused, refused
from gateway.collect.replies import Header, Reply, json_reply
from gateway.collect.taking import Sorted, sort, take
from gateway.core.access import Caller
from gateway.errors import BlockloomError, Forbidden, Unauthenticated
from gateway.services.gateway import MAIN, Gateway
from gateway.services.space import Space
from schemas.vocabulary import Scope as Right

SPACE_HEADER = "blockloom-space"  # chooses the space where no token does
ASIDE = 65_536  # bytes of a body from which the event loop would notice
LONGEST_QUERY = 16_384
ANY_ORIGIN: Header = (b"access-control-allow-origin", b"*")
ANY_SITE: Header = (b"cross-origin-resource-policy", b"cross-origin")
_DAY = b"86400"

NamesOf = Callable[[Space], Names]
_Result = TypeVar("_Result")


class Door:
    """Who may send events, for which space; `open_access`: everybody, for a demo on loopback."""

    def __init__(self, gateway: Gateway, open_access: bool, names_of: NamesOf) -> None:
        self.gateway = gateway
        self.open = open_access
        self.names_of = names_of
        self.agreed_by_default = gateway.settings.consent == "opt-out"

    async def caller(self, key: str | None, headers: Mapping[str, str], in_the_open: bool = False) -> Caller:
        """Raises Unauthenticated, Forbidden, StoreUnavailable."""
        if self.open:
            refuse_other_sites(headers, self.gateway.settings.cors_origins)
            return Caller(headers.get(SPACE_HEADER, MAIN), frozenset(Right), "demo")
        if key is None:
            raise Unauthenticated("send a token as the write key; make one with `blockloom tokens create`")
        caller = await self.gateway.tokens.caller(key)
        caller.require(Right.EVENTS)
        if in_the_open and not caller.publishable:
            raise Forbidden("addresses are seen by many; a key in one must be a publishable token")
        return caller


class Endpoint:
    """An ASGI application."""

    def __init__(self, door: Door, protocol: Protocol) -> None:
        self._door = door
        self._protocol = protocol
        most = door.gateway.settings.max_body
        self._most = most if protocol.most is None else min(most, protocol.most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        # A token stands for itself, and no cookie is looked at: any page may send what it holds a token for.
        more: list[Header] = [] if self._door.open else [ANY_ORIGIN, ANY_SITE]
        if scope["method"] == "OPTIONS":
            await Reply(204).send(send, [*more, *self._preflight(headers)])
            return
        try:
            reply = await self._reply(scope, headers, receive)
        except Refused as error:
            reply = self._protocol.refused(error)
        except BlockloomError as error:
            reply = self._protocol.refused(refused(error))
        except Gone:
            return
        await reply.send(send, [*more, *self._allowed(reply)])

    def _allowed(self, reply: Reply) -> Sequence[Header]:
        return [(b"allow", self._methods())] if reply.status == 405 else ()

    def _methods(self) -> bytes:
        return ", ".join((*self._protocol.methods, "OPTIONS")).encode()

    def _preflight(self, headers: Mapping[str, str]) -> Sequence[Header]:
        if self._door.open or "access-control-request-method" not in headers:
            return [(b"allow", self._methods())]
        asked = headers.get("access-control-request-headers", "")[:1000]
        return [
            (b"access-control-allow-methods", self._methods()),
            (b"access-control-allow-headers", asked.encode("latin-1")),
            (b"access-control-max-age", _DAY),
        ]

    async def _reply(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Reply:
        protocol = self._protocol
        if scope["method"] not in protocol.methods:
            raise Refused(405, "BAD_INPUT", f"use {' or '.join(protocol.methods)}")
        query = scope["query_string"]
        if len(query) > LONGEST_QUERY:
            raise Refused(414, "TOO_LARGE", f"an address may have {LONGEST_QUERY} characters of parameters")
        sent = Sent(headers, query.decode("latin-1"), scope.get("path_params", {}), time.time())
        key = protocol.address_key(sent) if protocol.address_key else keys.of_headers(headers)
        caller = None if key is None else await self._door.caller(key, headers, protocol.in_the_open)
        sent = Sent(
            headers, sent.query, sent.path, time.time(), await bodies.read(receive, headers, self._most)
        )
        return await self._taken(sent, caller)

    async def _taken(self, sent: Sent, caller: Caller | None) -> Reply:
        """A token in the body is believed as one in the headers, once it is read."""
        protocol, door = self._protocol, self._door
        document = await self._aside(sent, protocol.read, sent)
        if caller is None:
            caller = await door.caller(keys.of_body(document), sent.headers)
        space = await door.gateway.space(caller.space)
        if protocol.validation is not None:
            return json_reply(200, protocol.validation(document, protocol.parse(sent, document)))
        found = await self._aside(sent, self._sorted, sent, document, door.names_of(space))
        gpc = sent.headers.get("sec-gpc", "").strip() == "1"
        return protocol.answered(await take(space, found, door.agreed_by_default, gpc))

    def _sorted(self, sent: Sent, document: Any, names: Names) -> Sorted:
        return sort(self._protocol.parse(sent, document), names, sent.received)

    async def _aside(self, sent: Sent, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """Off the event loop where it would take long."""
        if len(sent.body) < ASIDE:
            return work(*arguments)
        return await asyncio.to_thread(work, *arguments)
