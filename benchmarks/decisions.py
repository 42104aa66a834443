"""How many decisions a CPU second holds: the first eligible variant of a block, for one visitor.

Twelve blocks of four variants; conditions of one to three clauses, of which the first, second, third,
fourth or none holds. Beside it the same conditions in GrowthBook's evaluator, and as plain Python that
somebody wrote by hand. Run: python benchmarks/decisions.py
"""

from collections.abc import Callable, Mapping
from time import process_time
from typing import Any

from growthbook.core import evalCondition

from content_blocks.blocks import Variant
from content_blocks.conditions import compile_condition
from content_blocks.eligibility import Eligibility

Facts = Mapping[str, Any]
Test = Callable[[Facts], bool]
Decide = Callable[[Facts], list[int | None]]

NOW = 1_796_500_000.0
LOCALES = frozenset({"en-gb", "en"})
MOBILE, DESKTOP = {"device.type": "mobile"}, {"device.type": "desktop"}
BRITAIN, GERMANY = {"geo.country": "GB"}, {"geo.country": "DE"}
NORTH = {"geo.country": {"$in": ["NO", "SE", "FI"]}}
EVENING, MORNING = {"time.hour": {"$gte": 18}}, {"time.hour": {"$gte": 5, "$lt": 10}}
CLIMBER, KEEN = {"interests.climbing": {"$gte": 0.3}}, {"engagement.score": {"$gt": 50}}
NEWCOMER, WEEKEND = {"visitor.new": True}, {"time.weekday": {"$in": ["sat", "sun"]}}
NIGHT_OWL = {"segments": {"$in": ["night-owl"]}}
SAFARI = {"device.browser": "Safari", "device.osVersion": {"$vgte": "17.0"}}
BLOCKS: list[list[dict[str, Any]]] = [
    [MOBILE | BRITAIN, MOBILE, BRITAIN, DESKTOP],  # the first wins
    [GERMANY, MOBILE | BRITAIN | EVENING, EVENING, NEWCOMER],  # the second ...
    [NORTH, DESKTOP | BRITAIN, CLIMBER, MOBILE],
    [GERMANY | EVENING, DESKTOP, MORNING, KEEN | BRITAIN],
    [NORTH | EVENING, GERMANY, DESKTOP | NEWCOMER, MORNING | MOBILE],  # none
    [WEEKEND | MOBILE, WEEKEND, MORNING, CLIMBER],
    [NEWCOMER | BRITAIN, NORTH, WEEKEND | BRITAIN, EVENING],
    [GERMANY, NORTH, NEWCOMER, NIGHT_OWL],
    [MOBILE | SAFARI, MOBILE, DESKTOP, GERMANY],
    [DESKTOP | BRITAIN, NEWCOMER, GERMANY, NORTH],
    [EVENING | BRITAIN | MOBILE, EVENING, MORNING, WEEKEND],
    [MORNING | WEEKEND, KEEN | CLIMBER, BRITAIN, GERMANY],
]
# The same, as a programmer would write it who trusts that every fact is there.
BY_HAND: list[list[Test]] = [
    [
        lambda f: f["device"]["type"] == "mobile" and f["geo"]["country"] == "GB",
        lambda f: f["device"]["type"] == "mobile",
        lambda f: f["geo"]["country"] == "GB",
        lambda f: f["device"]["type"] == "desktop",
    ],
    [
        lambda f: f["geo"]["country"] == "DE",
        lambda f: f["device"]["type"] == "mobile" and f["geo"]["country"] == "GB" and f["time"]["hour"] >= 18,
        lambda f: f["time"]["hour"] >= 18,
        lambda f: f["visitor"]["new"],
    ],
    [
        lambda f: f["geo"]["country"] in {"NO", "SE", "FI"},
        lambda f: f["device"]["type"] == "desktop" and f["geo"]["country"] == "GB",
        lambda f: f["interests"].get("climbing", 0) >= 0.3,
        lambda f: f["device"]["type"] == "mobile",
    ],
    [
        lambda f: f["geo"]["country"] == "DE" and f["time"]["hour"] >= 18,
        lambda f: f["device"]["type"] == "desktop",
        lambda f: 5 <= f["time"]["hour"] < 10,
        lambda f: f["engagement"]["score"] > 50 and f["geo"]["country"] == "GB",
    ],
    [
        lambda f: f["geo"]["country"] in {"NO", "SE", "FI"} and f["time"]["hour"] >= 18,
        lambda f: f["geo"]["country"] == "DE",
        lambda f: f["device"]["type"] == "desktop" and f["visitor"]["new"],
        lambda f: 5 <= f["time"]["hour"] < 10 and f["device"]["type"] == "mobile",
    ],
    [
        lambda f: f["time"]["weekday"] in {"sat", "sun"} and f["device"]["type"] == "mobile",
        lambda f: f["time"]["weekday"] in {"sat", "sun"},
        lambda f: 5 <= f["time"]["hour"] < 10,
        lambda f: f["interests"].get("climbing", 0) >= 0.3,
    ],
    [
        lambda f: f["visitor"]["new"] and f["geo"]["country"] == "GB",
        lambda f: f["geo"]["country"] in {"NO", "SE", "FI"},
        lambda f: f["time"]["weekday"] in {"sat", "sun"} and f["geo"]["country"] == "GB",
        lambda f: f["time"]["hour"] >= 18,
    ],
    [
        lambda f: f["geo"]["country"] == "DE",
        lambda f: f["geo"]["country"] in {"NO", "SE", "FI"},
        lambda f: f["visitor"]["new"],
        lambda f: "night-owl" in f["segments"],
    ],
    [
        lambda f: (
            f["device"]["type"] == "mobile"
            and f["device"]["browser"] == "Safari"
            and tuple(map(int, f["device"]["osVersion"].split("."))) >= (17, 0)
        ),
        lambda f: f["device"]["type"] == "mobile",
        lambda f: f["device"]["type"] == "desktop",
        lambda f: f["geo"]["country"] == "DE",
    ],
    [
        lambda f: f["device"]["type"] == "desktop" and f["geo"]["country"] == "GB",
        lambda f: f["visitor"]["new"],
        lambda f: f["geo"]["country"] == "DE",
        lambda f: f["geo"]["country"] in {"NO", "SE", "FI"},
    ],
    [
        lambda f: f["time"]["hour"] >= 18 and f["geo"]["country"] == "GB" and f["device"]["type"] == "mobile",
        lambda f: f["time"]["hour"] >= 18,
        lambda f: 5 <= f["time"]["hour"] < 10,
        lambda f: f["time"]["weekday"] in {"sat", "sun"},
    ],
    [
        lambda f: 5 <= f["time"]["hour"] < 10 and f["time"]["weekday"] in {"sat", "sun"},
        lambda f: f["engagement"]["score"] > 50 and f["interests"].get("climbing", 0) >= 0.3,
        lambda f: f["geo"]["country"] == "GB",
        lambda f: f["geo"]["country"] == "DE",
    ],
]
EIGHT = MOBILE | BRITAIN | EVENING | CLIMBER | KEEN | WEEKEND | {"device.os": "iOS", "visitor.new": False}
FACTS: dict[str, Any] = {
    "device": {"type": "mobile", "os": "iOS", "osVersion": "17.4", "browser": "Safari", "bot": False},
    "geo": {"country": "GB", "city": "London", "lat": 51.5, "lon": -0.12},
    "time": {"hour": 21, "minute": 5, "weekday": "sat", "clock": "21:05", "date": "2026-12-05"},
    "page": {"slug": "home", "path": "/"},
    "segments": ["night-owl", "climbers"],
    "visitor": {"id": "v1", "new": False, "visits": 7, "locale": "en-GB"},
    "engagement": {"score": 71.5, "sessions": 7},
    "interests": {"climbing": 0.61, "camping": 0.2},
    "attributes": {},
}


