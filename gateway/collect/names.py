"""What other people call things: names of events, and where those keep the block and the value.

Names are compared as words: `Product Added`, `product added` and `product_added` are one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from gateway.collect.fields import Path, number, path
from gateway.core.events import Event, event_problem
from gateway.errors import BadInput, Problem


@dataclass(frozen=True, slots=True)
class Meaning:
    """Our event type, and where the properties hold the rest; the first path that leads somewhere counts.

    `scale` makes their value ours (seconds of a dwell, share of a scroll). `each` is a list of which every
    item is an event of its own.
    """

    type: str
    block: tuple[Path, ...] = ()
    value: tuple[Path, ...] = ()
    scale: float = 1.0
    each: tuple[Path, ...] = ()


Names: TypeAlias = Mapping[str, Meaning]  # by the name as a word


def _paths(*dotted: str) -> tuple[Path, ...]:
    return tuple(map(path, dotted))


_ONE = ("block", "product_id", "sku", "item_id", "content_id")
_LISTED = (
    "products.0.product_id", "products.0.sku", "products.0.id",
    "items.0.item_id", "items.0.product_id", "items.0.id",
)  # fmt: skip
_ITEM = _paths(*_ONE)
_PRODUCT = _paths(*_ONE, *_LISTED)
_PROMOTION = _paths(
    "block", "promotion_id", "creative_slot", "creative_name", "items.0.promotion_id", *_LISTED
)
_LIST = _paths("products", "items")
_PRICE = _paths("value", "price", "total_amount")
_ORDER = _paths("revenue", "total", "value", "total_amount", "order_total")

_SHOWN = Meaning("impression", _ITEM, each=_LIST)
_PROMOTED = Meaning("impression", _PROMOTION)
_CLICK = Meaning("click", _PRODUCT)
_VIEW = Meaning("view", _PRODUCT)
_CART = Meaning("add_to_cart", _PRODUCT, _PRICE)
_LIKE = Meaning("like", _PRODUCT)
_SHARE = Meaning("share", _PRODUCT)
_PURCHASE = Meaning("purchase", _PRODUCT, _ORDER)
_REFUND = Meaning("refund", _PRODUCT, _ORDER)
_PAGE = Meaning("page_view", _paths("block"))
_SCROLL = Meaning("scroll", _paths("block"), _paths("percent_scrolled", "percent", "depth"), 0.01)

NAMES: Names = {
    # Segment's e-commerce, Google's recommended events, mParticle's product actions
    "products_searched": Meaning("search"),
    "search": Meaning("search"),
    "view_search_results": Meaning("search"),
    "product_list_viewed": _SHOWN,
    "view_item_list": _SHOWN,
    "promotion_viewed": _PROMOTED,
    "view_promotion": _PROMOTED,
    "product_clicked": _CLICK,
    "select_item": _CLICK,
    "select_content": _CLICK,
    "promotion_clicked": Meaning("click", _PROMOTION),
    "select_promotion": Meaning("click", _PROMOTION),
    "click": _CLICK,
    "product_viewed": _VIEW,
    "view_item": _VIEW,
    "view_detail": _VIEW,
    "product_added": _CART,
    "add_to_cart": _CART,
    "product_added_to_wishlist": _LIKE,
    "add_to_wishlist": _LIKE,
    "like": _LIKE,
    "product_shared": _SHARE,
    "share": _SHARE,
    "product_removed": Meaning("remove_from_cart", _PRODUCT, _PRICE),
    "remove_from_cart": Meaning("remove_from_cart", _PRODUCT, _PRICE),
    "cart_viewed": Meaning("view_cart"),
    "view_cart": Meaning("view_cart"),
    "checkout_started": Meaning("begin_checkout", (), _ORDER),
    "begin_checkout": Meaning("begin_checkout", (), _ORDER),
    "checkout": Meaning("begin_checkout", (), _ORDER),
    "order_completed": _PURCHASE,
    "purchase": _PURCHASE,
    "order_refunded": _REFUND,
    "order_cancelled": _REFUND,
    "refund": _REFUND,
    # people
    "signed_up": Meaning("signup"),
    "sign_up": Meaning("signup"),
    "account_created": Meaning("signup"),
    "signed_in": Meaning("login"),
    "login": Meaning("login"),
    "generate_lead": Meaning("conversion", (), _PRICE),
    "lead_generated": Meaning("conversion", (), _PRICE),
    # reading
    "page": _PAGE,
    "page_view": _PAGE,
    "page_viewed": _PAGE,
    "pageview": _PAGE,
    "screen": _PAGE,
    "screen_view": _PAGE,
    "scroll": _SCROLL,
    "scroll_depth": _SCROLL,
    "user_engagement": Meaning("dwell", _paths("block"), _paths("engagement_time_msec"), 0.001),
}

UNNAMED = "other"  # the type of what has no letter in its name that a type could have
_LONGEST_TYPE = 64
_LONGEST_KEPT = 100
_OTHERS = re.compile(r"[^a-z0-9_.-]+")


def meaning_of(name: str, names: Names) -> Meaning:
    """An unknown name is its own type, as a word."""
    word = as_word(name)
    return names.get(word) or Meaning(word, _paths("block"), _paths("value"))


def as_word(name: str) -> str:
    """`Product Added` -> `product_added`."""
    return _as_word(name) if len(name) <= _LONGEST_KEPT else _as_word.__wrapped__(name[:1000])


@lru_cache(4096)
def _as_word(name: str) -> str:
    word = _OTHERS.sub("_", name.strip().lower()).strip("_.-").lstrip("0123456789_.-")
    return word[:_LONGEST_TYPE] or UNNAMED


_FIELDS = frozenset({"type", "block", "value", "scale", "each"})


def changed(over: Mapping[str, Any], names: Names = NAMES) -> Names:
    """The table with changes: `{"Cottage Booked": "purchase"}`, or with places, or null to take a name away.

    `{"Cottage Booked": {"type": "purchase", "block": ["cottage.id"], "value": ["total"], "scale": 0.01}}`.
    Raises BadInput with the places of what cannot be right.
    """
    table = dict(names)
    problems: list[Problem] = []
    for name, given in over.items():
        problems += _problems(name, given)
        if given is None:
            table.pop(as_word(name), None)
        elif not problems:
            table[as_word(name)] = _meaning(given, table)
    if problems:
        raise BadInput("the names of events cannot be right: " + "; ".join(map(str, problems)), problems)
    return table


def _problems(name: str, given: Any) -> Iterator[Problem]:
    if given is None:
        return
    places = {"type": given} if isinstance(given, str) else given
    if not isinstance(places, dict) or not isinstance(places.get("type"), str):
        yield Problem(f"/{name}", 'give a type, like "purchase" or {"type": "purchase", "value": ["total"]}')
        return
    refusal = event_problem(Event("any", places["type"], "any", 0.0))
    if refusal is not None:
        yield Problem(f"/{name}", refusal.message)
    for field in places.keys() - _FIELDS:
        yield Problem(f"/{name}/{field}", f"there is no such field; there are {', '.join(sorted(_FIELDS))}")
    for field in ("block", "value", "each"):
        paths = places.get(field, [])
        if not isinstance(paths, list) or not all(isinstance(one, str) for one in paths):
            yield Problem(f"/{name}/{field}", 'give a list of places, like ["products.0.sku"]')
    if number(places.get("scale", 1)) is None or isinstance(places.get("scale"), str):
        yield Problem(f"/{name}/scale", "give a number")


def _meaning(given: Any, names: Names) -> Meaning:
    """A type alone keeps the places of the name that is called like it."""
    if isinstance(given, str):
        same = names.get(as_word(given))
        return same if same and same.type == given else Meaning(given, _PRODUCT, _ORDER)
    places = {name: _paths(*given.get(name, ())) for name in ("block", "value", "each")}
    return Meaning(given["type"], scale=float(given.get("scale", 1)), **places)
