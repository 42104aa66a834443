"""What a client prefers of what we can send: `Accept` and `Accept-Encoding` as RFC 9110 (12.4, 12.5) has them."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

WHOLE = "q=1"
KEPT = 512
LONGEST = 500  # characters of a header that is remembered


def weights(header: str) -> Mapping[str, float]:
    """What is named, in the header's order, with its weight; a weight that is none counts as 0."""
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if name:
            found.setdefault(name, _weight(parameters))
    return found


def _weight(parameters: list[str]) -> float:
    given = next((word for word in parameters if word.startswith("q=")), WHOLE)
    try:
        weight = float(given[2:])
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0  # not a number is neither


def remembered(choose: Callable[[str], T]) -> Callable[[str], T]:
    """Few headers are sent again and again; those that nobody sends are not kept."""
    cached = lru_cache(KEPT)(choose)

    def chosen(header: str) -> T:
        return cached(header) if len(header) <= LONGEST else choose(header)

    return chosen
