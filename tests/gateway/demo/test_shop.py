import json
from collections import Counter
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest
import yaml

import gateway.demo
from content_blocks.block_types import compile_block_type
from content_blocks.blocks import DEFAULT, Block, Page, Variant
from content_blocks.eligibility import Eligibility
from content_blocks.patches import merge
from gateway.core.bundles import Existing, bundle_warnings, check_bundle, read_bundle
from gateway.core.context import Context, ContextReader
from gateway.core.events import WEIGHTS, Event, weight_of
from gateway.core.segments import compile_segment, groups_of, segments_of
from recommenders.features import FeatureSpace, Terms
from recommenders.interests import Interests, cosine, learned
from recommenders.text import text_of, words

FILES = resources.files(gateway.demo)
TEXT = FILES.joinpath("shop.yaml").read_bytes()
SHOP = yaml.safe_load(TEXT)
BLOCKS = {document["key"]: Block.from_document(document) for document in SHOP["blocks"]}
PAGES = {document["slug"]: Page.from_document(document) for document in SHOP["pages"]}
TYPES = {document["name"]: compile_block_type(document) for document in SHOP["blockTypes"]}
PERSONAS = json.loads(FILES.joinpath("personas.json").read_bytes())
GROUPS = groups_of(SHOP["segments"])
SEGMENTS = [compile_segment(document, GROUPS) for document in SHOP["segments"]]
READER = ContextReader(country_database=None)
UNCHANGED = Variant(DEFAULT)


def data_of(block: Block, variant: Variant) -> Any:
    return merge(block.data, variant.patch)


def terms_of(block: Block, variant: Variant = UNCHANGED) -> Terms:
    return Terms({**block.tags, **variant.tags}, words(text_of(data_of(block, variant))))


SPACE = FeatureSpace.fit([terms_of(block) for block in BLOCKS.values()])


def interests_of(persona: Mapping[str, Any]) -> dict[str, float]:
    """What the persona's past events teach."""
    events = [Event(id="", visitor="", at=0.0, **event) for event in persona["events"]]
    lessons = [(SPACE.vector(terms_of(BLOCKS[event.block or ""])), weight_of(event), 0.0) for event in events]
    return learned(Interests.empty(1.0, 0.0), lessons).unit()


def asked(persona: Mapping[str, Any], interests: Mapping[str, float]) -> tuple[Context, dict[str, Any]]:
    context = READER.read({}, None, persona["context"], now=0.0, page={"slug": "home"})
    bought = sum(event["type"] == "purchase" for event in persona["events"])
    visitor = {**context.facts["visitor"], "id": persona["visitor"], "new": True, "visits": 1}
    facts = {
        **context.facts,
        "visitor": visitor,
        "engagement": {"conversions": bought},
        "interests": interests,
        "segments": [],
    }
    facts["segments"] = segments_of(facts, SEGMENTS)
    return context, facts


def eligible(block: Block, context: Context, facts: Mapping[str, Any]) -> list[Variant]:
    return [
        variant
        for variant in (*block.variants, UNCHANGED)
        if Eligibility.of(variant, GROUPS).admits(facts, context.now, context.locales)
    ]


def nearest(block: Block, persona: Mapping[str, Any]) -> str:
    """The variant that the strategy `interest` prefers."""
    interests = interests_of(persona)
    candidates = eligible(block, *asked(persona, interests))
    return max(candidates, key=lambda each: cosine(interests, SPACE.vector(terms_of(block, each)))).key


# --- the content ---


def test_the_shop_is_a_bundle_without_problems() -> None:
    bundle, unreadable = read_bundle(TEXT, "shop.yaml")

    assert [*unreadable, *check_bundle(bundle, Existing()), *bundle_warnings(bundle)] == []


def test_the_shop_has_enough_to_choose_from_and_uses_every_block_type() -> None:
    in_use = Counter(block.type for block in BLOCKS.values())

    assert len(BLOCKS) >= 40
    assert set(in_use) == set(TYPES)
    assert len(TYPES) >= 6
    assert len(PAGES["home"].slots) == 8


def test_every_variant_changes_what_is_shown() -> None:
    idle = [
        (block.key, variant.key)
        for block in BLOCKS.values()
        for variant in block.variants
        if data_of(block, variant) == block.data
    ]

    assert idle == []


