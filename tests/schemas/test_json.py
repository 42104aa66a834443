import jsonschema_rs
import pytest

from schemas.json_schemas import builtin_block_types, bundle_schema, event_schema, kind_schema

BUNDLE = {
    "blockTypes": [
        {"name": "Hero", "schema": {"type": "object"}, "template": "<p></p>", "description": None}
    ],
    "segments": [
        {"key": "night-owl", "name": "Night owls", "when": {"time.hour": {"$gte": 21}}},
        {"key": "staff", "members": ["v1", "v2"]},
    ],
    "blocks": [
        {
            "key": "hero",
            "type": "Hero",
            "data": {"headline": "Welcome"},
            "tags": {"travel": 1.0},
            "boost": 0.5,
            "published": "2026-11-01T00:00:00Z",
            "variants": [
                {
                    "key": "uk-mobile",
                    "when": {"device.type": "mobile"},
                    "patch": {"headline": None},
                    "tags": {"city": 1},
                    "starts": "2026-12-01T00:00:00+01:00",
                    "ends": None,
                    "locale": "en-GB",
                }
            ],
        }
    ],
    "pages": [
        {
            "slug": "home",
            "title": "Home",
            "slots": [
                {"name": "hero", "strategy": "rules", "block": "hero"},
                {"name": "feed", "strategy": "feed", "where": {"type": ["Hero"], "tags": "a"}, "limit": 10},
            ],
        }
    ],
    "experiments": [
        {
            "key": "test",
            "block": "hero",
            "hashAttribute": "id",
            "seed": "s",
            "coverage": 1.0,
            "arms": [{"variant": "default", "weight": 0.5}, {"variant": "uk-mobile", "weight": 0.5}],
            "metric": {"event": "purchase"},
        }
    ],
    "events": [
        {"id": "e1", "visitor": "v1", "type": "view", "block": "hero", "occurredAt": "2026-11-01T10:00:00Z"}
    ],
}


def valid(kind: str, document: object) -> bool:
    return jsonschema_rs.Draft202012Validator(kind_schema(kind), validate_formats=True).is_valid(document)


def test_the_schemas_are_schemas_and_complete_in_themselves() -> None:
    for schema in (bundle_schema(), event_schema()):
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.Draft202012Validator(schema, offline=True)


def test_a_bundle_of_every_kind_fits() -> None:
    jsonschema_rs.Draft202012Validator(bundle_schema(), validate_formats=True).validate(BUNDLE)


def test_every_object_refuses_unknown_fields() -> None:
    for plural, documents in BUNDLE.items():
        kind = plural.removesuffix("s")
        assert valid(kind, documents[0])
        assert not valid(kind, {**documents[0], "unknown": 1})
    assert not jsonschema_rs.is_valid(bundle_schema(), {"unknown": []})


@pytest.mark.parametrize("key", ["a", "A-1_b.c:d", "9", "x" * 128])
def test_a_key_may_be(key: str) -> None:
    assert valid("segment", {"key": key})


@pytest.mark.parametrize("key", ["", "-a", "a b", "é", "x" * 129, "a\n", "a/b", 1, None])
def test_a_key_may_not_be(key: object) -> None:
    assert not valid("segment", {"key": key})


@pytest.mark.parametrize("slug", ["", "/home", "Home", "a b", "a\n", "a" * 201])
def test_a_slug_may_not_be(slug: str) -> None:
    assert not valid("page", {"slug": slug, "title": "", "slots": []})
    assert valid("page", {"slug": "shop/sale_2-a", "title": "", "slots": []})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("variants", [{"key": f"v{i}"} for i in range(201)]),
        ("tags", {f"t{i}": 1 for i in range(201)}),
        ("tags", {"t": "1"}),
        ("boost", 11),
        ("published", "2026-12-01"),
        ("variants", [{"key": "v", "starts": "2026-12-01T00:00:00"}]),
        ("variants", [{"key": "v", "locale": "English, please"}]),
    ],
)
def test_a_block_has_limits(field: str, value: object) -> None:
    assert not valid("block", {"key": "a", "type": "Hero", "data": {}, field: value})


def test_a_page_has_limits() -> None:
    slots = [{"name": f"s{i}", "strategy": "feed"} for i in range(51)]
    assert not valid("page", {"slug": "a", "title": "", "slots": slots})
    assert not valid("page", {"slug": "a", "title": "", "slots": [{**slots[0], "limit": 101}]})
    assert not valid("page", {"slug": "a", "title": "", "slots": [{**slots[0], "diversity": 1.1}]})


def test_every_space_has_a_block_type() -> None:
    assert [document["name"] for document in builtin_block_types()] == ["RichText"]
    assert all(valid("blockType", document) for document in builtin_block_types())
