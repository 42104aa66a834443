from dataclasses import replace

import pytest

from content_blocks.conditions import compile_condition
from gateway.core.facts import facts_of
from gateway.core.memory import Trait, blank
from gateway.core.profiles import stranger
from schemas.vocabulary import Purpose
from tests.gateway.core.made import LEARNING, NOW, context, liking, visitor

HERE = context(device={"type": "mobile"}, geo={"country": "GB"})


def test_without_a_visitor_there_are_the_facts_of_the_request():
    facts = facts_of(HERE.facts, None, {}, ())
    assert facts["device"]["type"] == "mobile"
    assert facts["visitor"] == {**HERE.facts["visitor"], "known": False, "new": True, "visits": 0}
    assert (facts["engagement"], facts["behaviour"], facts["interests"], facts["segments"]) == (
        {},
        {},
        {},
        [],
    )


def test_a_visitor_stands_beside_the_request():
    told = replace(blank(LEARNING), traits={"plan": Trait("gold", NOW)})
    profile = visitor(liking(NOW - 86_400, "purchase", city=1.0), liking(NOW, "view", city=1.0), told)
    facts = facts_of(HERE.facts, profile, profile.usual, (Purpose.ANALYTICS,))
    assert facts["visitor"] == {
        **HERE.facts["visitor"],
        "id": "ann",
        "origin": "ann",
        "known": True,
        "new": False,
        "visits": 2,
        "consent": ["ANALYTICS"],
        "traits": {"plan": "gold"},
    }
    assert facts["engagement"] == {
        "score": profile.engagement_score(NOW),
        "level": "medium",
        "sessions": 2,
        "pageViews": 1,
        "conversions": 1,
        "revenue": 0.0,
        "firstSeen": NOW - 86_400,
        "lastSeen": NOW,
        "daysSinceSeen": 0.0,
    }
    assert facts["interests"] == profile.usual


def test_a_visitor_of_whom_nothing_is_known_is_new():
    facts = facts_of(HERE.facts, stranger("ann", LEARNING), {}, ())
    assert (facts["visitor"]["known"], facts["visitor"]["new"]) == (False, True)
    assert "lastSeen" not in facts["engagement"]


def test_facts_of_one_request_leave_the_shared_context_alone():
    before = {name: dict(part) for name, part in HERE.facts.items()}
    facts_of(HERE.facts, visitor(liking(city=1.0)), {}, ())["segments"].append("keen")
    assert HERE.facts == before


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"visitor.traits.plan": {"$exists": False}}, True),
        ({"engagement.score": {"$gt": 1}}, True),
        ({"interests.city": {"$gte": 0.9}}, True),
        ({"visitor.visits": {"$lt": 1}}, False),
        ({"engagement.daysSinceSeen": {"$lt": 1}}, True),
        ({"behaviour.purchase.d30": 1}, True),
        ({"behaviour.session.purchased": True}, True),
        ({"behaviour.lastPages": {"$size": 0}}, True),
    ],
)
def test_conditions_read_them(when, holds):
    profile = visitor(liking(NOW - 60, "purchase", city=1.0))
    facts = facts_of(HERE.facts, profile, profile.interests(0.5, NOW), ())
    assert compile_condition(when).matches(facts) is holds
