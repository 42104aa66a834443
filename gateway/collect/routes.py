"""Where each protocol is spoken."""

from collections.abc import Mapping

from starlette.routing import BaseRoute, Route, WebSocketRoute

from gateway.collect import protocols
from gateway.collect.endpoint import Door, Endpoint, NamesOf
from gateway.collect.names import NAMES, Names
from gateway.collect.protocols import Protocol
from gateway.collect.script import script
from gateway.collect.sockets import Socket
from gateway.services.gateway import Gateway
from gateway.services.space import Space

ADDRESSES: Mapping[str, Protocol] = {
    "/v1/events": protocols.EVENTS,
    "/v1/collect": protocols.DATALAYER,
    "/v1/pixel.gif": protocols.PIXEL,
    "/v1/{kind}": protocols.SEGMENT,
    "/api/s/{kind}": protocols.JITSU_EVENTS,
    "/api/s/s2s/{kind}": protocols.JITSU_EVENTS,
    "/v2/events": protocols.MPARTICLE,
    "/v2/bulkevents": protocols.MPARTICLE,
    "/mp/collect": protocols.MEASUREMENT,
    "/debug/mp/collect": protocols.VALIDATION,
    "/g/collect": protocols.GTAG,
    "/ga/{key}/g/collect": protocols.GTAG,
}


def built_in(space: Space) -> Names:
    return NAMES


def routes(
    gateway: Gateway,
    open_access: bool,
    names_of: NamesOf = built_in,
) -> list[BaseRoute]:
    """`names_of` gives the table of names that a space uses."""
    door = Door(gateway, open_access, names_of, gateway.rates, gateway.bots)
    return [
        Route("/v1/collect.js", script),
        WebSocketRoute("/v1/events/ws", Socket(door)),
        *(Route(address, Endpoint(door, protocol)) for address, protocol in ADDRESSES.items()),
    ]
