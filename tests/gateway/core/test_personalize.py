import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.blocks import BlockFilter
from gateway.core.catalogue import page_of_feed
from gateway.core.personalize import choose_page
from gateway.core.profiles import stranger
from gateway.core.signals import Signals
from schemas.vocabulary import Strategy
from tests.gateway.core.made import (
    LEARNING,
    NOW,
    asking,
    asking_in,
    card,
    edition,
    feed,
    fixed,
    liking,
    page,
    visitor,
)

PHONE = {"key": "phone", "when": {"device.type": "mobile"}}
BRITAIN = {"key": "britain", "when": {"geo.country": "GB"}}


def chosen(found, ask, slug="home") -> dict[str, list[tuple[str, str]]]:
    picks = choose_page(found, found.catalogue.pages[slug], ask).picks
    return {name: [(one.block_key, one.variant.key) for one in picked] for name, picked in picks.items()}


def variant(found, ask) -> str:
    ((_, key),) = chosen(found, ask)["top"]
    return key


# --- rules ---


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"device": {"type": "mobile"}, "geo": {"country": "GB"}}, "phone"),
        ({"device": {"type": "desktop"}, "geo": {"country": "GB"}}, "britain"),
        ({"device": {"type": "desktop"}, "geo": {"country": "DE"}}, "default"),
        ({}, "default"),
    ],
)
def test_the_first_variant_whose_rule_holds_is_shown(given, expected):
    found = edition(block=[card("hero", PHONE, BRITAIN)], page=[page(fixed("top", "hero"))])
    assert variant(found, asking(found, **given)) == expected


def test_a_variant_is_shown_from_its_start_until_its_end():
    ends = {"key": "sale", "starts": "2026-12-05T00:00:00Z", "ends": "2026-12-06T00:00:00Z"}
    found = edition(block=[card("hero", ends)], page=[page(fixed("top", "hero"))])
    start = 1_796_428_800.0
    times = [start - 1, start, start + 86_399, start + 86_400]
    assert [variant(found, asking(found, at=at)) for at in times] == ["default", "sale", "sale", "default"]


def test_a_variant_of_another_language_is_passed_over():
    variants = [
        {"key": "de", "locale": "de"},
        {"key": "uk", "locale": "en-GB"},
        {"key": "en", "locale": "en"},
    ]
    found = edition(block=[card("hero", *variants)], page=[page(fixed("top", "hero"))])
    shown = {locale: variant(found, asking_in(found, locale)) for locale in ("de-AT", "en-GB", "en-US", "fr")}
    assert shown == {"de-AT": "de", "en-GB": "uk", "en-US": "en", "fr": "default"}


def test_segments_and_what_is_known_of_the_visitor_decide_too():
    fans = {"key": "fans", "when": {"interests.travel": {"$gt": 0.5}}}
    found = edition(
        block=[card("hero", {"key": "fan", "when": {"segments": {"$in": ["fans"]}}})],
        segment=[fans],
        page=[page(fixed("top", "hero"))],
    )
    assert variant(found, asking(found, visitor(liking(travel=1.0)))) == "fan"
    assert variant(found, asking(found, visitor(liking(city=1.0)))) == "default"
    assert variant(found, asking(found)) == "default"


# --- interest ---

TASTES = [
    {"key": "climb", "tags": {"climbing": 1.0}},
    {"key": "sail", "tags": {"sailing": 1.0}},
    {"key": "secret", "tags": {"sailing": 2.0}, "when": {"visitor.id": "nobody"}},
]
INTERESTED = edition(
    block=[card("hero", *TASTES, tags={"outdoors": 1.0})], page=[page(fixed("top", "hero", "interest"))]
)


def test_the_nearest_eligible_variant_is_shown():
    assert variant(INTERESTED, asking(INTERESTED, visitor(liking(sailing=1.0)))) == "sail"
    assert variant(INTERESTED, asking(INTERESTED, visitor(liking(climbing=1.0)))) == "climb"
    assert variant(INTERESTED, asking(INTERESTED, visitor(liking(outdoors=1.0)))) == "default"


