"""Who is no visitor, by where it asks from and by how fast it goes; core/context/agents.py tells by the name."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import orjson

from gateway.core.context.addresses import public_address
from gateway.core.events import Refusal

BOT = Refusal("BOT", "this looks like a program rather than a visitor; nothing is kept of it")

# Of the ranges that `is-crawler` (Apache-2.0) ships, as their owners publish them, those that crawlers, previews,
# monitors and assistants alone ask from. Not those of clouds, CDNs and company proxies: people and servers that
# speak for people ask from there. Nor Google's "user-triggered fetchers": a person waits behind those.
CRAWLERS = (
    "google-common-crawlers", "google-special-crawlers", "bingbot", "duckduckbot", "duckassistbot", "applebot",
    "gptbot", "oai-searchbot", "chatgpt-user", "perplexitybot", "perplexity-user", "claudebot", "mistralai-user",
    "telegrambot", "ahrefsbot", "yandexbot", "kagibot", "amazonbot", "amzn-searchbot", "uptimerobot", "pingdom",
    "pingdom-v6", "datadog", "datadog-eu", "newrelic-synthetics", "statuscake", "checkly", "updown-v4",
    "updown-v6", "hetrixtools", "semrushbot", "mojeekbot", "betteruptimebot", "freshpingbot", "outageowl",
    "webpagetestbot", "marginalia", "ccbot", "dataforseobot", "facebookexternalhit-v4", "facebookexternalhit-v6",
    "twitterbot-v4", "twitterbot-v6", "w3c-validator", "botify", "site24x7", "qwantbot", "seznambot", "bytespider",
)  # fmt: skip

Network = IPv4Network | IPv6Network
_SHORTEST: Mapping[int, int] = {4: 8, 6: 19}  # bits of a prefix, by the version: what is larger is a mistake


class Ranges:
    """Ranges of addresses; a look-up takes two microseconds, less for an address that was seen lately."""

    def __init__(self, networks: Iterable[Network]) -> None:
        found = sorted((_place(net.network_address), _place(net.broadcast_address)) for net in networks)
        self._starts: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []
        for (
            start,
            end,
        ) in found:  # networks never overlap by a part: one that begins within another lies in it
            if not self._ends or end > self._ends[-1]:
                self._starts.append(start)
                self._ends.append(end)
        self.hold = lru_cache(8192)(self._hold)

    def _hold(self, address: str) -> bool:
        parsed = public_address(address)
        if parsed is None:
            return False
        place = _place(parsed)
        before = bisect_right(self._starts, place) - 1
        return before >= 0 and place <= self._ends[before]


def network(cidr: str) -> Network:
    """Raises ValueError for what is no range, and for one that holds a good part of all addresses."""
    found = ip_network(cidr, strict=False)
    if found.prefixlen < _SHORTEST[found.version]:
        raise ValueError(f"{cidr} is too large a range")
    return found


def networks_of(lines: Iterable[str]) -> list[Network]:
    """One range a line, with comments behind `#`. Raises ValueError that names the line."""
    found = []
    for number, line in enumerate(lines, 1):
        cidr = line.partition("#")[0].strip()
        try:
            found += [network(cidr)] if cidr else []
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return found


@cache
def known_networks() -> tuple[Network, ...]:
    """Of CRAWLERS; takes 40 ms, once. Lines of the file that are no ranges are passed over."""
    shipped = orjson.loads((files("is_crawler") / "crawler-ip-ranges.json").read_bytes())
    found = []
    for name in CRAWLERS:
        for cidr in shipped.get(name, ()):
            with suppress(ValueError):
                found.append(network(cidr))
    return tuple(found)


@lru_cache(8192)
def origin_of(address: str) -> str | None:
    """Whom an address stands for: itself, or the /64 that one customer has of IPv6. None if it is no public one.

    Behind what is not public, as behind a proxy that nobody declared, anybody may stand.
    """
    parsed = public_address(address)
    if parsed is None:
        return None
    return str(IPv6Address(int(parsed) >> 64 << 64)) if parsed.version == 6 else str(parsed)


def _place(address: IPv4Address | IPv6Address) -> tuple[int, int]:
    return address.version, int(address)
