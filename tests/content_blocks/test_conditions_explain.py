"""What a condition says of itself."""

from typing import Any

import pytest

from content_blocks.conditions import FailedClause, compile_condition

FACTS = {
    "device": {"type": "mobile"},
    "geo": {"country": "GB", "lat": 51.5, "lon": -0.1},
    "time": {"hour": 23, "clock": "23:10", "weekday": "sat"},
    "segments": ["night-owl"],
}


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (None, "always"),
        ({"device.type": "mobile", "geo.country": "GB"}, "device.type is mobile and geo.country is GB"),
        ({"geo.country": {"$in": ["GB", "DE", "NO"]}}, "geo.country is GB, DE or NO"),
        ({"geo.country": {"$in": list("abcdefgh")}}, "geo.country is a, b, c, d, e or 3 more"),
        ({"segments": {"$in": ["x", "y"]}}, "segments has x or y"),
        ({"segments": {"$nin": ["x", "y"]}}, "segments has none of x or y"),
        ({"segments": {"$all": ["x", "y"]}}, "segments has all of x and y"),
        ({"time.hour": {"$gte": 9, "$lt": 17}}, "time.hour is at least 9 and time.hour is below 17"),
        ({"time": {"$clock": ["22:00", "06:00"]}}, "time is between 22:00 and 06:00"),
        (
            {"time": {"$weekday": {"in": ["sat", "sun"], "zone": "Europe/London"}}},
            "time is on Saturday or Sunday in Europe/London",
        ),
        ({"time": {"$dates": ["2026-12-01", None]}}, "time is from 2026-12-01 to any day"),
        ({"geo": {"$near": {"lat": 51.5, "lon": -0.12, "km": 50}}}, "geo is within 50 km of 51.5, -0.12"),
        ({"visitor.new": True, "geo.city": None}, "visitor.new is true and geo.city is missing"),
        ({"geo.city": {"$exists": False}}, "geo.city is unknown"),
        ({"device.osVersion": {"$vgte": "17.2"}}, "device.osVersion is version 17.2 or later"),
        ({"page.url": {"$regex": "^https"}}, "page.url matches /^https/"),
        (
            {"$or": [{"device.type": "tv"}, {"time.hour": 3, "geo.eu": True}]},
            "device.type is tv or (time.hour is 3 and geo.eu is true)",
        ),
        ({"$nor": [{"device.type": "tv"}]}, "not (device.type is tv)"),
        (
            {"attributes.cart": {"$elemMatch": {"price": {"$gt": 5}}}},
            'attributes.cart has an item that is {"price": {"$gt": 5}}',
        ),
    ],
)
def test_a_condition_says_itself_in_a_sentence(condition: Any, sentence: str) -> None:
    assert compile_condition(condition).sentence == sentence


@pytest.mark.parametrize(
    ("condition", "failed"),
    [
        ({"device.type": "mobile"}, None),
        ({"device.type": "mobile", "geo.country": "DE"}, FailedClause("geo.country", "$eq", "DE", "GB")),
        ({"time.hour": {"$gte": 9, "$lt": 17}}, FailedClause("time.hour", "$lt", 17, 23)),
        (
            {"device.type": {"$not": {"$in": ["mobile"]}}},
            FailedClause("device.type", "$not", {"$in": ["mobile"]}, "mobile"),
        ),
        (
            {"$nor": [{"geo.country": "DE"}, {"geo.country": "GB"}]},
            FailedClause("geo.country", "$not", {"$eq": "GB"}, "GB"),
        ),
        (
            {"$or": [{"device.type": "tv"}, {"geo.country": "DE"}]},
            FailedClause(
                "device.type, geo.country",
                "$or",
                ["device.type is tv", "geo.country is DE"],
                {"device.type": "mobile", "geo.country": "GB"},
            ),
        ),
        (
            {"$not": {"device.type": "mobile", "geo.country": "GB"}},
            FailedClause(
                "device.type, geo.country",
                "$not",
                "device.type is mobile and geo.country is GB",
                {"device.type": "mobile", "geo.country": "GB"},
            ),
        ),
        ({"$nor": []}, FailedClause("", "$not", "always", None)),
        (
            {"time": {"$clock": ["06:00", "22:00"]}},
            FailedClause("time", "$clock", ["06:00", "22:00"], "23:10"),
        ),
        (
            {"geo": {"$near": {"lat": 0, "lon": 0, "km": 1}}},
            FailedClause("geo", "$near", {"lat": 0, "lon": 0, "km": 1}, {"geo.lat": 51.5, "geo.lon": -0.1}),
        ),
    ],
)
def test_the_clause_that_failed_is_named_with_what_was_found(
    condition: Any, failed: FailedClause | None
) -> None:
    assert compile_condition(condition).failed(FACTS) == failed


@pytest.mark.parametrize(
    ("condition", "matched"),
    [
        (None, ()),
        ({"device.type": "mobile", "geo.country": "DE"}, ("device.type is mobile",)),
        (
            {"$or": [{"device.type": "tv"}, {"device.type": "mobile", "time.hour": 23}], "geo.country": "GB"},
            ("device.type is mobile", "time.hour is 23", "geo.country is GB"),
        ),
        ({"$or": [{"device.type": "tv"}, {"device.type": "bot"}]}, ()),
        ({"$not": {"geo.country": "DE"}}, ("not (geo.country is DE)",)),
    ],
)
def test_the_clauses_that_hold_are_said_shortly(condition: Any, matched: tuple[str, ...]) -> None:
    assert compile_condition(condition).matched(FACTS) == matched
