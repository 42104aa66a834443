import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.json_schema import Schema
from gateway.core.bundles import (
    KINDS,
    Bundle,
    Existing,
    bundle_warnings,
    check_bundle,
    merge_bundles,
    read_bundle,
    write_bundle,
)
from gateway.errors import Problem
from schemas.json_schemas import bundle_schema

YAML = b"""
blockTypes:
  - name: Hero
    schema: {type: object, properties: {headline: {type: string}}, required: [headline], additionalProperties: false}
segments:
  - {key: night-owl, name: Night owls, when: {time.hour: {$gte: 21}}}
  - {key: staff, members: [v1, v2]}
blocks:
  - key: hero
    type: Hero
    tags: {travel: 1.0, family: 0.5}
    data: {headline: Welcome}
    variants:
      - key: norway
        when: {geo.country: NO}
        patch: {headline: Hei}
        starts: 2026-12-01T00:00:00Z
        ends: null
        locale: nb-NO
      - {key: owls, when: {segments: {$in: [night-owl]}, visitor.id: {$inGroup: staff}}}
pages:
  - slug: home
    title: Home
    slots:
      - {name: hero, strategy: rules, block: hero}
      - {name: feed, strategy: feed, where: {type: Hero}, limit: 10, weights: {popularity: 0.5}}
experiments:
  - {key: test, block: hero, arms: [{variant: default, weight: 0.5}, {variant: norway, weight: 0.5}]}
events:
  - {id: e1, visitor: v1, type: view, block: hero, occurredAt: 2026-11-01T10:00:00Z}
"""


def whole() -> Bundle:
    bundle, problems = read_bundle(YAML, "shop.yaml")
    assert problems == []
    return bundle


def reading(text: bytes | str, name: str = "", **options: Any) -> list[tuple[str, str]]:
    raw = text.encode() if isinstance(text, str) else text
    return [(problem.path, problem.message) for problem in read_bundle(raw, name, **options)[1]]


def problems_of(existing: Existing | None = None, **documents: Sequence[dict[str, Any]]) -> list[Problem]:
    return check_bundle(Bundle.of(documents), existing)


def places(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in problems]


HERO = {
    "name": "Hero",
    "schema": {
        "type": "object",
        "required": ["headline"],
        "additionalProperties": False,
        "properties": {"headline": {"type": "string"}, "size": {"type": "integer"}},
    },
}
SPACE = Existing({"Hero": HERO}, {"old-hero": "Hero"}, {"night-owl"}, {"home"})


def block(key: str = "hero", **changes: Any) -> dict[str, Any]:
    return {"key": key, "type": "Hero", "data": {"headline": "Welcome"}, **changes}


def page(*slots: dict[str, Any]) -> dict[str, Any]:
    return {"slug": "home", "title": "Home", "slots": list(slots)}


# --- reading ---


