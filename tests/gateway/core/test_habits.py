"""What a visitor does, as conditions see it."""

from typing import Any

import pytest

from content_blocks.conditions import FACTS, check_condition, compile_condition
from gateway.core.behaviour import behaviour_of
from gateway.core.engagement import Scale
from gateway.core.events import Event
from gateway.core.facts import facts_of
from gateway.core.habits import COUNTS, GROUPS, Habits
from gateway.core.memory import remember
from gateway.core.profiles import Profile, moved, stranger
from gateway.core.sessions import GAP
from gateway.core.spells import sessions_of
from tests.gateway.core.made import LEARNING, NOW, context

DAY = 86_400.0


def who_did(*events: Event) -> Profile:
    return moved(stranger("ann", LEARNING), "p", [(1, remember([(each, None) for each in events], LEARNING))])


def did(kind: str, ago: float = 0.0, **fields: Any) -> Event:
    return Event(f"{kind}-{ago}", kind, "ann", NOW - ago, **fields)


def landed(ago: float, campaign: dict[str, str], kind: str = "page_view", **fields: Any) -> Event:
    return did(kind, ago, properties={"context": {"campaign": campaign}}, **fields)


def holds(when: dict[str, Any], *events: Event, at: float = NOW) -> bool:
    assert check_condition(when) == []
    facts = facts_of(context(at).facts, who_did(*events), {}, ())
    return compile_condition(when).matches(facts)


VISIT = (
    did("page_view", 500, page="home"),
    did("view", 400, block="shoes"),
    did("dwell", 380, value=400.0),
    did("scroll", 370, value=0.6),
    did("add_to_cart", 300, block="shoes"),
    did("page_view", 200, page="/cart"),
)  # fmt: skip


def test_a_session_is_told_of_while_it_lasts_and_after():
    habits = Habits(who_did(did("page_view", 3 * DAY, page="old"), *VISIT), NOW)
    assert habits["session"] == {
        "active": True,
        "pageViews": 3,
        "productViews": 1,
        "seconds": 400.0,
        "scroll": 0.6,
        "cartAdds": 1,
        "purchased": False,
        "bounced": False,
        "entryPage": "home",
        "lastPage": "/cart",
    }
    assert habits["lastPages"] == ["/cart", "home", "old"]
    assert Habits(who_did(*VISIT), NOW + DAY)["session"]["active"] is False
    assert Habits(stranger("ann", LEARNING), NOW)["session"] == {}


def test_a_late_event_joins_what_two_sessions_hold():
    one, two, late = did("page_view", 5_000), did("purchase", 2_000, value=5.0), did("click", 3_500)
    assert [session.actions for session in sessions_of(behaviour_of([one, two]).spells)] == [1, 1]
    (joined,) = sessions_of(behaviour_of([one, two]).merge(behaviour_of([late])).spells)
    assert (joined.actions, joined.page_views, joined.purchases, joined.seconds) == (3, 1, 1, 3_000.0)


def test_events_half_an_hour_apart_are_one_session():
    def sessions(apart: float) -> int:
        return len(sessions_of(behaviour_of([did("click", 9_000), did("click", 9_000 - apart)]).spells))

    assert [sessions(GAP), sessions(GAP + 0.001)] == [1, 2]


@pytest.mark.parametrize(
    ("events", "bounced"),
    [
        ([did("page_view")], True),
        ([did("view", block="hero")], True),
        ([did("page_view"), did("impression", 5)], True),
        ([did("page_view"), did("page_view", 5)], False),
        ([did("page_view"), did("click", 5)], False),
        ([did("click")], False),
        ([did("page_view", 2 * GAP), did("page_view")], True),
    ],
)
def test_a_bounce_is_one_page_and_nothing_else(events, bounced):
    assert holds({"behaviour.session.bounced": True}, *events) is bounced


def test_a_cart_is_abandoned_once_the_visitor_is_gone():
    when = {"behaviour.cartAbandoned": True}
    cart = did("add_to_cart", 100)
    assert not holds(when, cart)
    assert holds(when, cart, at=NOW + GAP)
    assert not holds(when, cart, did("purchase", 50), at=NOW + GAP)
    assert holds(when, did("purchase", 200), cart, at=NOW + GAP)
    assert not holds(when, did("purchase", 200), at=NOW + GAP)
    assert not holds(when, cart, did("page_view"), at=NOW + GAP)


def test_events_are_counted_over_days_that_roll_on():
    events = [did("purchase", ago * DAY) for ago in (0, 1, 2, 7, 8, 30, 31, 60)]
    assert {name: Habits(who_did(*events), NOW)["purchase"][name] for name in COUNTS} == {
        "d1": 2, "d7": 4, "d30": 6, "total": 8, "daysSince": 0.0,
    }  # fmt: skip
    assert Habits(who_did(*events), NOW + 7 * DAY)["purchase"]["d7"] == 1
    assert Habits(who_did(*events), NOW + 365 * DAY)["purchase"]["d30"] == 0


