"""A page that was chosen before must be the page that would be chosen now."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.blocks import BlockFilter
from gateway.core.asking import Ask, ask_of
from gateway.core.catalogue import page_of_feed
from gateway.core.consent import Answer
from gateway.core.dependence import MOST_CLAUSES
from gateway.core.editions import Edition
from gateway.core.memory import remember
from gateway.core.personalize import choose_page
from gateway.core.profiles import Profile, moved, stranger
from gateway.core.signals import Signals
from schemas.vocabulary import Purpose
from tests.gateway.core.made import (
    LEARNING,
    NOW,
    READER,
    asking,
    card,
    catalogue,
    edition,
    event,
    feed,
    fixed,
    liking,
    page,
    visitor,
)

TAGS = ("travel", "sea", "city")
HALF_AN_HOUR = 1_800
CLAUSES: tuple[dict[str, Any], ...] = (
    {"device.type": "mobile"},
    {"device.os": {"$exists": True}},
    {"geo.country": {"$in": ["GB", "DE"]}},
    {"geo": {"$near": {"lat": 51.5, "lon": -0.1, "km": 400}}},
    {"geo.lat": {"$gt": 50}},
    {"time.hour": {"$gte": 12}},
    {"time.minute": {"$lt": 30}},
    {"time": {"$clock": ["08:00", "18:00"]}},
    {"time": {"$weekday": {"in": ["sat", "sun"], "zone": "Asia/Tokyo"}}},
    {"time.epoch": {"$lt": NOW + 3_600}},
    {"page.url": {"$regex": "sale"}},
    {"page.utm.source": "news"},
    {"page.utm": {"$exists": False}},
    {"visitor.language": "de"},
    {"visitor.id": {"$in": ["ann", "eve"]}},
    {"visitor.known": True},
    {"visitor.visits": {"$gt": 1}},
    {"visitor.consent": {"$in": ["EXPERIMENTATION"]}},
    {"visitor.traits.plan": "gold"},
    {"segments": {"$in": ["keen"]}},
    {"$nor": [{"segments": "friends"}, {"segments": {"$in": ["friends"]}}]},
    {"engagement.score": {"$gt": 20}},
    {"engagement.daysSinceSeen": {"$lt": 0.02}},
    {"engagement.pageViews": {"$gte": 2}},
    {"engagement": {"$exists": True}},
    {"engagement.level": "medium"},
    {"behaviour.session.active": True},
    {"behaviour.session.pageViews": {"$gte": 2}},
    {"behaviour.session.purchased": False},
    {"behaviour.session": {"$exists": True}},
    {"behaviour.cartAbandoned": True},
    {"behaviour.page_view.d1": {"$gte": 2}},
    {"behaviour.like.daysSince": {"$lt": 0.06}},
    {"behaviour.orders.count": {"$gte": 1}},
    {"behaviour.lastPages": {"$in": ["home"]}},
    {"interests.travel": {"$gte": 0.5}},
    {"attributes.cart": 1},
    {"attributes.cart": True},
    {"attributes.items": {"$size": 2}},
    {"$not": {"attributes": {"$exists": True}}},
)
SCHEDULES = [
    {},
    {"starts": "2026-12-05T20:00:00Z"},
    {"ends": "2026-12-05T21:30:00Z"},
    {"starts": "2026-12-05T19:50:00Z", "ends": "2026-12-05T21:00:00Z"},
]
SEGMENTS = [
    {"key": "keen", "name": "Keen", "when": {"engagement.score": {"$gt": 30}}},
    {"key": "friends", "name": "Friends", "members": ["ann"]},
]

conditions = st.none() | st.sampled_from(CLAUSES)
variants = st.builds(
    lambda when, schedule, locale, tag: {"when": when, "tags": {tag: 1.0}, **schedule, **locale},
    conditions,
    st.sampled_from(SCHEDULES),
    st.sampled_from([{}, {}, {"locale": "de"}]),
    st.sampled_from(TAGS),
)


def named(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"key": f"v{number}", **{name: value for name, value in variant.items() if value is not None}}
        for number, variant in enumerate(drawn)
    ]


blocks = st.lists(st.lists(variants, min_size=1, max_size=2).map(named), min_size=3, max_size=3)
givens = st.fixed_dictionaries(
    {},
    optional={
        "device": st.sampled_from([{"type": "mobile"}, {"type": "desktop", "os": "Linux"}]),
        "geo": st.sampled_from(
            [{"country": "GB"}, {"country": "FR", "lat": 48.9, "lon": 2.3}, {"lat": 51.0, "lon": 0.0}]
        ),
        "timezone": st.sampled_from(["Europe/Berlin", "Asia/Tokyo"]),
        "locale": st.sampled_from(["de-DE", "en-GB"]),
        "url": st.sampled_from(["https://x.example/?utm_source=news", "https://x.example/sale"]),
        "attributes": st.fixed_dictionaries(
            {}, optional={"cart": st.sampled_from([1, True, 1.0, "1", None]), "items": st.just([1, 2])}
        ),
    },
)  # fmt: skip
moments = st.integers(-2 * HALF_AN_HOUR, 4 * HALF_AN_HOUR).map(lambda seconds: NOW + seconds)


def visits(*tags: str, who: str = "ann") -> Profile:
    profile = stranger(who, LEARNING)
    for number, tag in enumerate(tags, 1):
        move = remember([(event(number, "page_view", NOW - 5_400 + 60 * number), {tag: 1.0})], LEARNING)
        profile = moved(profile, "p", [(number, move), (number + 100, liking(NOW - 5_000, **{tag: 1.0}))])
    return profile


VISITORS = [
    None,
    stranger("ann", LEARNING),
    stranger("bob", LEARNING),
    visits("travel"),
    visits("sea", "city"),
    visitor(liking(NOW - 900, "purchase", sea=1.0), liking(NOW - 800, "add_to_cart", sea=1.0)),
]
PURPOSES = [(), (Purpose.PERSONALIZATION,), tuple(Purpose)]
asks = st.tuples(
    givens, moments, st.sampled_from(VISITORS), st.sampled_from(PURPOSES), st.sampled_from([0.5, 0.0])
)


def one_by_one(asks: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The first, and the first with each part of the others in turn: what is overlooked shows only alone."""
    first, *others = asks
    return [first, *(
        (*first[:place], part, *first[place + 1 :]) for other in others for place, part in enumerate(other)
    )]  # fmt: skip


