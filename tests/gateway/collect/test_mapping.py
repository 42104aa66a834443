from typing import Any

import pytest

from gateway.collect.collected import Circumstances, CollectedEvent
from gateway.collect.mapping import MOST_EACH, events_of
from gateway.collect.names import NAMES, changed
from gateway.core.events import Event, Refusal

NOW = 1_800_000_000.0


def kept(name: str, properties: Any = None, **more: Any) -> Any:
    collected = CollectedEvent("i", name, "v", NOW, properties=properties, **more)
    found = events_of(collected, NAMES, NOW)
    return found if isinstance(found, Refusal) else found[0]


@pytest.mark.parametrize(
    ("name", "properties", "expected"),
    [
        ("Product Viewed", {"product_id": "boot", "price": 80}, ("view", "boot", None)),
        ("Product Added", {"sku": "boot", "price": "80.5"}, ("add_to_cart", "boot", 80.5)),
        ("add_to_cart", {"value": 9, "items": [{"item_id": "boot"}]}, ("add_to_cart", "boot", 9.0)),
        (
            "Order Completed",
            {"revenue": 80, "products": [{"product_id": "boot"}, {}]},
            ("purchase", "boot", 80.0),
        ),
        ("purchase", {"value": 80, "items": []}, ("purchase", None, 80.0)),
        ("view_item", {"items": [{"item_id": "boot"}]}, ("view", "boot", None)),
        ("Products Searched", {"query": "boots"}, ("search", None, None)),
        ("scroll", {"percent_scrolled": 90}, ("scroll", None, 0.9)),
        ("user_engagement", {"engagement_time_msec": 2500}, ("dwell", None, 2.5)),
        ("sign_up", None, ("signup", None, None)),
        ("Article Read", {"block": "story", "value": 2}, ("article_read", "story", 2.0)),
        ("Order Completed", {"revenue": "free", "product_id": ["x"]}, ("purchase", None, None)),
        ("Товар", None, ("other", None, None)),
    ],
)
def test_names_of_others_become_ours_with_block_and_value(name: str, properties: Any, expected: Any) -> None:
    event = kept(name, properties)
    assert (event.type, event.block, event.value) == expected


def test_a_name_without_a_letter_we_know_is_kept_as_a_property() -> None:
    assert kept("Товар").properties == {"event": "Товар"}


def test_a_variant_is_ours_only_beside_a_block() -> None:
    ours = kept("Banner Clicked", {"block": "hero", "variant": "uk", "decision": "d1"})
    theirs = kept("Product Viewed", {"product_id": "boot", "variant": "black", "decision": "d1"})
    assert [(event.block, event.variant, event.decision) for event in (ours, theirs)] == [
        ("hero", "uk", "d1"),
        ("boot", None, None),
    ]


def test_each_item_of_a_list_that_was_shown_is_shown() -> None:
    items = [{"product_id": "a"}, {"name": "no id"}, {"product_id": "b"}]
    collected = CollectedEvent("i", "Product List Viewed", "v", NOW, properties={"products": items})
    assert events_of(collected, NAMES, NOW) == [
        Event("i.0", "impression", "v", NOW, "a"),
        Event("i.1", "impression", "v", NOW, "b"),
    ]


def test_a_list_is_read_no_further_than_is_sensible() -> None:
    items = [{"item_id": str(number)} for number in range(1000)]
    collected = CollectedEvent("i", "view_item_list", "v", NOW, properties={"items": items})
    assert len(events_of(collected, NAMES, NOW)) == MOST_EACH  # type: ignore[arg-type]


def test_circumstances_are_kept_without_parameters_address_or_user_agent() -> None:
    around = Circumstances(
        url="https://shop.example/boots?token=secret&utm_source=news#part",
        referrer="https://mail.example/read?id=7",
        locale="en",
        user_agent="Mozilla",
        ip="198.51.100.7",
    )
    event = kept("page", {"title": "Boots"}, around=around)
    assert (event.page, event.properties) == (
        "/boots",
        {
            "title": "Boots",
            "context": {
                "url": "https://shop.example/boots",
                "referrer": "https://mail.example/read",
                "campaign": {"source": "news"},
                "locale": "en",
            },
        },
    )


def test_the_senders_own_context_stays() -> None:
    assert kept("x", {"context": 1}, around=Circumstances(url="/a")).properties == {"context": 1}


def test_a_screen_without_an_address_is_the_page() -> None:
    assert kept("screen", {"name": "Cart"}).page == "Cart"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"visitor": "v" * 201}, "BAD_INPUT"),
        ({"visitor": "a\nb"}, "BAD_INPUT"),
        ({"at": NOW + 10_000}, "BAD_TIME"),
        ({"name": "consent", "ours": True}, "BAD_INPUT"),
        ({"name": "two words", "ours": True}, "BAD_INPUT"),
        ({"value": float("inf")}, "BAD_INPUT"),
        ({"properties": {"text": "x" * 40_000}}, "TOO_LARGE"),
        ({"properties": {"a": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}}, "TOO_LARGE"),
    ],
)
def test_what_no_event_may_be_is_refused(more: Any, code: str) -> None:
    given = {"id": "i", "name": "x", "visitor": "v", "at": NOW, **more}
    found = events_of(CollectedEvent(**given), NAMES, NOW)
    assert isinstance(found, Refusal)
    assert found.code == code


def test_a_space_may_call_things_by_its_own_names() -> None:
    names = changed(
        {"Cottage Booked": {"type": "purchase", "block": ["cottage.id"], "value": ["cents"], "scale": 0.01}}
    )
    collected = CollectedEvent(
        "i", "cottage booked", "v", NOW, properties={"cottage": {"id": "c1"}, "cents": 9900}
    )
    (event,) = events_of(collected, names, NOW)  # type: ignore[misc]
    assert (event.type, event.block, event.value) == ("purchase", "c1", 99.0)
