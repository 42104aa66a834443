import pytest

from content_blocks.conditions import FailedClause
from gateway.core.personalize import choose_page
from gateway.core.reasons import FEED_TRACES, Trace, traces, why
from gateway.core.signals import Signals
from schemas.vocabulary import Strategy
from tests.gateway.core.made import NOW, asking, asking_in, card, edition, feed, fixed, liking, page, visitor

PHONE = {"key": "phone", "when": {"device.type": "mobile"}}
BRITAIN = {"key": "britain", "when": {"geo.country": "GB"}}
SAIL = {"key": "sail", "tags": {"sailing": 1.0}}
CLIMB = {"key": "climb", "tags": {"climbing": 1.0}}


def chosen(found, ask, slug="home"):
    """The first choice of the first slot, and what became of each candidate."""
    compiled = found.catalogue.pages[slug]
    picks = choose_page(found, compiled, ask).picks
    slot = compiled.slots[0]
    return picks[slot.name], traces(found, compiled, slot, ask, picks)


def fates(found: list[Trace]) -> dict[str, str]:
    return {trace.variant.key: trace.summary for trace in found}


def test_a_rule_that_held_is_named():
    found = edition(block=[card("hero", PHONE, BRITAIN)], page=[page(fixed("top", "hero"))])
    ask = asking(found, device={"type": "desktop"}, geo={"country": "GB"})
    (choice,), candidates = chosen(found, ask)
    reason = why(found, ask, choice)
    assert reason.matched == ("geo.country is GB",)
    assert reason.summary == "The first variant whose rule holds: geo.country is GB."
    assert (reason.similarity, list(reason.interests)) == (None, [])
    assert fates(candidates) == {
        "phone": "Not eligible: device.type $eq 'mobile' does not hold for 'desktop'.",
        "britain": "Chosen.",
        "default": "Eligible, but britain comes first.",
    }
    assert [(trace.eligible, trace.chosen) for trace in candidates] == [
        (False, False),
        (True, True),
        (True, False),
    ]
    assert candidates[0].failed == FailedClause("device.type", "$eq", "mobile", "desktop")


def test_the_default_says_that_no_rule_held():
    found = edition(block=[card("hero", PHONE)], page=[page(fixed("top", "hero"))])
    ask = asking(found)
    (choice,), _ = chosen(found, ask)
    assert why(found, ask, choice).summary == "No variant's rule holds, so the default is shown."


@pytest.mark.parametrize(
    ("variant", "path"),
    [
        ({"key": "v", "starts": "2027-01-01T00:00:00Z"}, "schedule.starts"),
        ({"key": "v", "ends": "2026-01-01T00:00:00Z"}, "schedule.ends"),
        ({"key": "v", "locale": "de"}, "locale"),
    ],
)
def test_schedule_and_language_are_reasons_too(variant, path):
    found = edition(block=[card("hero", variant)], page=[page(fixed("top", "hero"))])
    _, candidates = chosen(found, asking_in(found, "en"))
    assert candidates[0].failed.path == path
    assert candidates[0].summary.startswith(f"Not eligible: {path} ")


def test_the_interests_that_decided_are_named():
    found = edition(
        block=[card("hero", CLIMB, SAIL, PHONE, tags={"outdoors": 1.0})],
        page=[page(fixed("top", "hero", "interest"))],
    )
    ask = asking(found, visitor(liking(sailing=1.0, outdoors=0.4)))
    (choice,), candidates = chosen(found, ask)
    reason = why(found, ask, choice)
    assert [name for name, _ in reason.interests] == ["sailing", "outdoors"]
    assert sum(added for _, added in reason.interests) == pytest.approx(reason.similarity)
    assert (
        reason.summary
        == "Of the eligible variants the nearest to the visitor's interests: sailing, outdoors."
    )
    assert fates(candidates)["climb"] == "Eligible, but sail is nearer to the visitor's interests."
    assert fates(candidates)["phone"].startswith("Not eligible: device.type")
    assert [trace.score for trace in candidates] == [trace.parts["similarity"] for trace in candidates]
    assert max(trace.score for trace in candidates if trace.eligible) == choice.score


