"""Where the visitor is: what a CDN found, then what the address says."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from gateway.core.context.countries import CONTINENTS, EUROPEAN_UNION, known_country
from gateway.core.context.findings import NOTHING, Finding
from gateway.core.context.times import known_zone
from gateway.core.context.values import code, coordinate, text

Reading = tuple[str, str, Callable[[str], Any]]  # fact, header, how to read it


def _latitude(value: str) -> float | None:
    return coordinate(value.partition(",")[0], 90)


def _longitude(value: str) -> float | None:
    return coordinate(value.rpartition(",")[2], 180)


# The outermost CDN first: Cloudflare in front of Vercel knows the visitor, Vercel sees only Cloudflare.
# The first line of each is the country; without it the CDN is not there, or does not know.
CDNS: tuple[tuple[Reading, ...], ...] = (
    (
        ("country", "cloudfront-viewer-country", known_country),
        ("region", "cloudfront-viewer-country-region", code),
        ("city", "cloudfront-viewer-city", text),
        ("lat", "cloudfront-viewer-latitude", _latitude),
        ("lon", "cloudfront-viewer-longitude", _longitude),
        ("zone", "cloudfront-viewer-time-zone", known_zone),
    ),
    (
        ("country", "cf-ipcountry", known_country),
        ("region", "cf-region-code", code),
        ("city", "cf-ipcity", text),
        ("lat", "cf-iplatitude", _latitude),
        ("lon", "cf-iplongitude", _longitude),
        ("zone", "cf-timezone", known_zone),
    ),
    (
        ("country", "x-vercel-ip-country", known_country),
        ("region", "x-vercel-ip-country-region", code),
        ("city", "x-vercel-ip-city", text),
        ("lat", "x-vercel-ip-latitude", _latitude),
        ("lon", "x-vercel-ip-longitude", _longitude),
        ("zone", "x-vercel-ip-timezone", known_zone),
    ),
    (
        ("country", "fastly-geo-country", known_country),
        ("region", "fastly-geo-region", code),
        ("city", "fastly-geo-city", text),
    ),
    (
        ("country", "x-appengine-country", known_country),
        ("region", "x-appengine-region", code),
        ("city", "x-appengine-city", text),
        ("lat", "x-appengine-citylatlong", _latitude),
        ("lon", "x-appengine-citylatlong", _longitude),
    ),
)
_BY_COUNTRY_HEADER: Mapping[str, tuple[Reading, ...]] = {cdn[0][1]: cdn for cdn in CDNS}

PLACE_HEADERS = frozenset(header for cdn in CDNS for _, header, _ in cdn)


def cdn_place(headers: Mapping[str, str]) -> Finding:
    """`country region city lat lon zone` of the first CDN that knows the country."""
    for marker, cdn in _BY_COUNTRY_HEADER.items():
        if marker in headers:
            found = _read(marker, tuple([(headers.get(header) or "")[:300] for _, header, _ in cdn]))
            if found is not NOTHING:
                return found
    return NOTHING


@lru_cache(4096)
def _read(marker: str, values: tuple[str, ...]) -> Finding:
    facts: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for (fact, header, reading), value in zip(_BY_COUNTRY_HEADER[marker], values, strict=True):
        read = reading(value)
        if read is not None:
            facts[fact], sources[fact] = read, header
    return Finding(facts, sources) if "country" in facts else NOTHING


def joined(upper: Finding, lower: Finding) -> Finding:
    """The upper place, with what the lower one adds if both may be the same place.

    Never a city of one country in another: of places that differ in country nothing is added, of
    those that differ in region or city only the country.
    """
    if not upper.facts or not lower.facts:
        return upper if upper.facts else lower
    if _differ("country", upper, lower):
        return upper
    if _differ("region", upper, lower) or _differ("city", upper, lower):
        return upper.over(lower.without("region", "city", "lat", "lon", "zone"))
    return upper.over(lower)


def _differ(fact: str, one: Finding, other: Finding) -> bool:
    first, second = one.facts.get(fact), other.facts.get(fact)
    return first is not None and second is not None and first.casefold() != second.casefold()


def geo_facts(place: Finding) -> dict[str, Any]:
    """The facts that conditions know: without the zone, with the continent and membership of the EU."""
    facts = {name: value for name, value in place.facts.items() if name != "zone"}
    country = facts.get("country")
    if country is not None:
        facts["continent"] = CONTINENTS[country]
        facts["eu"] = country in EUROPEAN_UNION
    return facts
