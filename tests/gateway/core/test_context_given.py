"""Explicit input: what is refused, and in which words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.core.context.findings import Finding
from gateway.core.context.given import Given, InvalidContext, check_given


@pytest.mark.parametrize(
    ("given", "path", "word"),
    [
        ({"geo": {"country": "GBR"}}, "/geo/country", "two letters"),
        ({"geo": {"country": "UK"}}, "/geo/country", "is GB"),
        ({"geo": {"country": "ZZ"}}, "/geo/country", "ISO 3166-1"),
        ({"geo": {"lat": 91, "lon": 0}}, "/geo/lat", "from -90 to 90"),
        ({"geo": {"lat": 1, "lon": float("nan")}}, "/geo/lon", "from -180 to 180"),
        ({"geo": {"lat": True, "lon": 1}}, "/geo/lat", "number"),
        ({"geo": {"lat": 1}}, "/geo", "belong together"),
        ({"geo": "GB"}, "/geo", "object with some of country"),
        ({"timezone": "Europe/Lunden"}, "/timezone", "Europe/London"),
        ({"timezone": "../../etc/passwd"}, "/timezone", "IANA"),
        ({"locale": "english please"}, "/locale", "en-GB"),
        ({"locale": 7}, "/locale", "BCP 47"),
        ({"time": "tomorrow"}, "/time", "RFC 3339"),
        ({"time": 1_700_000_000}, "/time", "RFC 3339"),
        ({"time": datetime(1989, 12, 31, tzinfo=UTC)}, "/time", "1990 to 2099"),
        ({"time": "2100-01-01T00:00:00Z"}, "/time", "1990 to 2099"),
        ({"device": {"type": "phone"}}, "/device/type", "mobile, tablet"),
        ({"device": {"bot": "no"}}, "/device/bot", "true or false"),
        ({"device": {"os": "x" * 101}}, "/device/os", "1 to 100"),
        ({"device": {"osversion": "1"}}, "/device/osversion", "did you mean osVersion"),
        ({"weather": "rain"}, "/weather", "known are device"),
        ({"url": "http://[::1"}, "/url", "address"),
        ({"url": "https://a.example/" + "x" * 9000}, "/url", "1 to 8192"),
        ({"attributes": []}, "/attributes", "object"),
        ({"attributes": {"a": {1, 2}}}, "/attributes", "no set"),
        ({"attributes": {"a": float("inf")}}, "/attributes", "finite"),
        ({"attributes": {"a": 2**70}}, "/attributes", "64 bits"),
        ({"attributes": {"a": "x" * 5000}}, "/attributes", "4096 characters"),
        ({"attributes": {str(n): n for n in range(501)}}, "/attributes", "500 values"),
        ({"attributes": {"a": [[[[[[[[[1]]]]]]]]]}}, "/attributes", "8 levels"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_mend(given: dict[str, Any], path: str, word: str) -> None:
    with pytest.raises(InvalidContext) as refused:
        check_given(given)
    (problem,) = refused.value.problems
    assert problem.path == path
    assert word in problem.message


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(InvalidContext, match="cannot be used") as refused:
        check_given({"geo": {"country": "XX"}, "timezone": "Mars", "device": {"bot": 1}})
    assert [problem.path for problem in refused.value.problems] == [
        "/geo/country",
        "/timezone",
        "/device/bot",
    ]


def test_null_means_not_said() -> None:
    assert check_given({"locale": None, "device": {"type": None}}) == Given()


def test_input_is_normalised() -> None:
    said = check_given(
        {
            "locale": "PT_br",
            "timezone": "america/sao_paulo",
            "geo": {"country": "br"},
            "time": datetime(2026, 1, 1),
        }
    )
    assert said == Given(
        geo=Finding({"country": "BR"}, {"country": "context"}),
        time=datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
        timezone="America/Sao_Paulo",
        locale="pt-BR",
    )


def test_attributes_may_be_eight_levels_deep() -> None:
    attributes = {"a": [[[[[[{"b": None}]]]]]]}
    assert check_given({"attributes": attributes}).attributes == attributes
