"""Reading a whole request."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.conditions.facts import fact_at
from gateway.core.context import COUNTRY_DATABASE, Context, ContextReader, InvalidContext
from gateway.errors import BadInput

NOON = 1_796_126_400.0  # 2026-12-01T12:00:00Z, a Tuesday
READER = ContextReader()
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1"
)
HEADERS = {
    "user-agent": IPHONE,
    "cloudfront-viewer-country": "US",
    "cloudfront-viewer-country-region": "CA",
    "cloudfront-viewer-city": "Los Angeles",
    "cloudfront-viewer-latitude": "34.05",
    "cloudfront-viewer-longitude": "-118.24",
    "cloudfront-viewer-time-zone": "America/Los_Angeles",
    "accept-language": "es-MX,es;q=0.9,en;q=0.5",
    "referer": "https://shop.example/shoes?utm_source=news&utm_campaign=spring&size=9",
    "sec-gpc": "1",
}


def read(
    headers: dict[str, str] | None = None, given: dict[str, Any] | None = None, ip: str | None = None
) -> Context:
    return READER.read(headers or {}, ip, given, NOON)


def test_a_request_through_a_cdn_is_read_whole() -> None:
    context = READER.read(HEADERS, "203.0.113.9", None, NOON, {"slug": "shoes"})
    assert context == Context(
        facts={
            "device": {
                "type": "mobile",
                "os": "iOS",
                "osVersion": "17.4.1",
                "browser": "Safari",
                "browserVersion": "17.4.1",
                "model": "iPhone",
                "bot": False,
                "touch": True,
            },
            "geo": {
                "country": "US",
                "region": "CA",
                "city": "Los Angeles",
                "lat": 34.05,
                "lon": -118.24,
                "continent": "NA",
                "eu": False,
            },
            "time": {
                "epoch": NOON,
                "zone": "America/Los_Angeles",
                "iso": "2026-12-01T04:00:00-08:00",
                "date": "2026-12-01",
                "clock": "04:00",
                "hour": 4,
                "minute": 0,
                "day": 1,
                "month": 12,
                "year": 2026,
                "weekday": "tue",
            },
            "page": {
                "url": "https://shop.example/shoes?utm_source=news&utm_campaign=spring&size=9",
                "path": "/shoes",
                "host": "shop.example",
                "utm": {"source": "news", "campaign": "spring"},
                "slug": "shoes",
            },
            "visitor": {"locale": "es-MX", "language": "es", "timezone": "America/Los_Angeles"},
            "attributes": {},
        },
        locales=frozenset({"es-mx", "es", "en"}),
        locale="es-MX",
        now=NOON,
        bot=False,
        gpc=True,
        sources={
            "device.type": "user-agent",
            "device.os": "user-agent",
            "device.osVersion": "user-agent",
            "device.browser": "user-agent",
            "device.browserVersion": "user-agent",
            "device.model": "user-agent",
            "device.bot": "user-agent",
            "geo.country": "cloudfront-viewer-country",
            "geo.region": "cloudfront-viewer-country-region",
            "geo.city": "cloudfront-viewer-city",
            "geo.lat": "cloudfront-viewer-latitude",
            "geo.lon": "cloudfront-viewer-longitude",
            "time.epoch": "clock",
            "time.zone": "cloudfront-viewer-time-zone",
            "visitor.locale": "accept-language",
            "page.url": "referer",
        },
    )


def test_what_the_client_says_outright_wins_over_everything() -> None:
    context = READER.read(
        HEADERS,
        "8.8.8.8",
        {
            "device": {"type": "tv", "os": "Tizen"},
            "geo": {"country": "no", "city": "Oslo", "lat": 59.9, "lon": 10.7},
            "time": "2026-06-01T06:00:00+02:00",
            "timezone": "europe/oslo",
            "locale": "nb_no",
            "url": "/turer",
            "referrer": "https://news.example/",
            "attributes": {"plan": "gold"},
        },
        NOON,
    )
    assert context.facts["device"] == {"type": "tv", "os": "Tizen", "bot": False, "touch": False}
    assert context.facts["geo"] == {
        "country": "NO",
        "city": "Oslo",
        "lat": 59.9,
        "lon": 10.7,
        "continent": "EU",
        "eu": False,
    }
    assert context.facts["time"]["iso"] == "2026-06-01T06:00:00+02:00"
    assert context.facts["page"] == {
        "url": "/turer",
        "path": "/turer",
        "referrer": "https://news.example/",
    }
    assert context.facts["visitor"] == {"locale": "nb-NO", "language": "nb", "timezone": "Europe/Oslo"}
    assert context.facts["attributes"] == {"plan": "gold"}
    assert (context.locale, context.locales) == ("nb-NO", frozenset({"nb-no", "nb"}))
    assert context.now == context.facts["time"]["epoch"] == 1_780_286_400.0
    assert {context.sources[fact] for fact in ("device.type", "geo.city", "time.zone")} == {"context"}


def test_a_request_that_says_nothing_still_has_a_context() -> None:
    context = read()
    assert context.facts["device"] == {"type": "unknown", "bot": False, "touch": False}
    assert (context.facts["geo"], context.facts["page"], context.facts["attributes"]) == ({}, {}, {})
    assert context.facts["visitor"] == {"locale": "en", "language": "en", "timezone": "UTC"}
    assert (context.locales, context.gpc, context.bot) == (frozenset({"en"}), False, False)


def test_the_country_of_the_address_is_the_last_resort() -> None:
    context = read(ip="193.99.144.80")
    assert context.facts["geo"] == {"country": "DE", "continent": "EU", "eu": True}
    assert (context.facts["time"]["zone"], context.sources["time.zone"]) == ("Europe/Berlin", "geo.country")
    assert context.sources["geo.country"] == "ip"


def test_without_trust_the_headers_of_cdns_say_nothing() -> None:
    reader = ContextReader(country_database=None, trust_cdn_headers=False)
    context = reader.read({"cf-ipcountry": "FR", "cf-device-type": "tablet"}, None, None, NOON)
    assert (context.facts["geo"], context.facts["device"]["type"]) == ({}, "unknown")


def test_a_trusted_proxy_makes_its_headers_credible() -> None:
    reader = ContextReader(trusted_proxies=1, trust_cdn_headers=False)
    forwarded = {"x-forwarded-for": "1.2.3.4, 193.99.144.80", "cf-ipcountry": "XX"}
    assert reader.read(forwarded, "10.0.0.1", None, NOON).facts["geo"]["country"] == "DE"
    assert reader.read({"cf-ipcountry": "FR"}, "10.0.0.1", None, NOON).facts["geo"]["country"] == "FR"


def test_a_crawler_is_told_by_its_user_agent() -> None:
    context = read({"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"})
    assert (context.bot, context.facts["device"]["type"]) == (True, "bot")


@pytest.mark.parametrize(
    "settings_of_the_reader",
    [
        {"default_locale": "nonsense!"},
        {"trusted_proxies": -1},
        {"country_database": COUNTRY_DATABASE.with_name("none.mmdb")},
        {"country_database": COUNTRY_DATABASE.with_name("SOURCE.md")},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(settings_of_the_reader: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        ContextReader(**settings_of_the_reader)


def test_every_fact_that_is_read_is_one_that_conditions_know() -> None:
    facts = READER.read(HEADERS, None, {"referrer": "https://a.example/"}, NOON, {"slug": "shoes"}).facts
    paths = [f"{group}.{name}" for group, found in facts.items() for name in found if name != "utm"]
    assert [path for path in paths if fact_at(path) is None] == []


HEADER_NAMES = st.sampled_from(
    [
        *HEADERS,
        "sec-ch-ua",
        "sec-ch-ua-full-version-list",
        "sec-ch-ua-mobile",
        "sec-ch-ua-model",
        "sec-ch-ua-platform",
        "sec-ch-ua-platform-version",
        "sec-ch-ua-form-factors",
        "cf-ipcountry",
        "cf-ipcity",
        "cf-iplatitude",
        "cf-timezone",
        "cf-device-type",
        "x-vercel-ip-country",
        "x-vercel-ip-city",
        "fastly-geo-country",
        "x-appengine-country",
        "x-appengine-citylatlong",
        "x-forwarded-for",
    ]
)
ODD = st.one_of(
    st.text(),
    st.binary().map(lambda raw: raw.decode("latin-1")),
    st.sampled_from(
        ["FR", "?1", '"Android"', '"Windows"', '"', "%", "%FF", "nan", "1e999", "http://[", "..", "q=;,"]
    ),
    st.text('"\\;v=.,0123456789 ', max_size=60),
)


@settings(max_examples=150, deadline=None)
@given(headers=st.dictionaries(HEADER_NAMES, ODD), ip=st.none() | ODD)
def test_no_header_whatsoever_makes_reading_fail(headers: dict[str, str], ip: str | None) -> None:
    context = ContextReader.read(PROXIED, headers, ip, None, NOON)
    assert context.facts.keys() == {"device", "geo", "time", "page", "visitor", "attributes"}
    assert context.facts["device"]["type"] in {"mobile", "tablet", "desktop", "tv", "bot", "unknown"}
    assert context.facts["geo"].get("country", "FR").isalpha()
    assert context.locale.lower() in context.locales


PROXIED = ContextReader(trusted_proxies=1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["device", "geo", "time", "timezone", "locale", "url", "referrer", "attributes", "x"]


@settings(max_examples=150, deadline=None)
@given(
    said=st.dictionaries(
        st.sampled_from(FIELDS),
        JSON
        | st.datetimes()
        | st.dictionaries(st.sampled_from(["type", "os", "bot", "country", "city", "lat", "lon"]), JSON),
    )
)
def test_explicit_input_is_either_used_or_refused_with_places(said: dict[str, Any]) -> None:
    try:
        context = READER.read(HEADERS, None, said, NOON)
    except InvalidContext as refused:
        places = [problem.path for problem in refused.problems]
    else:
        places = []
        assert context.facts["attributes"] == (said.get("attributes") or {})
    unknown = [f"/{name}" for name, value in said.items() if name == "x" and value is not None]
    assert all(place.startswith("/") for place in places)
    assert set(unknown) <= set(places)