def test_what_never_happened_counts_zero_and_is_never_long_ago():
    assert holds({"behaviour.test.drive.d30": {"$lt": 1}, "behaviour.like.daysSince": None}, did("view"))
    assert holds({"behaviour.test.drive.total": 1}, did("test.drive"))
    assert not holds({"behaviour.purchase.d30": {"$lt": 1}}, did("purchase"))


def test_orders_are_summed_up():
    events = [did("purchase", 9, value=30.0), did("purchase", 5, value=50.0), did("purchase", 7)]
    assert Habits(who_did(*events), NOW)["orders"] == {
        "count": 3,
        "total": 80.0,
        "last": 50.0,
        "average": pytest.approx(80 / 3),
    }
    assert Habits(stranger("ann", LEARNING), NOW)["orders"] == {"count": 0, "total": 0.0}


def test_a_conversion_is_owed_to_the_last_touch_before_it():
    spring, mail = {"source": "ads", "medium": "cpc", "campaign": "spring"}, {"source": "mail"}
    events = [
        landed(9 * DAY, spring),
        landed(5 * DAY, mail),
        did("purchase", 4 * DAY),
        landed(1 * DAY, {"source": "later"}),
    ]
    found = Habits(who_did(*events), NOW)["attribution"]
    assert found == {"first": spring, "last": {"source": "later"}, "conversion": mail}
    assert Habits(who_did(did("purchase")), NOW)["attribution"] == {"first": {}, "last": {}, "conversion": {}}


def test_a_touch_of_long_ago_is_owed_nothing():
    late = landed(31 * DAY + 60, {"source": "ads"})
    assert Habits(who_did(late, did("purchase", 60)), NOW)["attribution"]["conversion"] == {}
    assert Habits(who_did(late, did("purchase", 61 * 60)), NOW)["attribution"]["conversion"] == {}
    in_time = landed(30 * DAY, {"source": "ads"})
    assert holds({"behaviour.attribution.conversion.source": "ads"}, in_time, did("purchase"))


def test_a_conversion_older_than_what_is_kept_is_owed_to_nobody():
    touches = [landed(ago * DAY, {"source": f"s{ago}"}) for ago in range(1, 15)]
    assert not holds(
        {"behaviour.attribution.conversion.source": {"$exists": True}}, *touches, did("signup", 13.5 * DAY)
    )
    assert holds({"behaviour.attribution.conversion.source": "s3"}, *touches, did("signup", 2.5 * DAY))


@pytest.mark.parametrize(
    ("about", "origin"),
    [
        ({"url": "https://shop.example/?utm_source=news&utm_medium=mail"}, {"source": "news", "medium": "mail"}),
        ({"referrer": "https://search.example/?q=x"}, {"source": "search.example", "medium": "referral"}),
        ({"url": "https://a.example/1", "referrer": "https://a.example/2"}, {}),
        ({"url": "https://a.example/1"}, {}),
        ({"campaign": {"source": 5}, "referrer": ["x"], "url": None}, {}),
        ("nonsense", {}),
    ],
)  # fmt: skip
def test_a_touch_is_a_campaign_or_a_site_that_led_here(about, origin):
    event = did("page_view", properties={"context": about})
    assert Habits(who_did(event), NOW)["attribution"]["last"] == origin


def test_every_fact_that_conditions_know_is_there_and_no_other():
    profile = who_did(
        *VISIT, landed(100, {"source": "a", "medium": "b", "campaign": "c"}, "purchase", value=5.0)
    )
    habits = Habits(profile, NOW)
    told = {"cartAbandoned", "lastPages"}
    for group in ("session", "orders"):
        told |= {f"{group}.{name}" for name in habits[group]}
    for touch, origin in habits["attribution"].items():
        told |= {f"attribution.{touch}.{name}" for name in origin}
    told |= {f"*.{name}" for name in COUNTS}
    assert told == {path.removeprefix("behaviour.") for path in FACTS if path.startswith("behaviour.")}
    assert set(habits) == {*GROUPS, *profile.memory.behaviour.tallies}
    assert len(habits) == len(list(habits))


def test_a_group_is_worked_out_once():
    habits = Habits(who_did(*VISIT), NOW)
    assert habits["session"] is habits["session"]


@pytest.mark.parametrize(("score", "level"), [(0.0, "low"), (19.9, "low"), (20.0, "medium"), (50.0, "high")])
def test_a_score_has_a_level(score, level):
    assert Scale().level(score) == level


def test_the_level_of_engagement_is_a_fact():
    assert holds({"engagement.level": "medium"}, did("purchase"))
    assert holds({"engagement.level": "low"}, did("purchase"), at=NOW + 365 * DAY)
