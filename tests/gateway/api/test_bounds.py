"""How much one document may ask for: as much as a frontend needs, not as much as would keep the gateway busy."""

import pytest
from graphql import get_introspection_query

from gateway.api.limits import MAX_REPEATS
from gateway.api.schema import SpaceSchema, build_schema

BLOCK_TYPES = {
    f"Type{number}": {
        "type": "object",
        "properties": {"title": {"type": "string"}, "text": {"type": "string"}},
    }
    for number in range(80)
}


@pytest.fixture(scope="module")
def space() -> SpaceSchema:
    return build_schema(BLOCK_TYPES)


async def codes(space: SpaceSchema, text: str) -> list[str]:
    return [
        (error.extensions or {}).get("code") for error in (await space.operations.prepare(text, None)).errors
    ]


async def test_every_block_types_fields_and_every_slot_by_its_name_are_no_more_than_one_may_ask(
    space: SpaceSchema,
) -> None:
    typed = " ".join(f"... on {name} {{ title text }}" for name in BLOCK_TYPES)
    slots = " ".join(f's{n}: slot(name: "{n}") {{ ...All }}' for n in range(20))
    text = f"""
        query untyped {{ page(slug: "home") {{ {slots} slots {{ ...All }} }} }}
        query typed {{ page(slug: "home") {{ slots {{ blocks {{ content {{ {typed} }} }} }} }} }}
        fragment All on Slot {{ name blocks {{ key variant html reason {{ summary matched }} }} }}"""
    assert (await space.operations.prepare(text, "typed")).errors == ()


async def test_introspection_as_every_tool_sends_it_is_answered(space: SpaceSchema) -> None:
    assert await codes(space, get_introspection_query(input_value_deprecation=True)) == []


@pytest.mark.parametrize(
    ("around", "repeated"),
    [
        ("{ %s }", 'page(slug: "home") { title }'),
        ('{ page(slug: "home") { %s } }', "slots { name }"),
        ('{ page(slug: "home") { slots { %s } } }', "blocks { html }"),
        ('{ page(slug: "home") { slots { blocks { reason { %s } } } } }', "candidates { summary }"),
        ("{ %s }", "recommendations { edges { cursor } }"),
    ],
)
async def test_the_same_again_and_again_under_other_names_is_refused(
    space: SpaceSchema, around: str, repeated: str
) -> None:
    def document(times: int) -> str:
        return around % " ".join(f"a{number}: {repeated}" for number in range(times))

    assert await codes(space, document(MAX_REPEATS)) == []
    assert await codes(space, document(MAX_REPEATS + 1)) == ["TOO_LARGE"]
