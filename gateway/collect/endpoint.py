"""One protocol over HTTP: read, authenticated, parsed, screened, taken, answered."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from gateway.api.origins import refuse_other_sites
from gateway.collect import bodies, keys
from gateway.collect.names import Names
from gateway.collect.protocols import Protocol, Sent
from gateway.collect.refusals import Gone, Refused, refused
from gateway.collect.replies import Header, Reply, json_reply
from gateway.collect.screening import Screen, slowed
from gateway.collect.taking import Sorted, sort, take
from gateway.core.access import Caller
from gateway.core.terms import Defaults, Terms
from gateway.errors import BlockloomError, Forbidden, RateLimited, Unauthenticated
from gateway.services.bots import Asking, Bots, told_by
from gateway.services.gateway import MAIN, Gateway
from gateway.services.rates import Rates
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

    def __init__(
        self, gateway: Gateway, open_access: bool, names_of: NamesOf, rates: Rates, bots: Bots
    ) -> None:
        self.gateway = gateway
        self.rates = rates
        self.bots = bots
        self.open = open_access
        self.names_of = names_of
        self.defaults = Defaults(gateway.settings.consent, gateway.settings.consent_countries)

    async def caller(
        self, key: str | None, headers: Mapping[str, str], peer: str | None, in_the_open: bool = False
    ) -> Caller:
        """Counts as a request. Raises Unauthenticated, Forbidden, RateLimited, StoreUnavailable."""
        if self.open:
            refuse_other_sites(headers, self.gateway.settings.cors_origins)
            return Caller(headers.get(SPACE_HEADER, MAIN), frozenset(Right), "demo")
        if key is None:
            raise Unauthenticated("send a token as the write key; make one with `blockloom tokens create`")
        caller = await self.rates.caller(self.gateway.tokens, key, self.rates.origin(headers, peer))
        caller.require(Right.EVENTS)
        if in_the_open and not caller.publishable:
            raise Forbidden("addresses are seen by many; a key in one must be a publishable token")
        return caller

    def asking(self, caller: Caller, headers: Mapping[str, str], peer: str | None) -> Asking:
        """A server with a token of its own speaks for many visitors: its address is none of theirs."""
        return Asking(caller.space, self.rates.origin(headers, peer) if caller.publishable else None)

    def terms(self, caller: Caller, headers: Mapping[str, str], peer: str | None) -> Terms:
        """Of messages that say nothing of consent.

        A browser is where its visitor is; where the visitors of a server are, its address does not tell.
        """
        country = None
        if self.defaults.by_country and (caller.publishable or self.open):
            read = self.gateway.reader.read(headers, peer, None, time.time())
            country = read.facts["geo"].get("country")
        return Terms(self.defaults.of(country), headers.get("sec-gpc", "").strip() == "1")

    def screen(self, headers: Mapping[str, str], peer: str | None, received: float) -> Screen:
        context = self.gateway.reader.read(headers, peer, None, received)
        by_address = self.bots.sign(None, self.rates.address(headers, peer))
        return Screen(self.bots, told_by(context) if context.bot else by_address)


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
        except RateLimited as error:
            reply = self._protocol.refused(refused(error))
            more.append((b"retry-after", b"%d" % error.retry_after))
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
        peer = scope["client"][0] if scope.get("client") else None
        sent = Sent(headers, query.decode("latin-1"), scope.get("path_params", {}), time.time(), peer)
        key = protocol.address_key(sent) if protocol.address_key else keys.of_headers(headers)
        caller = None if key is None else await self._door.caller(key, headers, peer, protocol.in_the_open)
        body = await bodies.read(receive, headers, self._most)
        return await self._taken(replace(sent, received=time.time(), body=body), caller)

    async def _taken(self, sent: Sent, caller: Caller | None) -> Reply:
        """A token in the body is believed as one in the headers, once it is read."""
        protocol, door = self._protocol, self._door
        document = await self._aside(sent, protocol.read, sent)
        if caller is None:
            caller = await door.caller(keys.of_body(document), sent.headers, sent.peer)
        space = await door.gateway.space(caller.space)
        if protocol.validation is not None:
            return json_reply(200, protocol.validation(document, protocol.parse(sent, document)))
        screen = door.screen(sent.headers, sent.peer, sent.received)
        found = await self._aside(sent, self._sorted, sent, document, door.names_of(space), screen)
        slowed(found, door.bots, door.asking(caller, sent.headers, sent.peer), sent.received)
        return protocol.answered(await take(space, found, door.terms(caller, sent.headers, sent.peer)))

    def _sorted(self, sent: Sent, document: Any, names: Names, screen: Screen) -> Sorted:
        return sort(screen.items(self._protocol.parse(sent, document)), names, sent.received)

    async def _aside(self, sent: Sent, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """Off the event loop where it would take long."""
        if len(sent.body) < ASIDE:
            return work(*arguments)
        return await asyncio.to_thread(work, *arguments)
