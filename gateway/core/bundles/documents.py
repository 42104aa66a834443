"""A bundle: the documents of a space by kind, and where each of them was read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Document = dict[str, Any]


class Kind(NamedTuple):
    plural: str  # its key in a bundle
    identity: str  # the field that names a document


# In the order in which they are loaded: each kind refers to earlier ones only.
KINDS: Mapping[str, Kind] = {
    "blockType": Kind("blockTypes", "name"),
    "segment": Kind("segments", "key"),
    "block": Kind("blocks", "key"),
    "page": Kind("pages", "slug"),
    "experiment": Kind("experiments", "key"),
    "event": Kind("events", "id"),
}
PLURALS: Mapping[str, str] = {kind.plural: name for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Bundle:
    """Every kind is there, perhaps with no documents. A place ends where a JSON Pointer can go on:
    `/blocks/3`, `shop.yaml#/blocks/3` or `events.ndjson:17#`."""

    documents: Mapping[str, list[Document]]
    places: Mapping[str, list[str]] = field(compare=False)

    @classmethod
    def of(cls, documents: Mapping[str, Iterable[Document]]) -> "Bundle":
        """From documents at hand, such as the input of a mutation."""
        whole = {kind: list(documents.get(kind, ())) for kind in KINDS}
        places = {
            kind: [f"/{KINDS[kind].plural}/{i}" for i in range(len(found))] for kind, found in whole.items()
        }
        return cls(whole, places)

    def __len__(self) -> int:
        return sum(map(len, self.documents.values()))


@dataclass(frozen=True, slots=True)
class Existing:
    """What the space has already, and a bundle may refer to."""

    block_types: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # documents, by name
    blocks: Mapping[str, str] = field(default_factory=dict)  # block types, by key
    segments: Collection[str] = frozenset()
    pages: Collection[str] = frozenset()
    groups: Collection[str] | None = None  # segments that list members; None: any of them may


def merge_bundles(bundles: Iterable[Bundle]) -> Bundle:
    """One bundle of several files, in their order; what two of them define is found by the check."""
    parts = list(bundles)
    return Bundle(
        {kind: [document for part in parts for document in part.documents[kind]] for kind in KINDS},
        {kind: [place for part in parts for place in part.places[kind]] for kind in KINDS},
    )