def test_yaml_is_read_as_people_mean_it() -> None:
    bundle = whole()
    [hero] = bundle.documents["block"]
    assert hero["variants"][0] == {
        "key": "norway",
        "when": {"geo.country": "NO"},
        "patch": {"headline": "Hei"},
        "starts": "2026-12-01T00:00:00Z",
        "ends": None,
        "locale": "nb-NO",
    }
    assert [len(bundle.documents[kind]) for kind in KINDS] == [1, 2, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("22:00", "22:00"), ("2026-12-01", "2026-12-01"), ("0x1f", "0x1f"), ("1_000", "1_000"),
        ("010", 10), ("-3", -3), ("1e3", 1000.0), (".5", 0.5), ("~", None), ("TRUE", True), ('"1"', "1"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_plain_words_of_yaml_are_json(text: str, value: Any) -> None:
    bundle, problems = read_bundle(f"blocks: [{{key: {text}}}]".encode(), "a.yaml")
    assert (bundle.documents["block"], problems) == ([{"key": value}], [])


@pytest.mark.parametrize("format", ["json", "yaml", "ndjson"])
def test_what_is_written_is_read_again(format: str) -> None:  # noqa: A002
    bundle = whole()
    written = write_bundle(bundle, format)
    assert read_bundle(written, "", format) == (bundle, [])
    assert read_bundle(written, "by a look at the text") == (bundle, [])


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    [
        "NO",
        "yes",
        "1",
        "1e5",
        "08",
        "22:00",
        "null",
        "~",
        "",
        " ",
        "=",
        "<<",
        "- a",
        "a: b",
        "#",
        "&a",
        "*a",
        "!x",
        ".",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e300, 1e300) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)  # fmt: skip
documents = st.dictionaries(texts.filter(lambda text: text != "kind"), json_values, max_size=3)
bundles = st.dictionaries(st.sampled_from(list(KINDS)), st.lists(documents, max_size=2)).map(Bundle.of)


@given(bundles, st.sampled_from(["json", "yaml", "ndjson"]))
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_between_writing_and_reading(bundle: Bundle, format: str) -> None:  # noqa: A002
    read, problems = read_bundle(write_bundle(bundle, format), "", format)
    assert (orjson.dumps(read.documents), problems) == (orjson.dumps(bundle.documents), [])


@given(
    st.binary(max_size=60) | st.text(max_size=60).map(str.encode),
    st.sampled_from([None, "json", "yaml", "ndjson"]),
)
@settings(max_examples=150, deadline=None)
def test_reading_never_raises(text: bytes, format: str | None) -> None:  # noqa: A002
    bundle, problems = read_bundle(text, "noise", format)
    assert bundle.documents.keys() == KINDS.keys()
    assert all(problem.message for problem in problems)


def test_a_whole_bundle_fits_the_published_schema() -> None:
    assert Schema(bundle_schema()).problems(orjson.loads(write_bundle(whole(), "json"))) == []


def test_one_document_with_its_kind_is_a_bundle() -> None:
    expected = Bundle.of({"segment": [{"key": "a", "members": [1]}]})
    assert read_bundle(b'{"kind": "segment", "key": "a", "members": [1]}', "a.json") == (expected, [])
    assert read_bundle(b"kind: segment\nkey: a\nmembers: [1]", "a.yaml") == (expected, [])


def test_places_lead_into_the_file() -> None:
    assert whole().places["segment"] == ["shop.yaml#/segments/0", "shop.yaml#/segments/1"]
    bundle, _ = read_bundle(b'\n{"kind":"segment","key":"a"}\n{"kind":"page"}', "all.ndjson")
    assert [problem.path for problem in check_bundle(bundle)] == ["all.ndjson:2#"] + ["all.ndjson:3#"] * 3


@pytest.mark.parametrize(
    ("name", "text", "path", "says"),
    [
        ("a.json", b'{"blocks": [\n{"key": }]}', "a.json:2", "cannot be read as JSON"),
        ("a.json", b'{"blocks":\n[{"key": NaN}]}', "a.json:2", "cannot be read as JSON"),
        ("a.json", b'{"blocks": [{"boost": 1e999}]}', "a.json:1", "infinity"),
        ("a.json", b'{"blocks": [{"key": "\\ud800"}]}', "a.json:1", "surrogate"),
        ("a.json", b'{"blocks":\n["\xff"]}', "a.json:2", "is not UTF-8; save it as UTF-8"),
        ("a.json", b"[" * 100_000, "a.json:1", "cannot be read as JSON"),
        ("a.json", b"[" * 1_000 + b"]" * 1_000, "a.json", ""),
        ("a.json", b"", "a.json:1", "cannot be read as JSON"),
        ("a.json", b"[]", "a.json", "holds no bundle"),
        ("a.json", b'{"block": []}', "a.json#/block", "no part of a bundle has this name; did you mean 'blocks'?"),
        ("a.json", b'{"blocks": {}}', "a.json#/blocks", "must be a list"),
        ("a.json", b'{"blocks": [{}, 3]}', "a.json#/blocks/1", "must be an object"),
        ("a.json", b'{"pages": [{"a": {"b": 1, "b": 2}}]}', "a.json#/pages/0/a/b", "appears twice in one object"),
        ("a.json", b'{"kind": "blok"}', "a.json#/kind", "did you mean 'block'?"),
        ("a.ndjson", b'{"kind": "block"}\n{"kind"', "a.ndjson:2", "cannot be read as JSON"),
        ("a.ndjson", b'{"kind": "block", "a": 1, "a": 2}', "a.ndjson:1#/a", "appears twice in one object"),
        ("a.ndjson", b'{"kind": "block"}\n{"key": 1}', "a.ndjson:2#/kind", "says what the document is"),
        ("a.ndjson", b"[]", "a.ndjson:1#", "must be an object"),
        ("a.yaml", b"blocks:\n  - {key: a", "a.yaml:3", "cannot be read as YAML"),
        ("a.yaml", b"blocks:\n  - key: a\n    key: b", "a.yaml:3", "the key 'key' appears twice in one object"),
        ("a.yaml", b"blocks:\n  - {1: a}", "a.yaml:2", "a key must be text; put it in quotes"),
        ("a.yaml", b"blocks:\n  - !!python/object:os.system {}", "a.yaml:2", "tags are not supported"),
        ("a.yaml", b"blocks: &a [*a]", "a.yaml:1", "nothing before it is called &a"),
        ("a.yaml", b"a: 1\n---\nb: 1", "a.yaml:2", "holds several documents"),
        ("a.yaml", b"blocks: " + b"[" * 100_000, "a.yaml:1", "is nested deeper"),
        ("a.yaml", b"", "a.yaml", "holds no bundle"),
        ("a.yaml", b"a: \x01", "a.yaml", "cannot be read as YAML"),
        ("a.toml", b"{}", None, None),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_place(
    name: str, text: bytes, path: str | None, says: str | None
) -> None:
    found = reading(text, name)
    assert [where for where, _ in found][:1] == ([path] if path else [])
    assert says is None or says in found[0][1]


def test_yaml_aliases_share_and_do_not_explode() -> None:
    shared = b"blocks: [{key: a, when: &w {geo.country: NO}}, {key: b, when: *w}]"
    assert [document["when"] for document in read_bundle(shared, "a.yaml")[0].documents["block"]] == [
        {"geo.country": "NO"}
    ] * 2
    bomb = b"a: &a [1,1,1,1,1,1,1,1,1]\n" + b"".join(
        b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9)) for c in range(ord("a"), ord("j"))
    )
    [(path, message)] = reading(bomb, "a.yaml")
    assert path.startswith("a.yaml:")
    assert "aliases stand for too much" in message


def test_a_format_that_is_unknown_is_refused() -> None:
    assert reading("{}", "a", format="xml") == [("a", "no format 'xml'; there are json, yaml and ndjson")]


def test_a_byte_order_mark_is_no_content() -> None:
    assert reading(b'\xef\xbb\xbf{"blocks": []}', "a.json") == []


def test_files_are_merged_in_their_order() -> None:
    one, _ = read_bundle(b"blocks: [{key: a}]", "1.yaml")
    two, _ = read_bundle(b"blocks: [{key: b}]\npages: []", "2.yaml")
    merged = merge_bundles([one, two])
    assert merged == Bundle.of({"block": [{"key": "a"}, {"key": "b"}]})
    assert merged.places["block"] == ["1.yaml#/blocks/0", "2.yaml#/blocks/0"]


# --- checking ---


def test_the_bundle_in_the_documentation_is_right() -> None:
    text = (Path(__file__).parents[3] / "docs" / "content.md").read_text()
    bundle, problems = read_bundle(text.split("```yaml")[1].split("```")[0].encode(), "content.yaml")
    assert (len(bundle), problems, check_bundle(bundle), bundle_warnings(bundle)) == (5, [], [], [])


def test_a_bundle_that_is_right_has_no_problems() -> None:
    assert check_bundle(whole()) == []
    assert (
        problems_of(
            SPACE, block=[block()], page=[page({"name": "a", "strategy": "rules", "block": "old-hero"})]
        )
        == []
    )


def test_what_breaks_the_schema_is_said_with_its_place() -> None:
    found = problems_of(SPACE, block=[block(), block("b", varients=[], data=3)], event=[{"type": "view"}])
    assert [(problem.path, problem.message) for problem in found] == [
        ("/blocks/1/data", "must be an object"),
        ("/blocks/1", "has an unknown field 'varients'; did you mean 'variants'?"),
        ("/events/0", "lacks the field 'visitor'"),
    ]


def test_data_is_checked_against_its_type_for_every_variant() -> None:
    variants = [
        {"key": "right", "patch": {"headline": "Hello"}},
        {"key": "gone", "patch": {"headline": None}},
        {"key": "wrong", "patch": {"size": "large"}},
    ]
    found = problems_of(SPACE, block=[block(variants=variants, data={"headline": "x", "colour": "red"})])
    assert [(problem.path, problem.message) for problem in found] == [
        ("/blocks/0/data", "has an unknown field 'colour'; known are headline, size"),
        ("/blocks/0/variants/1/patch", "lacks the field 'headline', once the patch is applied"),
        ("/blocks/0/variants/2/patch/size", "must be a whole number, once the patch is applied"),
    ]


def test_a_type_of_the_bundle_replaces_the_one_of_the_space() -> None:
    changed = {"name": "Hero", "schema": {"type": "object", "properties": {"headline": {"type": "integer"}}}}
    found = problems_of(SPACE, blockType=[changed], block=[block()])
    assert places(found) == [("/blocks/0/data/headline", "INVALID")]


def test_a_broken_type_is_said_once_and_its_blocks_are_left_alone() -> None:
    broken = {"name": "Card", "schema": {"type": "object", "properties": {"a": {"type": "strin"}}}}
    found = problems_of(blockType=[broken], block=[block(type="Card"), block("b", type="Card")])
    assert places(found) == [("/blockTypes/0/schema/properties/a/type", "INVALID")]


def test_the_names_of_the_api_are_refused() -> None:
    assert places(problems_of(blockType=[{**HERO, "name": "Page"}])) == [("/blockTypes/0/name", "INVALID")]


def test_types_that_clash_in_graphql_are_refused_where_the_new_one_is() -> None:
    promo = {"name": "Promo", "schema": {"type": "object", "properties": {"headline": {"type": "number"}}}}
    [problem] = problems_of(SPACE, blockType=[promo])
    assert (problem.path, problem.code) == ("/blockTypes/0/schema", "CLASH")
    assert "call it promoHeadline" in problem.message


def test_conditions_are_checked_with_the_names_of_bundle_and_space() -> None:
    variants = [
        {"key": "a", "when": {"segments": {"$in": ["night-owl", "new"]}}},
        {"key": "b", "when": {"device.type": {"$oops": 1}}},
        {"key": "c", "when": {"segments": {"$in": ["nobody"]}}},
    ]
    found = problems_of(
        SPACE, segment=[{"key": "new", "when": {"visitor.new": True}}], block=[block(variants=variants)]
    )
    assert [problem.path.split("/when")[0] for problem in found] == [
        "/blocks/0/variants/1",
        "/blocks/0/variants/2",
    ]


def test_a_segment_needs_a_rule_and_asks_for_no_segment() -> None:
    found = problems_of(
        SPACE, segment=[{"key": "a"}, {"key": "b", "when": {"segments": {"$in": ["night-owl"]}}}]
    )
    assert places(found) == [("/segments/0", "INVALID"), ("/segments/1/when", "INVALID")]


def test_what_is_not_there_cannot_be_referred_to() -> None:
    slots = [
        {"name": "a", "strategy": "rules", "block": "old-heroe"},
        {
            "name": "b",
            "strategy": "feed",
            "where": {"type": ["Hero", "Nope"], "keys": "gone", "exclude": "gone"},
        },
    ]
    arms = [{"variant": "default", "weight": 0.5}, {"variant": "x", "weight": 0.5}]
    experiments = [{"key": "a", "block": "gone", "arms": arms}, {"key": "b", "block": "hero", "arms": arms}]
    found = problems_of(
        SPACE, block=[block(), block("b", type="Heros")], page=[page(*slots)], experiment=experiments
    )
    assert places(found) == [
        ("/blocks/1/type", "UNKNOWN_TYPE"),
        ("/pages/0/slots/0/block", "UNKNOWN_BLOCK"),
        ("/pages/0/slots/1/where/type", "UNKNOWN_TYPE"),
        ("/pages/0/slots/1/where/keys", "UNKNOWN_BLOCK"),
        ("/experiments/0/block", "UNKNOWN_BLOCK"),
        ("/experiments/1/arms/1/variant", "UNKNOWN_VARIANT"),
    ]
    assert found[0].message == "no block type 'Heros'; did you mean 'Hero'?"


def test_nothing_is_there_twice() -> None:
    variants = [{"key": "a"}, {"key": "a"}, {"key": "default"}]
    slots = [{"name": name, "strategy": "rules", "block": "hero"} for name in ("x", "x")]
    found = problems_of(SPACE, block=[block(variants=variants), block()], page=[page(*slots)])
    assert places(found) == [
        ("/blocks/0/variants/1/key", "DUPLICATE"),
        ("/blocks/0/variants/2/key", "RESERVED"),
        ("/blocks/1/key", "DUPLICATE"),
        ("/pages/0/slots/1/name", "DUPLICATE"),
        ("/pages/0/slots/1/block", "DUPLICATE"),
    ]


def test_a_repeated_event_is_no_problem() -> None:
    event = {"id": "e1", "type": "view", "visitor": "v"}
    assert problems_of(event=[event, event]) == []


@pytest.mark.parametrize(
    ("slot", "says"),
    [
        ({"strategy": "bandit", "block": "hero"}, "'bandit' is not available yet; use rules, interest or feed"),
        ({"strategy": "experiment", "block": "hero"}, "'experiment' is not available yet"),
        ({"strategy": "rules"}, "name it, or use interest or feed"),
        ({"strategy": "rules", "where": {}}, "name it, or use interest or feed"),
        ({"strategy": "interest"}, "interest needs a `block`, or `where` to find one"),
        ({"strategy": "interest", "block": "hero", "where": {}}, "give either `block` or `where`"),
        ({"strategy": "feed", "block": "hero"}, "for one block use rules or interest"),
    ],
)  # fmt: skip
def test_a_slot_that_cannot_be_filled_says_what_to_use(slot: dict[str, Any], says: str) -> None:
    [problem] = problems_of(SPACE, block=[block()], page=[page({"name": "a", **slot})])
    assert problem.path == "/pages/0/slots/0/strategy"
    assert says in problem.message


def test_a_weight_has_the_name_of_a_part_of_the_score() -> None:
    [problem] = problems_of(SPACE, page=[page({"name": "a", "strategy": "feed", "weights": {"fame": 1}})])
    assert problem.message.startswith("no part of the score is called 'fame'; there are ")


def test_a_schedule_ends_after_it_starts() -> None:
    variants = [
        {"key": "a", "starts": "2026-12-01T00:00:00Z", "ends": "2026-12-01T01:00:00+01:00"},
        {"key": "b", "starts": "2026-12-31T23:59:60Z"},
        {"key": "c", "starts": "2026-12-01T00:00:00Z", "ends": "2026-12-02T00:00:00Z"},
    ]
    assert places(problems_of(SPACE, block=[block(variants=variants)])) == [
        ("/blocks/0/variants/0/ends", "INVALID"),
        ("/blocks/0/variants/1/starts", "INVALID"),
    ]


def test_arms_share_the_whole() -> None:
    arms = [{"variant": "default", "weight": 0.5}, {"variant": "default", "weight": 0.4}]
    found = problems_of(SPACE, block=[block()], experiment=[{"key": "a", "block": "hero", "arms": arms}])
    assert places(found) == [
        ("/experiments/0/arms/1/variant", "DUPLICATE"),
        ("/experiments/0/arms", "INVALID"),
    ]


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"headline": "x" * 300_000}, "/data"),
        ({"headline": deep(70)}, "/data/headline" + "/0" * 63),
        ({"headline": deep(100_000)}, "/data/headline" + "/0" * 63),
        ({"headline": [1, {"a": 2**64}]}, "/data/headline/1/a"),
        ({"headline": float("inf")}, "/data/headline"),
        ({"headline": "\ud800"}, "/data/headline"),
        ({"headline": {1: 2}}, "/data/headline"),
        ({"headline": object()}, "/data/headline"),
    ],
)
def test_a_value_beyond_the_limits_is_refused_where_it_is(data: Any, place: str) -> None:
    [problem] = problems_of(SPACE, block=[block(data=data)])
    assert problem.path == "/blocks/0" + place


