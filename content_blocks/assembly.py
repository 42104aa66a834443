"""Choices into slots: nothing twice on a page, and one broken slot never costs the page."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar


class Place(Protocol):
    """A slot, as far as assembling goes."""

    @property
    def name(self) -> str: ...
    @property
    def fixed(self) -> bool:
        """Shows one named block, and so chooses before the feeds that must not repeat it."""


class Picked(Protocol):
    @property
    def block_key(self) -> str: ...


PlaceT = TypeVar("PlaceT", bound=Place)
PickedT = TypeVar("PickedT", bound=Picked)


@dataclass(frozen=True, slots=True)
class Assembly(Generic[PickedT]):
    picks: dict[str, list[PickedT]]  # by slot name, in the order of the page
    failures: tuple[tuple[str, Exception], ...]
    # What follows from the picks alone, for whoever shows them again and again.
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)


def assemble(
    places: Iterable[PlaceT],
    pick: Callable[[PlaceT, Collection[str]], list[PickedT]],
    fallback: Callable[[PlaceT], list[PickedT]],
) -> Assembly[PickedT]:
    """Fill each place by `pick(place, block keys already taken)`; by `fallback` where that fails."""
    places = list(places)
    picks: dict[str, list[PickedT]] = {place.name: [] for place in places}
    taken: set[str] = set()
    failures: list[tuple[str, Exception]] = []
    for place in sorted(places, key=lambda place: not place.fixed):
        try:
            picked = pick(place, taken)
        except Exception as error:  # whatever it was, the other slots are still worth showing
            failures.append((place.name, error))
            picked = fallback(place)
        picks[place.name] = picked
        taken.update(one.block_key for one in picked)
    return Assembly(picks, tuple(failures))
