"""Which ids are one person's, as each of them remembers it: for every other id the last word, joined or parted.

Words about one id are merged by their time, and at the same instant a parting stands. Only the newest words
are kept; since a word's time never falls back, that too comes out the same in any order and grouping.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

KEPT = 64  # words, newest first; nobody's devices are that many


class Link(NamedTuple):
    at: float  # epoch seconds
    joined: bool  # or parted


class Origin(NamedTuple):
    """The id that a person's assignments hash on, and when that was settled: the first one stays."""

    at: float
    id: str


Links = Mapping[str, Link]


@dataclass(frozen=True, slots=True)
class Members:
    """What a person remembers of the ids that were joined to it."""

    links: Links = field(default_factory=dict)
    origin: Origin | None = None

    def merge(self, other: "Members") -> "Members":
        if not (other.links or other.origin):
            return self
        origins = [origin for origin in (self.origin, other.origin) if origin is not None]
        return Members(last_words(self.links, other.links), min(origins, default=None))

    def after(self, at: float) -> "Members":
        """Without what was said up to then."""
        origin = self.origin if self.origin is not None and self.origin.at > at else None
        return Members(words_after(self.links, at), origin)

    def to_json(self) -> Mapping[str, Any]:
        found = {"links": links_to_json(self.links), "origin": list(self.origin or ())}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Members":
        origin = found.get("origin")
        return cls(links_of(found.get("links", {})), Origin(*origin) if origin else None)


NO_MEMBERS = Members()


def last_words(one: Links, other: Links) -> Links:
    if not other:
        return one
    merged = dict(one)
    for id_, link in other.items():
        merged[id_] = max(merged.get(id_, link), link, key=_weight)
    if len(merged) <= KEPT:
        return merged
    newest = sorted(merged.items(), key=lambda entry: (_weight(entry[1]), entry[0]), reverse=True)
    return dict(newest[:KEPT])


def words_after(links: Links, at: float) -> Links:
    return {id_: link for id_, link in links.items() if link.at > at}


def joined(links: Links) -> list[str]:
    """The ids that are joined now, the latest first."""
    present = [(link.at, id_) for id_, link in links.items() if link.joined]
    return [id_ for _, id_ in sorted(present, reverse=True)]


def links_to_json(links: Links) -> Mapping[str, Sequence[Any]]:
    return {id_: list(link) for id_, link in links.items()}


def links_of(found: Mapping[str, Sequence[Any]]) -> Links:
    return {id_: Link(*link) for id_, link in found.items()}


def _weight(link: Link) -> tuple[float, bool]:
    return link.at, not link.joined