def test_a_thousand_problems_are_listed_and_the_rest_is_counted() -> None:
    found = problems_of(segment=[{"key": f"s{i}"} for i in range(1_234)])
    assert len(found) == 1_001
    assert found[-1] == Problem("", "and 234 more problems", "MORE")


def test_progress_runs_from_the_start_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    bundle = Bundle.of({"block": [block(f"b{i}") for i in range(1_200)]})
    assert check_bundle(bundle, SPACE, lambda done, total: seen.append((done, total))) == []
    assert seen == [(500, 1_200), (1_000, 1_200), (1_200, 1_200)]


def test_many_blocks_are_checked_quickly() -> None:
    variant = {"key": "m", "when": {"device.type": "mobile"}, "patch": {"headline": "Hi"}}
    bundle = Bundle.of({"block": [block(f"b{i}", variants=[variant]) for i in range(10_000)]})
    start = time.process_time()
    assert check_bundle(bundle, SPACE) == []
    assert time.process_time() - start < 2  # seen: 0.1


@given(
    st.dictionaries(
        st.sampled_from(list(KINDS)), st.lists(json_values.map(lambda value: {"key": value}), max_size=3)
    )
)
@settings(max_examples=50, deadline=None)
def test_checking_never_raises(documents: dict[str, Any]) -> None:
    assert all(isinstance(problem, Problem) for problem in problems_of(**documents))