def asked(found: Edition, about: tuple[Any, ...]) -> Ask:
    given, at, profile, purposes, share = about
    here = READER.read({}, None, given, at, {"slug": "home"})
    return ask_of(found.catalogue, here.facts, here.locales, profile, purposes, share)


def picks(found: Edition, ask: Ask) -> Any:
    assembly = choose_page(found, found.catalogue.pages["home"], ask)
    return assembly.picks, assembly.failures


@settings(max_examples=150, deadline=None)
@given(blocks, st.lists(asks, min_size=2, max_size=6).map(one_by_one))
def test_what_was_chosen_before_is_what_would_be_chosen_now(drawn, questions):
    cards = [card(f"c{number}", *found, tags={TAGS[number % 3]: 1.0}) for number, found in enumerate(drawn)]
    home = page(fixed("top", "c0"), fixed("side", "c1", "interest"), feed(limit=3))
    content = catalogue(block=cards, segment=SEGMENTS, page=[home])
    served = Edition(content, Signals())
    for question in questions:
        ask = asked(served, question)
        assert picks(served, ask) == picks(Edition(content, Signals()), ask)


# --- what is shared ---

PHONE = {"key": "phone", "when": {"device.type": "mobile"}}
HOME = page(fixed("top", "hero"), feed(limit=2))


def test_visitors_of_whom_nothing_is_known_share_a_page():
    found = edition(block=[card("hero", PHONE)], page=[HOME])
    home = found.catalogue.pages["home"]
    one = choose_page(found, home, asking(found, stranger("eve", LEARNING)))
    assert choose_page(found, home, asking(found, stranger("bob", LEARNING), at=NOW + 60)) is one
    assert choose_page(found, home, asking(found, device={"type": "mobile"})) is not one


def test_who_has_answered_about_consent_is_not_taken_for_a_stranger():
    found = edition(block=[card("hero", PHONE)], page=[HOME])
    refused = stranger("eve", LEARNING)
    refused.memory.consents[Purpose.PERSONALIZATION] = Answer(False, NOW)
    assert found.memo(refused) is not found.memo(stranger("bob", LEARNING))


def test_a_page_stays_until_a_schedule_changes_it():
    sale = {"key": "sale", "starts": "2026-12-06T00:00:00Z"}
    found = edition(block=[card("hero", sale)], page=[page(fixed("top", "hero"))])
    home, start = found.catalogue.pages["home"], 1_796_515_200.0
    before, just_before, after = (
        choose_page(found, home, asking(found, at=at)) for at in (start - 60, start - 1, start)
    )
    assert before is just_before
    assert [one.variant.key for one in (before.picks["top"][0], after.picks["top"][0])] == ["default", "sale"]


