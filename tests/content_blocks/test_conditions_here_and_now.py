"""Times of day, weekdays, dates and places."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_blocks.conditions import ConditionError, compile_condition
from content_blocks.conditions.places import distance_km


def at(moment: str, zone: str = "Europe/Berlin") -> dict[str, Any]:
    local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    weekday = local.strftime("%a").lower()
    clock, date = local.strftime("%H:%M"), local.date().isoformat()
    return {"time": {"epoch": local.timestamp(), "clock": clock, "date": date, "weekday": weekday}}


@pytest.mark.parametrize(
    ("operand", "moment", "holds"),
    [
        ({"$clock": ["22:00", "06:00"]}, "2026-12-05T22:00", True),
        ({"$clock": ["22:00", "06:00"]}, "2026-12-05T05:59", True),
        ({"$clock": ["22:00", "06:00"]}, "2026-12-05T06:00", False),
        ({"$clock": ["09:00", "24:00"]}, "2026-12-05T23:59", True),
        ({"$clock": ["09:00", "17:00"]}, "2026-12-05T08:59", False),
        ({"$clock": {"between": ["09:00", "17:00"], "zone": "Asia/Tokyo"}}, "2026-12-05T02:00", True),
        ({"$clock": {"between": ["09:00", "17:00"], "zone": "Europe/London"}}, "2026-12-05T09:30", False),
        ({"$clock": {"between": ["09:00", "17:00"]}}, "2026-12-05T09:30", True),
        ({"$weekday": ["sat", "sun"]}, "2026-12-05T12:00", True),
        ({"$weekday": ["mon"]}, "2026-12-05T12:00", False),
        ({"$weekday": {"in": ["sun"], "zone": "Asia/Tokyo"}}, "2026-12-05T17:00", True),
        ({"$dates": ["2026-12-01", "2026-12-05"]}, "2026-12-05T23:59", True),
        ({"$dates": ["2026-12-06", None]}, "2026-12-05T23:59", False),
        ({"$dates": [None, "2026-12-05"]}, "2026-12-05T23:59", True),
        ({"$dates": {"between": ["2026-12-06", None], "zone": "Asia/Tokyo"}}, "2026-12-05T23:59", True),
        ({"$not": {"$weekday": ["sat"]}}, "2026-12-05T12:00", False),
    ],
)
def test_times_are_told_by_the_visitors_clock_or_the_named_one(
    operand: dict[str, Any], moment: str, holds: bool
) -> None:
    assert compile_condition({"time": operand}).matches(at(moment)) is holds


hours = st.integers(0, 23).map("{:02d}:00".format)


@given(hours, hours, st.integers(0, 1439))
def test_a_window_and_the_rest_of_the_day_share_no_minute(start: str, end: str, minute: int) -> None:
    if start == end:
        return
    now = {"time": {"clock": f"{minute // 60:02d}:{minute % 60:02d}"}}
    inside = compile_condition({"time": {"$clock": [start, end]}}).matches(now)
    outside = compile_condition({"time": {"$clock": [end, start]}}).matches(now)
    assert inside is not outside


@pytest.mark.parametrize(
    ("km", "lat", "lon", "holds"),
    [
        (345, 48.8566, 2.3522, True),  # London to Paris is 343.6 km
        (342, 48.8566, 2.3522, False),
        (1, None, 2.3522, False),
        (20_040, -51.5074, 179.8722, True),
        (50, True, 0, False),
    ],
)
def test_near_is_measured_along_the_great_circle(km: float, lat: Any, lon: Any, holds: bool) -> None:
    condition = compile_condition({"geo": {"$near": {"lat": 51.5074, "lon": -0.1278, "km": km}}})
    assert condition.matches({"geo": {"lat": lat, "lon": lon}}) is holds


def test_the_date_line_parts_nobody() -> None:
    assert distance_km(0, 179.5, 0, -179.5) == pytest.approx(111.19, abs=0.01)


def test_any_object_with_a_latitude_and_longitude_is_a_place() -> None:
    condition = compile_condition({"attributes.store": {"$near": {"lat": 1, "lon": 1, "km": 1}}})
    assert condition.matches({"attributes": {"store": {"lat": 1, "lon": 1}}})


@pytest.mark.parametrize(
    "condition",
    [
        {"time": {"$clock": ["22:00"]}},
        {"time": {"$clock": ["9:00", "17:00"]}},
        {"time": {"$clock": ["09:00", "09:00"]}},
        {"time": {"$clock": {"between": ["09:00", "10:00"], "zone": "Europe/Londn"}}},
        {"time": {"$clock": {"between": ["09:00", "10:00"], "zone": "../etc/passwd"}}},
        {"time": {"$clock": {"from": ["09:00", "10:00"]}}},
        {"time": {"$weekday": ["saturday"]}},
        {"time": {"$weekday": []}},
        {"time": {"$dates": ["2026-02-30", None]}},
        {"time": {"$dates": ["2026-12-24", "2026-12-01"]}},
        {"time": {"$dates": [None, None]}},
        {"geo": {"$near": {"lat": 51, "lon": 0}}},
        {"geo": {"$near": {"lat": 91, "lon": 0, "km": 5}}},
        {"geo": {"$near": {"lat": 51, "lon": 0, "km": 0}}},
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(ConditionError):
        compile_condition(condition)
