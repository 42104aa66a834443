"""What conditions mean: checked against GrowthBook's own evaluator, and where it goes further by example."""

from typing import Any

import pytest
from growthbook.core import evalCondition
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.conditions import ConditionError, compile_condition

words = st.sampled_from(["", "a", "A", "b", "ab", "1", "1.2.0", "v1.2.0-rc.1", "1.10", "x y"])
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.5, 10]))
scalars = st.one_of(st.none(), st.booleans(), numbers, words)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=5,
)
names = st.sampled_from(["a", "b", "c"])
facts = st.dictionaries(names, values, max_size=3)
paths = st.sampled_from(["a", "b", "a.b", "b.c", "a.b.c", "a.0", "a.length", "c.1.a", "zz"])
patterns = st.sampled_from(["a", "^a", "b$", "[0-9]+", "A|x", ""])
GROUPS = {"vips": ["a", 1, True, None], "none": []}


def listed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(inner, max_size=3)


def one(name: str, operand: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return operand.map(lambda value: {name: value})


flat_operands = st.one_of(
    *(one(name, scalars) for name in ("$eq", "$ne")),
    *(one(name, st.one_of(numbers, words)) for name in ("$gt", "$gte", "$lt", "$lte")),
    *(one(name, st.one_of(numbers, words)) for name in ("$veq", "$vne", "$vgt", "$vgte", "$vlt", "$vlte")),
    *(one(name, listed(values)) for name in ("$in", "$nin", "$ini", "$nini", "$all", "$alli")),
    *(one(name, patterns) for name in ("$regex", "$regexi", "$notRegex", "$notRegexi")),
    *(one(name, st.sampled_from(["vips", "none", "unknown"])) for name in ("$inGroup", "$notInGroup")),
    one("$exists", st.booleans()),
    one("$type", st.sampled_from(["string", "number", "boolean", "array", "object", "null"])),
)


def some_operands(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    if not depth:
        return flat_operands
    inner = some_operands(depth - 1)
    fields = st.dictionaries(paths, inner, min_size=1, max_size=2)
    return st.one_of(
        flat_operands,
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        one("$size", st.one_of(numbers, inner)),
        one("$not", st.one_of(scalars, inner)),
        one("$all", listed(inner)),
        one("$elemMatch", st.one_of(inner, fields, one("$or", st.lists(fields, max_size=2)))),
    )


def some_conditions(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.dictionaries(paths, st.one_of(some_operands(2), values), max_size=3)
    if not depth:
        return fields
    inner = some_conditions(depth - 1)
    joined = (one(name, st.lists(inner, max_size=3)) for name in ("$and", "$or", "$nor"))
    return st.one_of(fields, *joined, one("$not", inner))


conditions = some_conditions(2)


@settings(max_examples=600, deadline=None)
@given(conditions, facts)
def test_what_both_know_is_decided_as_growthbook_decides_it(
    condition: dict[str, Any], facts: dict[str, Any]
) -> None:
    compiled = compile_condition(condition, GROUPS)
    assert compiled.matches(facts) is evalCondition(facts, condition, GROUPS)


@settings(max_examples=300, deadline=None)
@given(conditions, facts)
def test_what_failed_is_named_exactly_when_something_failed(
    condition: dict[str, Any], facts: dict[str, Any]
) -> None:
    compiled = compile_condition(condition, GROUPS)
    assert (compiled.failed(facts) is None) is compiled.matches(facts)
    assert compiled.sentence
    assert all(isinstance(said, str) and said for said in compiled.matched(facts))


class Awkward:
    """Nothing that JSON could hold: every question to it raises."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError


anything = st.one_of(
    values, st.builds(Awkward), st.floats(), st.binary(max_size=3), st.just(10**400), st.just("\ud800")
)
OWN = [
    {"time": {"$clock": ["22:00", "06:00"]}},
    {"time": {"$weekday": {"in": ["sat"], "zone": "Europe/London"}}},
    {"time": {"$dates": [None, "2026-12-24"]}},
    {"geo": {"$near": {"lat": 1, "lon": 2, "km": 3}}},
    {"a": {"$near": {"lat": 1, "lon": 2, "km": 3}}},
    {"interests.a.b": {"$gte": 0.3}},
]
odd_facts = st.one_of(
    anything,
    st.dictionaries(names, anything, max_size=3),
    st.dictionaries(
        st.sampled_from(["time", "geo", "interests", "a"]),
        st.one_of(
            anything, st.dictionaries(st.sampled_from(["clock", "epoch", "lat", "lon", "a.b"]), anything)
        ),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(conditions, st.sampled_from(OWN)), odd_facts)
def test_no_facts_whatever_make_a_condition_raise(condition: dict[str, Any], facts: Any) -> None:
    assert compile_condition(condition, GROUPS).matches(facts) in (True, False)


MORE = {
    "attributes": {
        "text": "a" * 3_000 + "z",
        "one": 1,
        "yes": True,
        "tags": ("x", "y"),
        "objects": {"a": 1, "b": 2},
    }
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (None, True),
        ({}, True),
        ({"attributes.one": True}, False),
        ({"attributes.yes": 1}, False),
        ({"attributes.one": {"$in": [True]}}, False),
        ({"attributes.one": 1.0}, True),
        ({"attributes.tags": {"$in": ["y"]}}, True),
        ({"attributes.tags": {"$size": 2}}, True),
        ({"attributes.objects": {"b": 2, "a": 1}}, False),
        ({"attributes.text": {"$regex": "^a+"}}, True),
        ({"attributes.text": {"$regex": "z"}}, False),
        ({"attributes.text": {"$regex": "(a+)+$"}}, True),
        ({"attributes.missing": {"$ne": "x"}}, True),
        ({"attributes.missing": None}, True),
    ],
)
def test_values_keep_their_json_types(condition: Any, holds: bool) -> None:
    assert compile_condition(condition).matches(MORE) is holds


def test_the_rest_of_an_interest_path_is_one_tag() -> None:
    condition = compile_condition({"interests.node.js": {"$gte": 0.3}})
    assert condition.matches({"interests": {"node.js": 0.5}})
    assert not condition.matches({"interests": {"node": {"js": 0.5}}})


def test_a_condition_of_five_hundred_clauses_is_not_too_deep_to_run() -> None:
    condition = compile_condition({f"a{i}.b": i for i in range(500)})
    assert condition.matches({f"a{i}": {"b": i} for i in range(500)})
    assert not condition.matches({f"a{i}": {"b": i} for i in range(499)})


def test_what_a_condition_reads_is_known_before_it_runs() -> None:
    condition = compile_condition(
        {
            "$or": [{"device.type": "mobile"}, {"$not": {"segments": {"$in": ["x"]}}}],
            "geo": {"$near": {"lat": 1, "lon": 2, "km": 3}},
            "time": {"$clock": ["22:00", "06:00"], "$weekday": {"in": ["sat"], "zone": "Asia/Tokyo"}},
        }
    )
    assert condition.reads == {"device.type", "segments", "geo.lat", "geo.lon", "time.clock", "time.epoch"}


@pytest.mark.parametrize(
    ("condition", "path", "code"),
    [
        ({"a": {"$gte": [1]}}, "/a/$gte", "BAD_OPERAND"),
        ({"a": {"$in": "x"}}, "/a/$in", "BAD_OPERAND"),
        ({"a": {"$elemMatch": {"$in": "x"}}}, "/a/$elemMatch/$in", "BAD_OPERAND"),
        ({"$or": [{"a": 1}, {"a": {"$grater": 1}}]}, "/$or/1/a/$grater", "UNKNOWN_OPERATOR"),
        ({"$where": "1"}, "/$where", "UNKNOWN_OPERATOR"),
        ({"a": {"$gt": 1, "b": 2}}, "/a", "BAD_OPERAND"),
        ({"a/b~": {"$regex": "("}}, "/a~1b~0/$regex", "BAD_REGEX"),
        ({"a": {"$regex": "(?=x)"}}, "/a/$regex", "BAD_REGEX"),
        ({"a": {"$regex": r"(x)\1"}}, "/a/$regex", "BAD_REGEX"),
        ({"a": {"$regex": "x" * 501}}, "/a/$regex", "BAD_REGEX"),
        ({"a": {"$exists": 1}}, "/a/$exists", "BAD_OPERAND"),
        ({"$and": {"a": 1}}, "/$and", "BAD_OPERAND"),
        ({"$or": [3]}, "/$or/0", "BAD_OPERAND"),
        ("device.type", "", "BAD_OPERAND"),
        ({3: 4}, "/3", "BAD_OPERAND"),
        ({"a": "x" * 1_001}, "/a", "TOO_LONG"),
        ({"a": 10**400}, "/a", "TOO_LONG"),
        ({f"a{i}": 1 for i in range(501)}, "", "TOO_MANY"),
        ({"a": {"$in": [[0] * 5_000] * 5}}, "", "TOO_MANY"),
        ({f"a{i}": {"$regex": "x"} for i in range(21)}, "", "TOO_MANY"),
    ],
)
def test_what_cannot_be_compiled_says_where_and_why(condition: Any, path: str, code: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(condition)
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, code)]


def test_a_condition_beyond_every_depth_is_refused_without_recursion() -> None:
    condition: dict[str, Any] = {"a": 1}
    for _ in range(50_000):
        condition = {"$not": condition}
    with pytest.raises(ConditionError, match="deeper than 32 levels"):
        compile_condition(condition)


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition({"a": {"$gtt": 1}, "b": {"$in": 1}, "$xor": []})
    assert [problem.path for problem in caught.value.problems] == ["/a/$gtt", "/b/$in", "/$xor"]