mangled = st.tuples(st.sampled_from(list(KINDS)), st.data())


@given(mangled)
@settings(max_examples=100, deadline=None)
def test_checking_a_bundle_with_one_field_replaced_never_raises(mangle: Any) -> None:
    kind, data = mangle
    bundle = whole()
    document = bundle.documents[kind][0]
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(json_values)
    assert all(problem.message for problem in check_bundle(bundle))


# --- warning ---


def test_a_variant_that_an_earlier_one_shadows_is_a_warning() -> None:
    variants = [
        {"key": "mobile", "when": {"device.type": "mobile"}},
        {"key": "uk-mobile", "when": {"device.type": "mobile", "geo.country": "GB"}},
        {"key": "uk", "when": {"geo.country": "GB"}},
    ]
    bundle = Bundle.of({"block": [block(variants=variants)]})
    assert check_bundle(bundle, SPACE) == []
    assert bundle_warnings(bundle) == [
        Problem(
            "/blocks/0/variants/1",
            "is never shown where rules choose: 'mobile' before it fits whenever it does",
            "SHADOWED",
        )
    ]


@pytest.mark.parametrize("limit", [{"ends": "2026-12-01T00:00:00Z"}, {"locale": "de"}])
def test_a_variant_with_a_schedule_or_a_locale_shadows_nothing(limit: dict[str, str]) -> None:
    variants = [{"key": "a", "when": {}, **limit}, {"key": "b", "when": {}}, {"key": "c", "when": {}}]
    found = bundle_warnings(Bundle.of({"block": [block(variants=variants)]}))
    assert places(found) == [("/blocks/0/variants/2", "SHADOWED")]
