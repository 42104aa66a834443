from datetime import UTC, datetime, timedelta, timezone

import pytest

from content_blocks.blocks import Block, BlockFilter, Page, Slot, Variant, instant

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_block_is_read_whole():
    document = {
        "key": "hero",
        "type": "Hero",
        "data": {"headline": "Welcome"},
        "tags": {"travel": 1.0},
        "boost": 0.2,
        "published": "2026-11-01T12:00:00Z",
        "variants": [
            {
                "key": "uk",
                "patch": {"headline": "Hello"},
                "when": {"geo.country": "GB"},
                "tags": {"city": 0.5},
                "starts": "2026-11-01T12:00:00",
                "ends": "2026-12-01T01:00:00+01:00",
                "locale": "en-GB",
            },
            {"key": "plain", "starts": None, "ends": None},
        ],
    }
    uk = Variant("uk", {"headline": "Hello"}, {"geo.country": "GB"}, {"city": 0.5}, NOON, LATER, "en-GB")
    expected = Block(
        "hero", "Hero", {"headline": "Welcome"}, {"travel": 1.0}, (uk, Variant("plain")), 0.2, NOON
    )
    assert Block.from_document(document) == expected


def test_a_block_needs_no_more_than_key_type_and_data():
    assert Block.from_document({"key": "a", "type": "Card", "data": {}}) == Block("a", "Card", {})


def test_a_page_is_read_whole():
    document = {
        "slug": "home",
        "title": "Home",
        "slots": [
            {"name": "hero", "strategy": "rules", "block": "hero"},
            {"name": "more", "strategy": "interest", "where": {"tags": ["travel", "city"]}},
            {
                "name": "feed",
                "strategy": "feed",
                "where": {"type": "Card", "exclude": "hero"},
                "weights": {"popularity": 2.0},
                "diversity": 0.5,
            },
        ],
    }
    tags = BlockFilter(tags=frozenset({"travel", "city"}))
    cards = BlockFilter(types=frozenset({"Card"}), exclude=frozenset({"hero"}))
    assert Page.from_document(document) == Page(
        "home",
        "Home",
        (
            Slot("hero", "rules", "hero"),
            Slot("more", "interest", where=tags),
            Slot("feed", "feed", where=cards, limit=10, weights={"popularity": 2.0}, diversity=0.5),
        ),
    )


@pytest.mark.parametrize(
    ("where", "admitted"),
    [
        ({}, True),
        ({"type": "Card"}, True),
        ({"type": ["Hero", "Card"]}, True),
        ({"type": "Hero"}, False),
        ({"tags": "city"}, True),
        ({"tags": ["sea", "city"]}, True),
        ({"tags": "sea"}, False),
        ({"keys": ["a"]}, True),
        ({"keys": ["b"]}, False),
        ({"exclude": "a"}, False),
        ({"type": "Card", "tags": "city", "keys": "a", "exclude": "b"}, True),
        ({"type": "Card", "tags": "sea"}, False),
    ],
)
def test_a_filter_admits_what_fulfils_all_of_it(where, admitted):
    block = Block("a", "Card", {}, {"city": 1.0})
    assert BlockFilter.from_document(where).admits(block) is admitted


def test_a_time_without_an_offset_is_utc():
    assert instant("2026-11-01T12:00:00") == instant("2026-11-01T12:00:00Z") == NOON
    east = instant("2026-11-01T14:00:00+02:00")
    assert east == NOON
    assert east.tzinfo == timezone(timedelta(hours=2))
    assert instant(None) is None
