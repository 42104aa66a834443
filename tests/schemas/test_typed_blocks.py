from typing import Annotated, Any, Union

import pytest
import strawberry
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.shapes import MAX_DEPTH, graphql_name
from schemas.typed_blocks import RESERVED, Clash, clashes, content_of, content_types

HERO = {
    "type": "object",
    "description": "The top of a page.",
    "properties": {
        "headline": {"type": "string", "description": "The large line."},
        "price": {"type": ["number", "null"]},
        "stock": {"type": "integer", "minimum": 0},
        "views": {"type": "integer", "maximum": 10**12},
        "sale": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "tone": {"enum": ["warm", "cold", None]},
        "cta": {"$ref": "#/$defs/cta", "title": "Call to action"},
        "links": {"type": "array", "items": {"$ref": "#/$defs/cta"}},
        "grid": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "cta-label": {"const": "Go"},
        "class": {"type": "string"},
        "either": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        "free": {"type": "object"},
        "anything": True,
        "pair": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}},
    },
    "$defs": {
        "cta": {
            "type": "object",
            "properties": {
                "label": {"type": "string"},
                "target": {"properties": {"href": {"type": "string"}}},
            },
        }
    },
}
PROMO = {"type": "object", "properties": {"headline": {"type": "string"}, "self": {"type": "string"}}}
FREE = {"type": "object"}

SDL = '''union BlockContent = Hero | Promo | Free

type Free {
  """All of the data."""
  _data: JSON
}

"""The top of a page."""
type Hero {
  """The large line."""
  headline: String
  price: Float
  stock: Int
  views: Float
  sale: Boolean
  tone: String

  """Call to action"""
  cta: HeroCta
  links: [HeroLinks]
  grid: [[Int]]
  ctaLabel: String
  class: String
  either: JSON
  free: JSON
  anything: JSON
  pair: JSON
}

"""Call to action"""
type HeroCta {
  label: String
  target: HeroCtaTarget
}

type HeroCtaTarget {
  href: String
}

type HeroLinks {
  label: String
  target: HeroLinksTarget
}

type HeroLinksTarget {
  href: String
}
'''

DATA = {
    "headline": "Hello", "price": 3, "stock": 2.0, "views": 2**40, "sale": True, "tone": "warm",
    "cta": {"label": "Buy", "target": {"href": "/"}}, "links": [{"label": "A"}, None], "grid": [[1], [2, 3]],
    "cta-label": "Go", "class": "wide", "either": 1, "free": {"a": 1}, "anything": [1], "pair": ["a", "b"],
}  # fmt: skip


def schema_of(block_types: dict[str, Any], *contents: tuple[str, Any]) -> strawberry.Schema:
    types = content_types(block_types)
    union = Annotated[Union[tuple(types.values())], strawberry.union("BlockContent")]  # noqa: UP007

    def blocks() -> list[Any]:
        return [content_of(types[name], data) for name, data in contents]

    blocks.__annotations__["return"] = list[union]  # type: ignore[valid-type]
    query = type("Query", (), {"blocks": strawberry.field(resolver=blocks)})
    return strawberry.Schema(strawberry.type(query), types=list(types.values()))


def test_block_types_become_graphql_types() -> None:
    schema = schema_of({"Hero": HERO, "Promo": PROMO, "Free": FREE})
    assert SDL in schema.as_str()


def test_a_query_over_all_members_is_answered_by_default_resolvers() -> None:
    schema = schema_of({"Hero": HERO, "Promo": PROMO, "Free": FREE}, ("Hero", DATA), ("Promo", {"self": "me"}),
                       ("Free", {"x": [1]}))  # fmt: skip
    result = schema.execute_sync(
        """{ blocks { __typename
          ... on Hero { headline price stock views sale tone cta { label target { href } } links { label }
                        grid ctaLabel class either free anything pair }
          ... on Promo { headline self }
          ... on Free { _data } } }"""
    )
    assert result.errors is None
    hero = {key: value for key, value in DATA.items() if key != "cta-label"}
    assert result.data == {
        "blocks": [
            {"__typename": "Hero", **hero, "stock": 2, "ctaLabel": "Go"},
            {"__typename": "Promo", "headline": None, "self": "me"},
            {"__typename": "Free", "_data": {"x": [1]}},
        ]
    }


