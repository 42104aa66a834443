"""The things that can be shown: pages, slots, blocks and their variants, as frozen values.

They are read from the documents of a bundle (`schemas/json/bundle.schema.json`), which are checked
before they come here; so `from_document` trusts its input.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

Document = Mapping[str, Any]
DEFAULT = "default"  # the key of the variant that every block has: its own data, always eligible


@dataclass(frozen=True, slots=True)
class Variant:
    """A merge patch (RFC 7386) over its block's data, and when it may be shown."""

    key: str
    patch: Document = field(default_factory=dict)
    when: Document | None = None
    tags: Mapping[str, float] = field(default_factory=dict)
    starts: datetime | None = None
    ends: datetime | None = None
    locale: str | None = None

    @classmethod
    def from_document(cls, document: Document) -> "Variant":
        return cls(
            key=document["key"],
            patch=document.get("patch", {}),
            when=document.get("when"),
            tags=document.get("tags", {}),
            starts=instant(document.get("starts")),
            ends=instant(document.get("ends")),
            locale=document.get("locale"),
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of content of one block type; `data` is its default variant."""

    key: str
    type: str
    data: Document
    tags: Mapping[str, float] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()
    boost: float = 0.0  # the editor's thumb on the scale, added to the score
    published: datetime | None = None  # what recency counts from

    @classmethod
    def from_document(cls, document: Document) -> "Block":
        return cls(
            key=document["key"],
            type=document["type"],
            data=document["data"],
            tags=document.get("tags", {}),
            variants=tuple(map(Variant.from_document, document.get("variants", ()))),
            boost=document.get("boost", 0.0),
            published=instant(document.get("published")),
        )


class Filterable(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def tags(self) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True)
class BlockFilter:
    """Which blocks a feed may take: every named condition must hold; an empty one admits all."""

    types: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()  # at least one of these
    keys: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()  # keys

    @classmethod
    def from_document(cls, document: Document) -> "BlockFilter":
        return cls(
            types=_names(document.get("type")),
            tags=_names(document.get("tags")),
            keys=_names(document.get("keys")),
            exclude=_names(document.get("exclude")),
        )

    def admits(self, block: "Filterable") -> bool:
        return (
            (not self.types or block.type in self.types)
            and (not self.tags or not self.tags.isdisjoint(block.tags))
            and (not self.keys or block.key in self.keys)
            and block.key not in self.exclude
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on a page: one block whose variant is chosen, or a feed of many blocks."""

    name: str
    strategy: str
    block: str | None = None
    where: BlockFilter = BlockFilter()
    limit: int = 1
    weights: Mapping[str, float] = field(default_factory=dict)  # parts of the score, over the defaults
    diversity: float | None = None  # MMR: 0 ranks by score alone, 1 by difference alone

    @classmethod
    def from_document(cls, document: Document) -> "Slot":
        return cls(
            name=document["name"],
            strategy=document["strategy"],
            block=document.get("block"),
            where=BlockFilter.from_document(document.get("where", {})),
            limit=document.get("limit", 10 if document["strategy"] == "feed" else 1),
            weights=document.get("weights", {}),
            diversity=document.get("diversity"),
        )


@dataclass(frozen=True, slots=True)
class Page:
    slug: str
    title: str
    slots: tuple[Slot, ...]

    @classmethod
    def from_document(cls, document: Document) -> "Page":
        return cls(document["slug"], document["title"], tuple(map(Slot.from_document, document["slots"])))


def instant(text: str | None) -> datetime | None:
    """An RFC 3339 time; one without an offset is UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _names(value: str | list[str] | None) -> frozenset[str]:
    if value is None:
        return frozenset()
    return frozenset([value] if isinstance(value, str) else value)