def compiled() -> Decide:
    blocks = [[Eligibility.of(Variant(str(i), when=when)) for i, when in enumerate(b)] for b in BLOCKS]

    def first(variants: list[Eligibility], facts: Facts) -> int | None:
        for i, variant in enumerate(variants):
            if variant.admits(facts, NOW, LOCALES):
                return i
        return None

    return lambda facts: [first(variants, facts) for variants in blocks]


def growthbook() -> Decide:
    def first(conditions: list[dict[str, Any]], facts: Facts) -> int | None:
        for i, condition in enumerate(conditions):
            if evalCondition(facts, condition):
                return i
        return None

    return lambda facts: [first(conditions, facts) for conditions in BLOCKS]


def by_hand() -> Decide:
    def first(tests: list[Test], facts: Facts) -> int | None:
        for i, holds in enumerate(tests):
            if holds(facts):
                return i
        return None

    return lambda facts: [first(tests, facts) for tests in BY_HAND]


def seconds(decide: Callable[[Facts], Any], pages: int) -> float:
    """CPU seconds for one page, the best of seven rounds."""

    def once() -> float:
        start = process_time()
        for _ in range(pages):
            decide(FACTS)
        return (process_time() - start) / pages

    return min(once() for _ in range(7))


def main() -> None:
    ours, theirs, hand = compiled(), growthbook(), by_hand()
    assert ours(FACTS) == theirs(FACTS) == hand(FACTS), "the three must decide alike"
    print("winners:", ours(FACTS))
    rates = {
        "blockloom": len(BLOCKS) / seconds(ours, 4000),
        "growthbook": len(BLOCKS) / seconds(theirs, 300),
        "by hand": len(BLOCKS) / seconds(hand, 4000),
    }
    for name, rate in rates.items():
        print(
            f"{name:>10}: {rate:>11,.0f} decisions per CPU second, {rate / rates['growthbook']:6.1f} x growthbook"
        )
    print(f"{'blockloom':>10}: {rates['blockloom'] / rates['by hand']:.2f} of what is written by hand")
    eight = seconds(compile_condition(EIGHT).matches, 50_000)
    reference = seconds(lambda facts: evalCondition(facts, EIGHT), 3000)
    print(f"8 clauses, all hold: {eight * 1e6:.2f} us (growthbook {reference * 1e6:.1f} us)")


if __name__ == "__main__":
    main()