def test_among_equals_the_first_is_said_to_come_first():
    found = edition(
        block=[card("hero", SAIL, {**SAIL, "key": "other"})], page=[page(fixed("top", "hero", "interest"))]
    )
    _, candidates = chosen(found, asking(found, visitor(liking(sailing=1.0))))
    assert fates(candidates)["other"] == "Eligible, but sail comes first."


def test_a_slot_that_failed_says_so():
    found = edition(block=[card("hero", PHONE)], page=[page(fixed("top", "hero", "no such strategy"))])
    ask = asking(found, device={"type": "mobile"})
    (choice,), candidates = chosen(found, ask)
    assert choice.strategy is Strategy.FALLBACK
    assert why(found, ask, choice).summary == "Choosing failed for this slot, so the default is shown."
    assert fates(candidates) == {
        "phone": "Eligible, but choosing failed for this slot, so the default is shown.",
        "default": "Chosen.",
    }


TAGS = ["climbing", "sailing", "cooking"]
MANY = [
    card(f"c{n:03}", tags={TAGS[n % 3]: 1.0}, boost=n / 1_000, published="2026-12-01T00:00:00Z")
    for n in range(90)
]
POPULAR = Signals(shown={b["key"]: 50.0 for b in MANY}, won={"c007": 9.0, "c010": 4.0})


@pytest.mark.parametrize("profile", [None, visitor(liking(NOW - 99, sailing=1.0), liking(cooking=0.5))])
@pytest.mark.parametrize("at", [NOW, NOW + 1_799.5, NOW + 86_400])
def test_the_parts_of_a_score_add_up_to_it(profile, at):
    found = edition(POPULAR, block=MANY, page=[page(feed(limit=5))])
    picked, candidates = chosen(found, asking(found, profile, at=at))
    for trace in candidates:
        assert sum(trace.parts.values()) == pytest.approx(trace.score, rel=1e-12)
    assert [trace.score for trace in candidates if trace.chosen] == [one.score for one in picked]


def test_a_feed_tells_of_what_came_after_those_that_are_shown():
    slots = [feed(limit=3, diversity=0.0), fixed("side", "c088")]
    found = edition(POPULAR, block=MANY, page=[page(*slots)])
    ask = asking(found, visitor(liking(sailing=1.0)))
    picked, candidates = chosen(found, ask)
    assert [trace.variant.block.key for trace in candidates if trace.chosen] == [
        one.block_key for one in picked
    ]
    assert len(candidates) <= 3 + FEED_TRACES
    ranked = {trace.variant.block.key: (place, trace) for place, trace in enumerate(candidates, 1)}
    for key, (place, trace) in ranked.items():
        expected = (
            f"Chosen: ranked {place}."
            if trace.chosen
            else f"Ranked {place}, but it stands in another slot of this page."
            if key == "c088"
            else f"Ranked {place}, after those that are shown."
        )
        assert trace.summary == expected
        assert trace.eligible
    assert "c088" in ranked


def test_a_feed_says_whether_interests_or_everybody_ranked_it():
    found = edition(POPULAR, block=MANY, page=[page(feed(limit=3))])
    ask = asking(found, visitor(liking(NOW, "purchase", sailing=1.0)))
    (first, *_), _ = chosen(found, ask)
    reason = why(found, ask, first)
    assert reason.summary == "Ranked 1 of this feed, near to the visitor's interests: sailing."
    assert reason.similarity == pytest.approx(1.0, abs=0.5)
    (first, *_), _ = chosen(found, asking(found))
    assert why(found, asking(found), first).summary == "Ranked 1 of this feed by what all visitors do."


def test_an_empty_slot_has_no_candidates():
    found = edition(
        block=MANY, page=[page(fixed("top", "gone")), page(feed(where={"keys": "none"}), slug="bare")]
    )
    assert chosen(found, asking(found)) == ([], [])
    assert chosen(found, asking(found), "bare") == ([], [])
