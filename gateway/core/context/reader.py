"""A request's headers, address and explicit input, read into facts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from content_blocks.eligibility import acceptable_locales
from gateway.core.context.addresses import client_address
from gateway.core.context.agents import read_agent
from gateway.core.context.countries import zones_of_countries
from gateway.core.context.database import CountryDatabase
from gateway.core.context.devices import BOT, CDN_HINTS, HINTS, described, device
from gateway.core.context.findings import SAID, Finding
from gateway.core.context.given import SILENT, Given, InvalidContext, check_given, parted
from gateway.core.context.languages import accepted_languages, language_of, normal_language
from gateway.core.context.pages import page_facts
from gateway.core.context.places import PLACE_HEADERS, cdn_place, geo_facts, joined
from gateway.core.context.times import time_facts
from gateway.errors import BadInput

REMEMBERED = 1024  # surroundings that were read before
COUNTRY_DATABASE = Path(__file__).parents[2] / "data" / "country.mmdb"  # the one that is shipped
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Context:
    """One request's circumstances. Parts of `facts` are shared between requests: never change them."""

    facts: Mapping[str, Any]  # device, geo, time, page, visitor (locale, language, timezone), attributes
    locales: frozenset[str]  # whose content is acceptable, lower case: {"en-gb", "en"}
    locale: str  # the best of them, BCP 47: "en-GB"
    now: float  # epoch seconds that the decision is made for
    bot: bool
    gpc: bool  # Global Privacy Control: the visitor objects to the sale and sharing of data
    sources: Mapping[str, str]  # {"geo.country": "cloudfront-viewer-country"}: why we believe it


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a request tells of a visitor whatever the page and the moment; remembered, for requests repeat it."""

    facts: Mapping[str, Any]  # device, geo, visitor
    zone: str
    locales: frozenset[str]
    locale: str
    bot: bool
    gpc: bool
    sources: Mapping[str, str]


class ContextReader:
    """Reads requests; built once for a process.

    `trusted_proxies` counts the proxies of ours that append to X-Forwarded-For. Headers of CDNs are
    believed when there is such a proxy, or when `trust_cdn_headers` says so. `asks_from` tells addresses that
    bots ask from.
    """

    def __init__(
        self,
        country_database: Path | None = COUNTRY_DATABASE,
        trusted_proxies: int = 0,
        default_locale: str = "en",
        trust_cdn_headers: bool = True,
        asks_from: Callable[[str], bool] | None = None,
    ) -> None:
        locale = normal_language(default_locale)
        if locale is None:
            raise BadInput(
                f"The default locale {default_locale!r} is no language tag: name one such as en-GB."
            )
        if trusted_proxies < 0:
            raise BadInput(
                f"There cannot be {trusted_proxies} trusted proxies: name how many there are, or 0."
            )
        self._default_languages = (locale,)
        self._database = CountryDatabase(country_database) if country_database else None
        self._trusted_proxies = trusted_proxies
        self._asks_from = asks_from
        self._believe_cdn = trust_cdn_headers or trusted_proxies > 0
        heeded = {"user-agent", "accept-language", "sec-gpc", *HINTS}
        heeded |= {*CDN_HINTS, *PLACE_HEADERS} if self._believe_cdn else set()
        heeded |= {"x-forwarded-for"} if trusted_proxies else set()
        self._heeded = frozenset(heeded)
        self._remembered: dict[Any, Surroundings] = {}
        self._warm()

    def read(
        self,
        headers: Headers,
        client_ip: str | None,
        given: Mapping[str, Any] | None,
        now: float,
        page: Mapping[str, Any] | None = None,
    ) -> Context:
        """Header names in lower case, values decoded as Latin-1; `page` is what the caller knows of it.

        Odd headers are ignored, whatever is in them; InvalidContext for mistakes in `given`.
        """
        about, passing = parted(given) if given else ({}, {})
        try:
            around = self._around(headers, client_ip, about)
            said = check_given(passing) if passing else SILENT
        except InvalidContext:
            check_given(given or {})  # tells all mistakes, wherever they are
            raise
        url, url_source = (said.url, SAID) if said.url else (headers.get("referer"), "referer")
        moment, clock = (now, "clock") if said.time is None else (said.time, SAID)
        sources = {**around.sources, "time.epoch": clock}
        if url:
            sources["page.url"] = url_source
        return Context(
            facts={
                **around.facts,
                "time": time_facts(moment, around.zone),
                "page": page_facts(url, said.referrer, page),
                "attributes": said.attributes,
            },
            locales=around.locales,
            locale=around.locale,
            now=moment,
            bot=around.bot,
            gpc=around.gpc,
            sources=sources,
        )

    def _around(self, headers: Headers, client_ip: str | None, about: Mapping[str, Any]) -> Surroundings:
        # repr tells apart what is equal in Python and not in JSON: true and 1.
        heard = tuple([header for header in headers.items() if header[0] in self._heeded])
        key = heard, client_ip, repr(about) if about else ""
        known = self._remembered.get(key)
        if known is None:
            known = self._surroundings(headers, client_ip, check_given(about) if about else SILENT)
            if len(self._remembered) >= REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key] = known
        return known

    def _surroundings(self, headers: Headers, client_ip: str | None, said: Given) -> Surroundings:
        address = (client_address(headers.get("x-forwarded-for"), client_ip, self._trusted_proxies) or "")[
            :64
        ]
        found = device(headers, self._believe_cdn)
        if self._asks_from and address and not found.facts["bot"] and self._asks_from(address):
            found = Finding.of(BOT, "address").over(found)
        if said.device.facts:
            found = described(said.device, found)
        place = self._place(headers, address, said)
        zone, zone_source = _zone(said, place)
        languages, language_source = self._languages(headers, said)
        locale = languages[0]
        return Surroundings(
            facts={
                "device": found.facts,
                "geo": geo_facts(place),
                "visitor": {"locale": locale, "language": language_of(locale), "timezone": zone},
            },
            zone=zone,
            locales=acceptable_locales(languages),
            locale=locale,
            bot=found.facts["bot"],
            gpc=headers.get("sec-gpc", "").strip() == "1",
            sources={
                **{f"device.{fact}": source for fact, source in found.sources.items()},
                **{f"geo.{fact}": source for fact, source in place.sources.items() if fact != "zone"},
                "time.zone": zone_source,
                "visitor.locale": language_source,
            },
        )

    def _warm(self) -> None:
        """The libraries read their tables now (half a second) rather than in the first visitor's request."""
        read_agent("a program")
        normal_language("en-GB")
        zones_of_countries()
        time_facts(0.0, "UTC")

    def _place(self, headers: Headers, address: str, said: Given) -> Finding:
        place = said.geo
        if self._believe_cdn:
            place = joined(place, cdn_place(headers))
        if self._database and address:
            place = joined(place, self._database.find(address))
        return place

    def _languages(self, headers: Headers, said: Given) -> tuple[tuple[str, ...], str]:
        if said.locale:
            return (said.locale,), SAID
        accepted = accepted_languages((headers.get("accept-language") or "")[:1024])
        return (accepted, "accept-language") if accepted else (self._default_languages, "default")


def _zone(said: Given, place: Finding) -> tuple[str, str]:
    """The visitor's zone and how we know: said, where the place lies, the country's largest, UTC."""
    if said.timezone:
        return said.timezone, SAID
    if "zone" in place.facts:
        return place.facts["zone"], place.sources["zone"]
    zone = zones_of_countries().get(place.facts.get("country", ""))
    return (zone, "geo.country") if zone else ("UTC", "default")
