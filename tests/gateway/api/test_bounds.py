"""How much may be asked of Blockloom at once: as much as a frontend needs, not as much as would keep it busy."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import get_introspection_query

from gateway.api.limits import MOST_PARTS, SIZES, crowded
from gateway.api.schema import SpaceSchema, build_schema
from gateway.operations.limits import Limits

BLOCK_TYPES = {
    f"Type{number}": {
        "type": "object",
        "properties": {f"field{n}": {"type": "string"} for n in range(20)},
    }
    for number in range(80)
}
REASON = "reason { strategy summary matched similarity because { tag weight } candidates { ...Trace } }"
TRACE = """fragment Trace on CandidateTrace {
    block variant chosen eligible score parts summary failed { path operator expected actual } }"""


@pytest.fixture(scope="module")
def space() -> SpaceSchema:
    return build_schema(BLOCK_TYPES)


async def codes(space: SpaceSchema, text: str, name: str | None = None) -> list[Any]:
    return [
        (error.extensions or {}).get("code") for error in (await space.operations.prepare(text, name)).errors
    ]


def typed(fields: int) -> str:
    names = " ".join(f"field{n}" for n in range(fields))
    return "content { __typename " + " ".join(f"... on {name} {{ {names} }}" for name in BLOCK_TYPES) + " }"


HONEST = {
    "everything about every block": f"""{{ page(slug: "home") {{ slug title locale basis revision cacheKey slots {{
        name blocks {{ decision key type variant position data html tags score {REASON}
        assignment {{ experiment }} {typed(3)} }} }} }} }} {TRACE}""".replace(
        "assignment { experiment }", ""
    ),
    "all fields of all block types": f'{{ page(slug: "home") {{ slots {{ blocks {{ {typed(20)} }} }} }} }}',
    "a component for each block type": '{ page(slug: "home") { slots { blocks { '
    + " ".join(f"...For{name}" for name in BLOCK_TYPES)
    + " } } } } "
    + " ".join(
        f"fragment For{name} on ChosenBlock {{ key content {{ ... on {name} {{ field0 field1 }} }} }}"
        for name in BLOCK_TYPES
    ),
    "every slot by its name": '{ page(slug: "home") { '
    + " ".join(f's{n}: slot(name: "{n}") {{ ...All }}' for n in range(50))
    + " } } fragment All on Slot { name blocks { key variant html reason { summary matched } } }",
    "the longest list with all reasons": f"""{{ recommendations(first: 100) {{ edges {{ cursor node {{
        key score {REASON} }} }} pageInfo {{ hasNextPage endCursor }} }} }} {TRACE}""",
    "several pages at once": "{ "
    + " ".join(
        f'p{n}: page(slug: "{n}") {{ title slots {{ name blocks {{ key data }} }} }}' for n in range(10)
    )
    + " }",
    "what tools ask of the schema": get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    ),
}


@pytest.mark.parametrize("name", HONEST)
async def test_what_frontends_and_tools_ask_is_answered(space: SpaceSchema, name: str) -> None:
    assert await codes(space, HONEST[name]) == []


@pytest.mark.parametrize(
    ("around", "repeated", "fits"),
    [
        ("{ %s }", 'page(slug: "home") { title }', 20),
        ("{ %s }", "recommendations { edges { cursor } }", 20),
        ('{ page(slug: "home") { %s } }', "slots { name }", 200),
        ('{ page(slug: "home") { slots { %s } } }', "blocks { html }", 100),
        ('{ page(slug: "home") { slots { blocks { reason { %s } } } } }', "candidates { summary }", 75),
        (
            "{ recommendations(first: 100) { edges { node { reason { %s } } } } }",
            "candidates { summary }",
            40,
        ),
    ],
)
async def test_the_same_again_and_again_under_other_names_is_refused(
    space: SpaceSchema, around: str, repeated: str, fits: int
) -> None:
    def document(times: int) -> str:
        return around % " ".join(f"a{number}: {repeated}" for number in range(times))

    assert await codes(space, document(fits)) == []
    assert await codes(space, document(fits * 3)) == ["TOO_COMPLEX"]


async def test_a_list_that_a_variable_makes_too_long_is_refused_when_it_is_asked_for(
    space: SpaceSchema,
) -> None:
    text = "query($n: Int!) { recommendations(first: $n) { edges { cursor } } }"
    prepared = await space.operations.prepare(text, None)
    assert prepared.errors == ()
    assert prepared.refusal({"n": 100}) is None
    error = prepared.refusal({"n": 10_000_000})
    assert error
    assert error.extensions == {"code": "TOO_COMPLEX", "limit": Limits().cost, "actual": 10_000_002}


def test_every_list_with_a_size_of_its_own_is_in_the_schema(space: SpaceSchema) -> None:
    types = space.schema._schema.type_map
    for place in SIZES:
        owner, field = place.split(".")
        assert field in types[owner].fields, place  # type: ignore[union-attr]


# --- bodies ---


def test_a_body_of_texts_is_not_crowded_however_long() -> None:
    prose = "Say it in one line, then [again], and mean it. "
    assert not crowded(orjson.dumps({"query": "{a}", "variables": {"text": prose * 20_000}}))


@pytest.mark.parametrize("value", [[], {}, "", {"a": 0}])
def test_a_body_of_more_values_than_can_be_decoded_at_once_is_crowded(value: object) -> None:
    assert crowded(orjson.dumps([value] * (MOST_PARTS + 1)))
    assert not crowded(orjson.dumps([value] * (MOST_PARTS // 2 - 2)))


def test_a_body_of_many_names_is_crowded() -> None:
    assert crowded(orjson.dumps({str(n): n for n in range(MOST_PARTS)}))


def test_a_body_of_many_numbers_is_not() -> None:
    assert not crowded(orjson.dumps([0] * 500_000))


# --- docs ---


def test_the_limits_are_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "graphql.md").read_text()
    section = text.partition("\n## Limits\n")[2].partition("\n## ")[0]
    documented = {int(number.replace(",", "")) for number in re.findall(r"\b\d[\d,]*\b", section)}
    numbers = {field.name: getattr(Limits(), field.name) for field in fields(Limits)}
    assert {
        name for name, number in numbers.items() if number is not True and number not in documented
    } == set()