def test_every_variant_renders_as_one_element() -> None:
    for block in BLOCKS.values():
        template = TYPES[block.type].template
        assert template is not None
        for variant in (*block.variants, UNCHANGED):
            html = template.render(data_of(block, variant), {}).strip()
            assert html.startswith("<")
            assert html.endswith(f"</{html[1:].split()[0]}>")


@pytest.mark.parametrize("key", [key for key, block in BLOCKS.items() if block.type == "Product"])
def test_a_product_has_a_price_in_each_currency_and_a_sale_lowers_it(key: str) -> None:
    block = BLOCKS[key]
    offers = [data_of(block, variant) for variant in (*block.variants, UNCHANGED)]

    assert {offer["currency"] for offer in offers} == {"EUR", "GBP", "USD", "NOK", "AUD"}
    assert all(("wasPrice" in offer) == ("sale" in block.tags) for offer in offers)
    assert all(offer["price"] < offer.get("wasPrice", float("inf")) for offer in offers)


@pytest.mark.parametrize("country", ["GB", "NO", "AU", "JP", "US"])
def test_every_month_has_its_season_on_both_sides_of_the_equator(country: str) -> None:
    shown = []
    for month in range(1, 13):
        given = {"geo": {"country": country}, "time": f"2027-{month:02}-15T12:00:00+00:00"}
        context, facts = asked({"visitor": "anybody", "context": given, "events": []}, {})
        shown.append(eligible(BLOCKS["seasonal"], context, facts)[0].key)

    assert DEFAULT not in shown
    assert len(set(shown)) >= 4


# --- the personas ---

# persona: what each slot of rules shows, and each slot of interest
EXPECTED: Mapping[str, Mapping[str, str]] = {
    "maya": {
        "notice": "founding-members",
        "hero": "climbers-indoors",
        "promo": "rope-swap",
        "guide": "rope-check",
        "seasonal": "autumn",
        "store": "london-open",
    },
    "brandl": {
        "notice": "germany",
        "hero": "families-de",
        "promo": "growing-bags",
        "guide": "first-camp",
        "seasonal": "spring",
        "store": "munich",
    },
    "ingrid": {
        "notice": "norway",
        "hero": "dawn-run",
        "promo": "shoe-trial",
        "guide": "dark-miles",
        "seasonal": "deep-snow",
        "store": "oslo",
    },
    "jack": {
        "notice": "australia",
        "hero": "paddlers",
        "promo": "paddle-course",
        "guide": "cold-water",
        "seasonal": "southern-summer",
        "store": "sydney",
    },
    "haruka": {
        "notice": DEFAULT,
        "hero": "newcomers",
        "promo": DEFAULT,
        "guide": DEFAULT,
        "seasonal": "rainy-season",
        "store": DEFAULT,
    },
    "dana": {
        "notice": "newsletter",
        "hero": "riders",
        "promo": "bike-check",
        "guide": "bikepacking",
        "seasonal": "summer",
        "store": "denver",
    },
}


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona["visitor"])
def test_each_persona_gets_a_home_page_of_their_own(persona: Mapping[str, Any]) -> None:
    context, facts = asked(persona, interests_of(persona))
    shown = {}
    for slot in PAGES["home"].slots:
        if slot.strategy == "rules":
            shown[slot.name] = eligible(BLOCKS[slot.block or ""], context, facts)[0].key
        elif slot.strategy == "interest":
            shown[slot.name] = nearest(BLOCKS[slot.block or ""], persona)

    assert shown == EXPECTED[persona["visitor"]]


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona["visitor"])
def test_the_context_alone_already_changes_something_for_a_persona(persona: Mapping[str, Any]) -> None:
    context, facts = asked({**persona, "events": []}, {})

    assert any(eligible(block, context, facts)[0].key != DEFAULT for block in BLOCKS.values())


def test_the_personas_did_things_that_teach_to_blocks_that_there_are() -> None:
    events = [event for persona in PERSONAS for event in persona["events"]]

    assert {event["block"] for event in events} <= set(BLOCKS)
    assert all(WEIGHTS[event["type"]] != 0.0 for event in events)