def test_the_similarity_is_told():
    picks = choose_page(
        INTERESTED, INTERESTED.catalogue.pages["home"], asking(INTERESTED, visitor(liking(sailing=1.0)))
    ).picks
    (one,) = picks["top"]
    assert one.strategy is Strategy.INTEREST
    assert one.score == one.similarity == pytest.approx(0.6, abs=0.3)


@pytest.mark.parametrize("profile", [None, stranger("ann", LEARNING), visitor(liking(cooking=1.0))])
def test_who_likes_nothing_of_it_gets_the_editors_order(profile):
    assert variant(INTERESTED, asking(INTERESTED, profile)) == "climb"


def test_a_dislike_attracts_nothing():
    assert variant(INTERESTED, asking(INTERESTED, visitor(liking(type="dismiss", climbing=1.0)))) == "climb"


def test_of_equally_near_variants_the_editors_first_is_shown():
    twins = [{"key": key, "tags": {"sailing": 1.0}} for key in ("first", "second")]
    found = edition(block=[card("hero", *twins)], page=[page(fixed("top", "hero", "interest"))])
    assert variant(found, asking(found, visitor(liking(sailing=1.0)))) == "first"


# --- feed ---

TAGS = ["climbing", "sailing", "cooking", "travel"]
MANY = [card(f"c{n:02}", PHONE, tags={TAGS[n % 4]: 1.0, TAGS[(n // 4) % 4]: 0.5}) for n in range(16)]


def test_a_feed_shows_as_many_as_it_may_best_first():
    found = edition(block=MANY, page=[page(feed(limit=5, diversity=0.0))])
    ask = asking(found, visitor(liking(NOW, "purchase", sailing=1.0)))
    picks = choose_page(found, found.catalogue.pages["home"], ask).picks["feed"]
    scores = [one.score for one in picks]
    assert (len(picks), [one.rank for one in picks]) == (5, [0, 1, 2, 3, 4])
    assert scores == sorted(scores, reverse=True)
    assert all("sailing" in one.variant.tags for one in picks)


def test_in_a_feed_too_the_eligible_variant_is_shown():
    found = edition(block=MANY, page=[page(feed(limit=2))])
    shown = chosen(found, asking(found, device={"type": "mobile"}))["feed"]
    assert [key for _, key in shown] == ["phone", "phone"]


def test_a_diverse_feed_is_less_alike():
    found = edition(
        block=MANY, page=[page(feed(limit=5, diversity=share), slug=f"p{share}") for share in (0.0, 0.9)]
    )
    ask = asking(found, visitor(liking(NOW, "purchase", sailing=1.0)))
    tags = [
        {tag for key, _ in chosen(found, ask, slug)["feed"] for tag in found.catalogue.by_key[key].tags}
        for slug in ("p0.0", "p0.9")
    ]
    assert len(tags[1]) > len(tags[0]) or tags[0] == set(TAGS)


def test_the_weights_of_a_slot_decide_what_counts():
    popular = Signals(shown=dict.fromkeys((b["key"] for b in MANY), 50.0), won={"c02": 50.0})
    slots = [feed("mine", limit=1), feed("ours", limit=1, weights={"now": 0.0, "usual": 0.0})]
    found = edition(popular, block=MANY, page=[page(slot, slug=slot["name"]) for slot in slots])
    ask = asking(found, visitor(liking(NOW, "purchase", sailing=1.0)))
    assert chosen(found, ask, "mine")["mine"] != [("c02", "default")]
    assert chosen(found, ask, "ours")["ours"] == [("c02", "default")]


def test_recommendations_are_chosen_as_a_page_is():
    found = edition(block=MANY)
    made = page_of_feed(found.catalogue, BlockFilter(tags=frozenset({"sailing"})))
    picks = choose_page(found, made, asking(found)).picks["recommendations"]
    assert {one.block_key for one in picks} == {b["key"] for b in MANY if "sailing" in b["tags"]}


# --- a whole page ---

slots = st.lists(
    st.one_of(
        st.builds(
            fixed,
            st.just("x"),
            st.sampled_from([b["key"] for b in MANY]),
            st.sampled_from(["rules", "interest"]),
        ),
        st.builds(lambda limit: feed(limit=limit), st.integers(1, 12)),
    ),
    max_size=6,
    unique_by=lambda slot: slot.get("block", id(slot)),
).map(lambda found: [{**slot, "name": f"s{place}"} for place, slot in enumerate(found)])
profiles = st.none() | st.builds(lambda tag: visitor(liking(**{tag: 1.0})), st.sampled_from(TAGS))


@settings(max_examples=40)
@given(slots, profiles)
def test_no_block_stands_twice_and_no_slot_with_a_default_is_empty(slots, profile):
    found = edition(block=MANY, page=[page(*slots)])
    assembly = choose_page(found, found.catalogue.pages["home"], asking(found, profile))
    shown = [one.block_key for picked in assembly.picks.values() for one in picked]
    assert len(shown) == len(set(shown))
    assert list(assembly.picks) == [slot["name"] for slot in slots]
    assert all(len(assembly.picks[slot["name"]]) == 1 for slot in slots if "block" in slot)
    room = sum(slot.get("limit", 1) for slot in slots)
    assert len(shown) == min(room, len(MANY))
    assert assembly.failures == ()


def test_a_broken_slot_shows_its_default_and_costs_nothing_else():
    slots = [fixed("top", "c00", "a strategy that does not exist"), fixed("side", "c01"), feed(limit=2)]
    found = edition(block=MANY, page=[page(*slots)])
    assembly = choose_page(found, found.catalogue.pages["home"], asking(found, device={"type": "mobile"}))
    (top,) = assembly.picks["top"]
    assert (top.variant.key, top.strategy) == ("default", Strategy.FALLBACK)
    assert [name for name, _ in assembly.failures] == ["top"]
    assert [len(picked) for picked in assembly.picks.values()] == [1, 1, 2]


def test_a_slot_whose_block_is_not_published_is_empty_and_reported():
    found = edition(block=MANY, page=[page(fixed("top", "gone"), fixed("side", "c01"))])
    assembly = choose_page(found, found.catalogue.pages["home"], asking(found))
    assert (assembly.picks["top"], len(assembly.picks["side"])) == ([], 1)
    ((name, error),) = assembly.failures
    assert (name, str(error)) == ("top", "slot top names a block that is not published")


WHOLE = [fixed("top", "c00", "interest"), feed(limit=6), fixed("side", "c05"), feed("more", limit=3)]


def whole_page() -> list:
    """What one visitor is shown, with every score to its last bit."""
    popular = Signals(shown=dict.fromkeys((b["key"] for b in MANY), 50.0), won={"c02": 5.0, "c11": 7.0})
    found = edition(popular, block=MANY, page=[page(*WHOLE)])
    profile = visitor(liking(NOW - 9, climbing=1.0, travel=0.3), liking(NOW, "view", cooking=0.7, travel=0.1))
    picks = choose_page(found, found.catalogue.pages["home"], asking(found, profile)).picks
    return [
        [name, [[one.block_key, one.variant.key, one.score and one.score.hex()] for one in picked]]
        for name, picked in picks.items()
    ]


def test_the_same_inputs_give_the_same_page_in_every_process():
    ask = "import json; from tests.gateway.core.test_personalize import whole_page; print(json.dumps(whole_page()))"
    here = whole_page()
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", ask],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == here


def test_a_warm_profile_is_shown_what_a_cold_one_is():
    found = edition(block=MANY, page=[page(*WHOLE)])
    profile = visitor(liking(climbing=1.0))
    first, again = (chosen(found, asking(found, profile)) for _ in range(2))
    assert first == again == chosen(found, asking(found, visitor(liking(climbing=1.0))))
