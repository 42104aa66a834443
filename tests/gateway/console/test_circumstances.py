from collections.abc import Mapping
from typing import Any

import pytest

from gateway.console.circumstances import Controls, circumstances
from gateway.core.context import Context, ContextReader
from gateway.errors import BadInput

READER = ContextReader(country_database=None)
MAYA: Mapping[str, Any] = {
    "device": {"type": "mobile", "os": "iOS"},
    "geo": {"country": "GB", "city": "London"},
    "time": "2026-11-27T18:40:00+00:00",
    "timezone": "Europe/London",
}


def read(given: Mapping[str, Any]) -> Context:
    return READER.read({}, None, given, 0.0, {})


def test_a_silent_form_leaves_the_personas_own_circumstances() -> None:
    assert circumstances(read, MAYA, Controls.of({})) == read(MAYA)


def test_a_form_that_repeats_the_circumstances_changes_nothing() -> None:
    shown = {"device": "mobile", "country": "GB", "date": "2026-11-27", "hour": "18", "persona": "maya"}

    assert circumstances(read, MAYA, Controls.of(shown)) == read(MAYA)


def test_another_device_takes_the_place_of_the_whole_device() -> None:
    device = circumstances(read, MAYA, Controls(device="tv")).facts["device"]

    assert (device["type"], device.get("os")) == ("tv", None)


def test_another_country_brings_its_own_time_zone_and_keeps_the_moment() -> None:
    facts = circumstances(read, MAYA, Controls(country="JP")).facts

    assert facts["geo"].get("city") is None
    assert facts["time"]["zone"] == "Asia/Tokyo"
    assert facts["time"]["epoch"] == read(MAYA).now


def test_the_clock_is_set_where_the_visitor_is() -> None:
    facts = circumstances(read, MAYA, Controls(country="JP", date="2026-12-24", hour="7")).facts

    assert facts["time"]["iso"] == "2026-12-24T07:00:00+09:00"


@pytest.mark.parametrize(
    "controls", [Controls(date="tomorrow"), Controls(hour="24"), Controls(hour="x"), Controls(hour="٣١")]
)
def test_what_is_no_time_is_refused(controls: Controls) -> None:
    with pytest.raises(BadInput, match="set a date like"):
        circumstances(read, MAYA, controls)
