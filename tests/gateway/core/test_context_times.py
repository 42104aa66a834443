"""Local time, languages and page addresses."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.context.languages import accepted_languages
from gateway.core.context.pages import page_facts, url_facts
from gateway.core.context.times import known_zone, time_facts


@pytest.mark.parametrize(
    ("zone", "iso", "weekday"),
    [
        ("UTC", "2026-03-29T01:30:00+00:00", "sun"),
        ("Europe/Berlin", "2026-03-29T03:30:00+02:00", "sun"),  # the hour that the clocks skip
        ("Pacific/Honolulu", "2026-03-28T15:30:00-10:00", "sat"),
        ("Asia/Kathmandu", "2026-03-29T07:15:00+05:45", "sun"),
    ],
)
def test_one_moment_is_another_time_in_each_zone(zone: str, iso: str, weekday: str) -> None:
    facts = time_facts(1_774_747_800.0, zone)
    assert (facts["iso"], facts["weekday"]) == (iso, weekday)


@given(
    st.floats(631_152_000, 4_102_444_800),
    st.sampled_from(["UTC", "Europe/London", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_the_parts_of_a_time_agree(epoch: float, zone: str) -> None:
    facts = time_facts(epoch, zone)
    moment = datetime.fromisoformat(facts["iso"])
    assert abs(moment.timestamp() - epoch) < 1
    assert moment.astimezone(ZoneInfo(zone)).isoformat() == facts["iso"]
    assert facts["iso"].startswith(f"{facts['date']}T{facts['clock']}")
    assert facts["date"] == f"{facts['year']}-{facts['month']:02}-{facts['day']:02}"
    assert facts["clock"] == f"{facts['hour']:02}:{facts['minute']:02}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/London", "Europe/London"),
        ("europe/london", "Europe/London"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("UTC", "UTC"),
        ("Europe", None),
        ("/etc/localtime", None),
        ("", None),
    ],
)
def test_a_zone_is_one_of_the_database(name: str, expected: str | None) -> None:
    assert known_zone(name) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("en-GB,en;q=0.9,de;q=0.8", ("en-GB", "en", "de")),
        ("de;q=0.5, fr ; q=0.9 ,en", ("en", "fr", "de")),
        ("pt_br, zh-hant-tw", ("pt-BR", "zh-Hant-TW")),
        ("fr;q=0, *;q=0.1, nl", ("nl",)),
        ("en;q=oops, da;q=9, sv;q=0.5", ("da", "sv")),
        ("klingon, xx-YY, ,;;, de", ("de",)),
        ("en, EN, en-us", ("en", "en-US")),
        ("", ()),
        ("de,fr,it,es,nl,da,sv,nb,fi,pl,cs", 10),
    ],
)
def test_languages_are_in_the_order_of_preference(header: str, expected: tuple[str, ...] | int) -> None:
    found = accepted_languages(header)
    assert (len(found) if isinstance(expected, int) else found) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://Shop.Example:8443/a/b?x=1&utm_source=n%26m&utm_source=z&utm_=x#top",
            {"path": "/a/b", "host": "shop.example", "utm": {"source": "z"}},
        ),
        ("https://shop.example", {"path": "/", "host": "shop.example"}),
        ("/only/path?utm_medium=mail", {"path": "/only/path", "utm": {"medium": "mail"}}),
    ],
)
def test_an_address_is_taken_apart(url: str, expected: dict[str, object]) -> None:
    assert url_facts(url) == {"url": url, **expected}


@pytest.mark.parametrize("url", ["http://[", "https://a.example/" + "x" * 9000])
def test_a_bad_address_gives_no_facts(url: str) -> None:
    assert page_facts(url, None, {"slug": "home"}) == {"slug": "home"}