def test_what_has_the_wrong_type_is_null() -> None:
    wrong = {
        "headline": 1, "price": "3", "stock": 2**31, "views": True, "sale": 1, "cta": [], "links": {},
        "grid": [[1.5], 2],
    }  # fmt: skip
    schema = schema_of({"Hero": HERO}, ("Hero", wrong))
    result = schema.execute_sync(
        "{ blocks { ... on Hero { headline price stock views sale cta { label } links { label } grid } } }"
    )
    assert result.errors is None
    nothing = dict.fromkeys(["headline", "price", "stock", "views", "sale", "cta", "links"])
    assert result.data == {"blocks": [{**nothing, "grid": [[None], None]}]}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(DATA)), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(list(DATA)), json_values))
@settings(max_examples=100, deadline=None)
def test_content_is_made_of_any_data(data: dict[str, Any]) -> None:
    assert type(content_of(CONTENT, data)) is CONTENT


CONTENT = content_types({"Hero": HERO})["Hero"]


def test_what_lies_too_deep_is_json() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(MAX_DEPTH + 2):
        schema = {"type": "object", "properties": {"a": schema}}
    sdl = schema_of({"Deep": schema}).as_str()
    assert sdl.count("a: DeepA") == MAX_DEPTH - 1
    assert sdl.count("a: JSON") == 1


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("headline", "headline"),
        ("cta_label", "cta_label"),
        ("cta-label", "ctaLabel"),
        ("og:image.url", "ogImageUrl"),
        ("3d", "_3d"),
        ("-", None),
        ("__proto", None),
        ("größe", "grE"),
        ("日本", None),
    ],
)
def test_keys_become_names(key: str, name: str | None) -> None:
    assert graphql_name(key) == name


def objects(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_block_types_that_agree_do_not_clash() -> None:
    assert (
        clashes({"Hero": HERO, "Promo": PROMO, "Free": FREE, "RichText": objects(title={"type": "string"})})
        == []
    )


def test_one_name_with_two_types_is_refused_with_the_name_it_would_need() -> None:
    found = clashes(
        {
            "Product": objects(
                price={"type": "number"}, cta=objects(label={"type": "string"}), tags={"type": "array"}
            ),
            "Promo": objects(
                price={"type": "string"}, cta=objects(label={"type": "integer"}), tags={"type": "string"}
            ),
            "Plan": objects(price={"type": "integer"}, cta={"type": "string"}),
        }
    )
    mend = "call it {}, or give it the same type"
    assert found == [
        Clash(
            "Product", "Promo", "price", "is String here and Float in Product: " + mend.format("promoPrice")
        ),
        Clash("Product", "Promo", "tags", "is String here and JSON in Product: " + mend.format("promoTags")),
        Clash(
            "Product", "Promo", "cta.label", "is Int here and String in Product: " + mend.format("promoLabel")
        ),
        Clash("Product", "Plan", "price", "is Int here and Float in Product: " + mend.format("planPrice")),
        Clash("Product", "Plan", "cta", "is String here and an object in Product: " + mend.format("planCta")),
    ]


def test_what_clashes_would_be_an_invalid_query() -> None:
    block_types = {
        "A": objects(x={"type": "string"}),
        "B": objects(x={"type": "array", "items": {"type": "string"}}),
    }
    assert clashes(block_types)
    result = schema_of(block_types).execute_sync("{ blocks { ... on A { x } ... on B { x } } }")
    assert result.errors is not None
    assert "conflicting types" in result.errors[0].message


def test_two_keys_of_one_name_clash() -> None:
    found = clashes({"Hero": objects(**{"a-b": {"type": "string"}, "aB": {"type": "string"}})})
    assert found == [Clash("Hero", "Hero", "aB", "is 'aB' in GraphQL, as 'a-b' is: rename one")]


def test_a_key_without_a_name_is_refused() -> None:
    found = clashes({"Hero": objects(日本={"type": "string"}, x={"type": "string"})})
    assert [(clash.field, clash.type_b) for clash in found] == [("日本", "Hero")]


def test_two_types_of_one_name_clash() -> None:
    cta = objects(cta=objects(label={"type": "string"}))
    assert [clash[:3] for clash in clashes({"Hero": cta, "HeroCta": FREE})] == [("HeroCta", "Hero", "cta")]
    assert [clash[:3] for clash in clashes({"Hero": cta}, reserved={"HeroCta"})] == [
        ("the API", "Hero", "cta")
    ]


def test_the_names_of_the_api_are_kept_free() -> None:
    assert {"Page", "Slot", "Query", "BlockContent", "Visitor", "String", "JSON"} <= RESERVED
