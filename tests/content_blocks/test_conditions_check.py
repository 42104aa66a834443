"""What is wrong with a condition, told when it is saved; and variants that can never win."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.conditions import FACTS, check_condition, compile_condition, fact_at, shadowed
from tests.content_blocks.test_conditions_match import conditions, one


def told(condition: Any, **known: Any) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in check_condition(condition, **known)]


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"device.type": "mobile", "geo.country": "GB"},
        {"device.type": {"$ini": ["Mobile"]}},
        {"time.hour": {"$gte": 22, "$lt": 24}},
        {"geo.city": None},
        {"attributes.anything": {"$elemMatch": {"price": {"$gt": 3}}}},
        {"interests.node.js": {"$gte": 0.3}},
        {"page.utm.source": {"$regex": "^news"}},
        {"visitor.traits.plan": "pro"},
        {"visitor.consent": {"$all": ["analytics"]}},
        {"segments": {"$size": {"$gt": 1}}},
        {"segments": []},
        {"$or": [{"device.type": "tv"}, {"device.type": "mobile"}]},
        {"segments": {"$in": ["a"]}, "$and": [{"segments": {"$in": ["b"]}}]},
        {"time.date": {"$gte": "2026-12-01"}, "device.osVersion": {"$vgte": "17.2"}},
        {"attributes.home": {"$near": {"lat": 1, "lon": 2, "km": 3}}},
    ],
)
def test_a_sound_condition_has_no_problems(condition: Any) -> None:
    assert told(condition) == []


@pytest.mark.parametrize(
    ("condition", "path", "code", "words"),
    [
        ({"device.typ": "mobile"}, "/device.typ", "UNKNOWN_FACT", "did you mean device.type?"),
        ({"cart": 1}, "/cart", "UNKNOWN_FACT", "attributes.<name>"),
        ({"device.type": "phone"}, "/device.type", "NOT_ALLOWED_VALUE", "mobile, tablet, desktop"),
        (
            {"device.type": {"$in": ["mobil"]}},
            "/device.type/$in/0",
            "NOT_ALLOWED_VALUE",
            "did you mean mobile?",
        ),
        ({"geo.country": "UK"}, "/geo.country", "NOT_ALLOWED_VALUE", "did you mean GB?"),
        ({"geo.country": "gb"}, "/geo.country", "NOT_ALLOWED_VALUE", 'written as "GB"'),
        ({"time.hour": {"$gte": "x"}}, "/time.hour/$gte", "WRONG_TYPE", "is a number"),
        ({"time.hour": 24}, "/time.hour", "NOT_ALLOWED_VALUE", "from 0 to 23"),
        ({"time.hour": {"$gt": 23}}, "/time.hour/$gt", "NOT_ALLOWED_VALUE", "from 0 to 23"),
        ({"visitor.visits": {"$lt": 0}}, "/visitor.visits/$lt", "NOT_ALLOWED_VALUE", "at least 0"),
        ({"time.date": {"$gte": "2026-1-2"}}, "/time.date/$gte", "NOT_ALLOWED_VALUE", "2026-12-24"),
        ({"visitor.new": "yes"}, "/visitor.new", "WRONG_TYPE", "true or false"),
        ({"device.osVersion": {"$vgte": 17}}, "/device.osVersion/$vgte", "WRONG_TYPE", "is text"),
        ({"segments": "vip"}, "/segments", "WRONG_TYPE", '{"segments": {"$in": [...]}}'),
        ({"segments": {"$regex": "v"}}, "/segments/$regex", "WRONG_TYPE", "is a list"),
        ({"time.hour": {"$regex": "2"}}, "/time.hour/$regex", "WRONG_TYPE", "is a number"),
        ({"geo": {"$clock": ["22:00", "06:00"]}}, "/geo/$clock", "WRONG_TYPE", "geo.clock"),
        ({"attributes.a": {"$eq": [1]}}, "/attributes.a/$eq", "WRONG_TYPE", "leave the $eq out"),
        ({"time": {"$clok": []}}, "/time/$clok", "UNKNOWN_OPERATOR", "did you mean $clock?"),
        ({"device.os": {"$in": []}}, "/device.os/$in", "CONTRADICTION", "empty list"),
        ({"time.hour": {"$gte": 22, "$lt": 5}}, "/time.hour/$lt", "CONTRADICTION", "$clock"),
        (
            {"engagement.score": {"$gt": 5, "$lte": 5}},
            "/engagement.score/$lte",
            "CONTRADICTION",
            "never both",
        ),
        (
            {"device.type": "tv", "$and": [{"device.type": "bot"}]},
            "/$and/0/device.type",
            "CONTRADICTION",
            "never both",
        ),
        ({"geo.city": {"$exists": False, "$regex": "L"}}, "/geo.city/$regex", "CONTRADICTION", "never both"),
        (
            {"$or": [{"geo.eu": True}, {"time.hour": {"$in": [1], "$gt": 4}}]},
            "/$or/1/time.hour/$gt",
            "CONTRADICTION",
            "never both",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place_and_its_mend(
    condition: Any, path: str, code: str, words: str
) -> None:
    (problem,) = check_condition(condition)
    assert (problem.path, problem.code) == (path, code)
    assert words in problem.message


def test_names_are_checked_when_they_are_known() -> None:
    condition = {"segments": {"$in": ["vip", "nigt-owl"]}, "visitor.id": {"$inGroup": "staf"}}
    known = {"known_segments": {"vip", "night-owl"}, "known_groups": {"staff"}}
    assert told(condition) == []
    assert told(condition, **known) == [
        ("/segments/$in/1", "UNKNOWN_SEGMENT"),
        ("/visitor.id/$inGroup", "UNKNOWN_GROUP"),
    ]


def test_one_condition_tells_all_its_problems() -> None:
    assert told({"device.typ": {"$gte": []}, "geo.country": "UK"}) == [
        ("/device.typ/$gte", "BAD_OPERAND"),
        ("/device.typ/$gte", "UNKNOWN_FACT"),
        ("/geo.country", "NOT_ALLOWED_VALUE"),
    ]


def test_families_of_facts_hold_every_name_below_them_and_not_themselves() -> None:
    assert fact_at("attributes.a.b") is FACTS["attributes.*"]
    assert fact_at("attributes.") is None
    assert fact_at("interests") is None


@settings(max_examples=200, deadline=None)
@given(conditions)
def test_checking_never_raises(condition: dict[str, Any]) -> None:
    assert all(problem.message for problem in check_condition(condition))


MOBILE, BRITAIN = {"device.type": "mobile"}, {"geo.country": "GB"}


@pytest.mark.parametrize(
    ("earlier", "later", "hides"),
    [
        (None, MOBILE, True),
        (MOBILE, MOBILE, True),
        (MOBILE, MOBILE | BRITAIN, True),
        (MOBILE | BRITAIN, MOBILE, False),
        (MOBILE, None, False),
        ({"geo.country": {"$in": ["GB", "DE"]}}, BRITAIN, True),
        ({"geo.country": {"$in": ["GB", "DE"]}}, {"geo.country": {"$in": ["DE"]}}, True),
        ({"geo.country": {"$in": ["GB"]}}, {"geo.country": {"$in": ["GB", "DE"]}}, False),
        ({"geo.country": {"$ne": "FR"}}, BRITAIN, True),
        ({"geo.country": {"$exists": True}}, BRITAIN, True),
        ({"time.hour": {"$gte": 18}}, {"time.hour": {"$gte": 20}}, True),
        ({"time.hour": {"$gt": 20}}, {"time.hour": {"$gte": 20}}, False),
        ({"time.hour": {"$gte": 20}}, {"time.hour": {"$gt": 20}}, True),
        ({"time.hour": {"$gte": 18}}, {"time.hour": 21, "geo.eu": True}, True),
        ({"$or": [MOBILE, BRITAIN]}, BRITAIN, True),
        ({"$or": [MOBILE, BRITAIN]}, {"$or": [BRITAIN, MOBILE]}, True),
        ({"$or": [MOBILE | BRITAIN, {"geo.eu": True}]}, BRITAIN | {"geo.eu": True}, True),
        (MOBILE, {"$or": [MOBILE, BRITAIN]}, False),
        ({"$not": MOBILE | BRITAIN}, {"$not": MOBILE}, True),
        ({"time": {"$clock": ["22:00", "06:00"]}}, {"time": {"$clock": ["22:00", "06:00"]}} | MOBILE, True),
        ({"attributes.n": 1}, {"attributes.n": True}, False),
        ({"attributes.t": "a"}, {"attributes.t": {"$in": ["a"]}}, False),
    ],
)
def test_a_variant_behind_a_wider_one_can_never_win(earlier: Any, later: Any, hides: bool) -> None:
    found = shadowed([compile_condition(earlier), compile_condition(later)])
    assert found == ([(1, 0)] if hides else [])


def merged(pair: tuple[Any, Any]) -> dict[str, Any]:
    """Two operands on one path; a plain value says itself with $eq."""
    return {
        name: value
        for each in pair
        for name, value in (each if isinstance(each, dict) else {"$eq": each}).items()
    }


hours = st.integers(0, 4)
hour_operands = st.one_of(
    hours,
    st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]).flatmap(lambda name: one(name, hours)),
    st.sampled_from(["$in", "$nin"]).flatmap(lambda name: one(name, st.lists(hours, max_size=3))),
    one("$exists", st.booleans()),
)
hourly = st.one_of(
    hour_operands, one("$not", hour_operands), st.tuples(hour_operands, hour_operands).map(merged)
)
few = st.dictionaries(st.sampled_from(["time.hour", "attributes.n"]), hourly, max_size=2)
related = st.one_of(
    few,
    *(one(name, st.lists(few, min_size=1, max_size=3)) for name in ("$or", "$and", "$nor")),
    one("$not", few),
)
MOMENTS = [
    {"time": {"hour": hour}, "attributes": {"n": n}}
    for hour in (None, 0, 1, 2, 3, 4)
    for n in (None, 0, 2, 4, "2", True, [2], [0, 3])
]


@settings(max_examples=500, deadline=None)
@given(related, related)
def test_where_a_shadowed_condition_matches_the_earlier_one_matches_too(
    earlier: dict[str, Any], later: dict[str, Any]
) -> None:
    first, second = compile_condition(earlier), compile_condition(later)
    both = compile_condition({"$and": [later, earlier]})
    assert shadowed([first, both]) == [(1, 0)]
    if shadowed([first, second]):
        assert [moment for moment in MOMENTS if second.matches(moment) and not first.matches(moment)] == []


@settings(max_examples=300, deadline=None)
@given(related)
def test_what_contradicts_itself_matches_never(condition: dict[str, Any]) -> None:
    found = [problem for problem in check_condition(condition) if problem.code == "CONTRADICTION"]
    if found and not any("$or" in problem.path for problem in found):
        assert [moment for moment in MOMENTS if compile_condition(condition).matches(moment)] == []


def test_a_knot_of_alternatives_is_untied_in_time() -> None:
    knot: Any = {"time.hour": 1}
    for i in range(7):
        knot = {
            "$or": [{"$and": [knot, {"time.minute": i}]}, {"time.day": i + 1, "$nor": [{"time.month": i}]}]
        }
    other = json.loads(json.dumps(knot).replace("time.hour", "time.year"))
    assert shadowed([compile_condition(other), compile_condition(knot)]) == []