def test_a_slot_that_failed_is_tried_again():
    found = edition(page=[page(fixed("top", "gone"))])
    home, ask = found.catalogue.pages["home"], asking(found)
    assert choose_page(found, home, ask) is not choose_page(found, home, ask)


def test_forced_segments_are_never_mixed_with_the_visitors_own():
    found = edition(
        block=[card("hero", {"key": "keen", "when": {"segments": {"$in": ["keen"]}}})],
        segment=SEGMENTS,
        page=[page(fixed("top", "hero"))],
    )
    here = READER.read({}, None, None, NOW, {"slug": "home"})
    asks = [
        ask_of(found.catalogue, here.facts, here.locales, None, (), 0.5, forced)
        for forced in (["keen"], None)
    ]
    shown = [
        choose_page(found, found.catalogue.pages["home"], ask).picks["top"][0].variant.key for ask in asks
    ]
    assert shown == ["keen", "default"]


def test_a_page_with_too_many_different_questions_is_chosen_anew():
    many = [{"key": f"v{n}", "when": {"attributes.n": n}} for n in range(MOST_CLAUSES + 1)]
    found = edition(block=[card("hero", *many)], page=[page(fixed("top", "hero"))])
    assert found.catalogue.pages["home"].dependence is None


@pytest.mark.parametrize("where", [BlockFilter(), BlockFilter(keys=frozenset({"c1"}))])
def test_a_feed_made_on_the_spot_is_made_once(where):
    found = catalogue(block=[card("c1"), card("c2")])
    assert page_of_feed(found, where) is page_of_feed(found, where)


def test_strangers_are_told_apart_where_a_rule_asks_for_the_id():
    found = edition(
        block=[card("hero", {"key": "eve", "when": {"visitor.id": "eve"}})], page=[page(fixed("top", "hero"))]
    )
    home = found.catalogue.pages["home"]
    asks = [asking(found, stranger(name, LEARNING)) for name in ("bob", "eve")]
    assert [choose_page(found, home, ask).picks["top"][0].variant.key for ask in asks] == ["default", "eve"]


def test_the_end_of_a_session_changes_the_page():
    tastes = [{"key": tag, "tags": {tag: 1.0}} for tag in ("sea", "travel")]
    found = edition(block=[card("hero", *tastes)], page=[page(fixed("top", "hero", "interest"))])
    home, day = found.catalogue.pages["home"], 86_400
    lasting = [liking(NOW - n * day, travel=1.0) for n in range(1, 4)]
    profile = visitor(
        *lasting, liking(NOW, "purchase", sea=1.0, travel=0.2), liking(NOW - day, "purchase", travel=2.0)
    )
    shown = [
        choose_page(found, home, asking(found, profile, at=NOW + late)).picks["top"][0] for late in (0, day)
    ]
    assert [one.variant.key for one in shown] == ["sea", "travel"]


DAY = 86_400


@pytest.mark.parametrize(
    ("when", "late"),
    [
        ({"behaviour.session.active": True}, 1_900),
        ({"behaviour.cartAbandoned": False}, 1_900),
        ({"behaviour.add_to_cart.d1": 2}, 2 * DAY),
        ({"behaviour.add_to_cart.d30": 2}, 31 * DAY),
        ({"behaviour.add_to_cart.daysSince": {"$lt": 0.5}}, DAY),
        ({"engagement.level": "medium"}, 90 * DAY),
    ],
)
def test_what_fades_is_looked_at_again(when, late):
    found = edition(block=[card("hero", {"key": "kept", "when": when})], page=[page(fixed("top", "hero"))])
    home, profile = found.catalogue.pages["home"], visitor(*[liking(NOW, "add_to_cart", sea=1.0)] * 2)
    asks = [asking(found, profile, at=NOW + after) for after in (0, late)]
    chosen = [choose_page(found, home, ask).picks["top"][0].variant.key for ask in asks]
    assert chosen == ["kept", "default"]


def test_engagement_is_compared_with_the_others_of_the_moment():
    ahead = {"key": "ahead", "when": {"engagement.percentile": {"$gte": 50}}}
    found = edition(block=[card("hero", ahead)], page=[page(fixed("top", "hero"))])
    home, ask = found.catalogue.pages["home"], asking(found, visitor(liking(NOW, sea=1.0)))
    asks = [replace(ask, quantiles=quantiles) for quantiles in ((), (0.0, 1e9), (1e9, 2e9))]
    chosen = [choose_page(found, home, each).picks["top"][0].variant.key for each in asks]
    assert chosen == ["default", "ahead", "default"]
