"""Places: the CDNs' headers, the database, addresses behind proxies."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.core.context import COUNTRY_DATABASE, CountryDatabase
from gateway.core.context.addresses import client_address, public_address
from gateway.core.context.countries import CONTINENTS, EUROPEAN_UNION, zones_of_countries
from gateway.core.context.database import place_in
from gateway.core.context.devices import CDN_HINTS, HINTS
from gateway.core.context.findings import NOTHING, Finding
from gateway.core.context.places import CDNS, cdn_place, geo_facts, joined
from gateway.core.context.times import known_zone

DATABASE = CountryDatabase(COUNTRY_DATABASE)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {
                "cloudfront-viewer-country": "BR",
                "cloudfront-viewer-country-region": "SP",
                "cloudfront-viewer-city": "S%C3%A3o Paulo",
                "cloudfront-viewer-latitude": "-23.55",
                "cloudfront-viewer-longitude": "-46.63",
                "cloudfront-viewer-time-zone": "America/Sao_Paulo",
            },
            ("BR", "SP", "São Paulo", -23.55, -46.63, "America/Sao_Paulo"),
        ),
        (
            {
                "cf-ipcountry": "CH",
                "cf-region-code": "ZH",
                "cf-ipcity": "Zürich".encode().decode("latin-1"),
                "cf-iplatitude": "47.37",
                "cf-iplongitude": "8.54",
                "cf-timezone": "Europe/Zurich",
            },
            ("CH", "ZH", "Zürich", 47.37, 8.54, "Europe/Zurich"),
        ),
        (
            {
                "x-vercel-ip-country": "US",
                "x-vercel-ip-country-region": "NY",
                "x-vercel-ip-city": "New%20York",
                "x-vercel-ip-latitude": "40.7",
                "x-vercel-ip-longitude": "-74",
                "x-vercel-ip-timezone": "America/New_York",
            },
            ("US", "NY", "New York", 40.7, -74.0, "America/New_York"),
        ),
        (
            {"fastly-geo-country": "JP", "fastly-geo-region": "13", "fastly-geo-city": "?"},
            ("JP", "13", None, None, None, None),
        ),
        (
            {
                "x-appengine-country": "US",
                "x-appengine-region": "ca",
                "x-appengine-city": "mountain view",
                "x-appengine-citylatlong": "37.38,-122.08",
            },
            ("US", "CA", "mountain view", 37.38, -122.08, None),
        ),
    ],
)
def test_each_cdn_tells_the_place(headers: dict[str, str], expected: tuple[Any, ...]) -> None:
    found = cdn_place(headers).facts
    assert tuple(map(found.get, ("country", "region", "city", "lat", "lon", "zone"))) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"cf-ipcountry": "XX", "cf-ipcity": "Nowhere"},
        {"cf-ipcountry": "T1"},
        {"x-appengine-country": "ZZ"},
        {"x-vercel-ip-country": ""},
        {"cf-ipcity": "Paris"},
    ],
)
def test_a_cdn_that_does_not_know_the_country_says_nothing(headers: dict[str, str]) -> None:
    assert cdn_place(headers) == NOTHING


def test_the_outermost_cdn_knows_the_visitor() -> None:
    headers = {"x-vercel-ip-country": "US", "x-vercel-ip-city": "Ashburn", "cf-ipcountry": "FR"}
    assert cdn_place(headers) == Finding({"country": "FR"}, {"country": "cf-ipcountry"})


def test_single_values_that_cannot_be_read_are_left_out() -> None:
    headers = {
        "cf-ipcountry": "fr",
        "cf-iplatitude": "91",
        "cf-iplongitude": "east",
        "cf-timezone": "Paris",
        "cf-ipcity": "a\x00b",
    }
    assert cdn_place(headers).facts == {"country": "FR"}


PARIS = Finding.of({"country": "FR", "city": "Paris", "lat": 48.8, "lon": 2.3, "zone": "Europe/Paris"}, "ip")


@pytest.mark.parametrize(
    ("upper", "expected"),
    [
        ({}, PARIS.facts),
        ({"country": "FR"}, PARIS.facts),
        ({"country": "DE"}, {"country": "DE"}),
        ({"city": "Lyon"}, {"city": "Lyon", "country": "FR"}),
        ({"city": "paris"}, {**PARIS.facts, "city": "paris"}),
        ({"lat": 48.9, "lon": 2.2}, {**PARIS.facts, "lat": 48.9, "lon": 2.2}),
    ],
)
def test_a_place_is_never_joined_from_two_places(upper: dict[str, Any], expected: dict[str, Any]) -> None:
    assert joined(Finding.of(upper, "context"), PARIS).facts == expected


def test_geo_facts_have_the_continent_and_the_union_but_not_the_zone() -> None:
    assert geo_facts(PARIS) == {
        "country": "FR",
        "city": "Paris",
        "lat": 48.8,
        "lon": 2.3,
        "continent": "EU",
        "eu": True,
    }


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.142", "GB"),
        ("[2003::1]:443", "DE"),
        ("::ffff:193.99.144.80", "DE"),
        ("193.99.144.80:5123", "DE"),
        ("192.168.0.1", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("fe80::1%eth0", None),
        ("testclient", None),
        ("", None),
    ],
)
def test_the_shipped_database_knows_public_addresses(address: str, country: str | None) -> None:
    assert DATABASE.find(address).facts.get("country") == country


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {
                "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
                "registered_country": {"iso_code": "FR"},
                "subdivisions": [{"iso_code": "ENG"}, {"iso_code": "BKM"}],
                "city": {"geoname_id": 1, "names": {"de": "Buckden", "en": "Boxford"}},
                "location": {"latitude": 51.75, "longitude": -1.25, "time_zone": "Europe/London"},
            },
            {
                "country": "GB",
                "region": "ENG",
                "city": "Boxford",
                "lat": 51.75,
                "lon": -1.25,
                "zone": "Europe/London",
            },
        ),
        ({"registered_country": {"iso_code": "FR"}}, {"country": "FR"}),
        ({"country_code": "SE"}, {"country": "SE"}),
        (
            {
                "country_code": "US",
                "state1": "California",
                "city": "Oakland",
                "latitude": 37.8,
                "timezone": "x",
            },
            {"country": "US", "region": "California", "city": "Oakland", "lat": 37.8},
        ),
        ({"country": "GB", "subdivisions": [], "location": {"latitude": 400}}, {}),
        ({"country_code": "EU"}, {}),
        (None, {}),
        ("GB", {}),
    ],
)
def test_a_record_is_read_in_either_shape(record: object, expected: dict[str, Any]) -> None:
    assert place_in(record).facts == expected


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ("1.1.1.1", 0, "peer"),
        (None, 1, "peer"),
        ("1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1, 10.0.0.2", 2, "1.1.1.1"),
        ("1.1.1.1", 2, "peer"),
    ],
)
def test_only_as_many_forwarding_addresses_are_believed_as_proxies_are_trusted(
    forwarded: str | None, proxies: int, expected: str
) -> None:
    assert client_address(forwarded, "peer", proxies) == expected


def test_an_address_in_documentation_space_is_not_public() -> None:
    assert public_address("203.0.113.9") is None


def test_every_country_of_the_standard_lies_on_a_continent_and_in_a_zone() -> None:
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    standard = {line[:2] for line in table.splitlines() if not line.startswith("#")}
    assert CONTINENTS.keys() == standard | {"XK"}
    assert CONTINENTS.keys() - zones_of_countries().keys() == {"BV", "HM"}  # nobody lives there
    assert all(known_zone(zone) == zone for zone in zones_of_countries().values())
    assert len(EUROPEAN_UNION) == 27
    assert CONTINENTS.keys() > EUROPEAN_UNION


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("US", "America/New_York"),
        ("AU", "Australia/Sydney"),
        ("RU", "Europe/Moscow"),
        ("SE", "Europe/Stockholm"),
    ],
)
def test_a_large_country_has_the_zone_of_most_of_its_people(country: str, zone: str) -> None:
    assert zones_of_countries()[country] == zone


def test_the_documentation_lists_every_header_that_is_read() -> None:
    documented = Path("docs/context.md").read_text("utf-8")
    headers = {header for cdn in CDNS for _, header, _ in cdn} | set(HINTS) | set(CDN_HINTS)
    assert [header for header in sorted(headers) if f"`{header}`" not in documented] == []
