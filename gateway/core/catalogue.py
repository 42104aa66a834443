"""All published content of a space, compiled: one immutable value, replaced whole at each publish."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from content_blocks.block_types import BlockType, compile_block_type
from content_blocks.blocks import DEFAULT, Block, BlockFilter, Document, Page, Slot, Variant
from content_blocks.eligibility import Eligibility
from content_blocks.patches import merge
from gateway.core.dependence import Dependence
from gateway.core.segments import Groups, Segment, compile_segment, groups_of
from recommenders.feature_index import FeatureIndex
from recommenders.features import FeatureSpace, Terms
from recommenders.text import text_of, words

Rows = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One published document, and the revision that brought it."""

    kind: str
    key: str
    revision: int
    body: bytes

    @property
    def document(self) -> Document:
        return orjson.loads(self.body)  # type: ignore[no-any-return]


@dataclass(slots=True, eq=False)
class CompiledVariant:
    """`json` is its data, ready to stand in an answer: `orjson.dumps` copies it as it is."""

    block: "CompiledBlock"
    key: str
    body: bytes  # the same data: a fragment cannot be read
    added: Mapping[str, float]  # tags, beside its block's
    eligibility: Eligibility
    json: orjson.Fragment = field(init=False)
    content: Any = None  # typed by the schema that first asked for it (gateway/api/words), and kept

    def __post_init__(self) -> None:
        self.json = orjson.Fragment(self.body)

    @property
    def data(self) -> Document:
        """Decoded anew at each look: choosing and answering never look."""
        return orjson.loads(self.body)  # type: ignore[no-any-return]

    @property
    def tags(self) -> Mapping[str, float]:
        tags = self.block.tags
        return {**tags, **self.added} if self.added else tags

    @property
    def terms(self) -> Terms:
        return terms_of(self.tags, self.data)


@dataclass(slots=True, eq=False)
class CompiledBlock:
    """A block with its variants in the editor's order, the default last."""

    key: str
    block_type: BlockType
    revision: int
    boost: float
    published: float | None
    terms: Terms
    variants: tuple[CompiledVariant, ...] = ()

    @property
    def type(self) -> str:
        return self.block_type.name

    @property
    def tags(self) -> Mapping[str, float]:
        return self.terms.tags

    @property
    def default(self) -> CompiledVariant:
        return self.variants[-1]

    def variant(self, key: str) -> CompiledVariant | None:
        return next((variant for variant in self.variants if variant.key == key), None)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledSlot:
    slot: Slot
    block: CompiledBlock | None
    rows: Rows  # the blocks that a feed may take

    @property
    def name(self) -> str:
        return self.slot.name

    @property
    def fixed(self) -> bool:
        return self.block is not None


@dataclass(frozen=True, slots=True, eq=False)
class CompiledPage:
    slug: str
    title: str
    revision: int
    slots: tuple[CompiledSlot, ...]
    capacity: int  # blocks that the page shows at the most
    dependence: Dependence | None  # None: choose it anew each time


@dataclass(frozen=True, eq=False)
class Catalogue:
    revision: int
    entries: Mapping[tuple[str, str], Entry]
    types: Mapping[str, BlockType]
    segments: tuple[Segment, ...]
    groups: Groups
    blocks: tuple[CompiledBlock, ...]  # by key; their places are the rows of the index
    pages: Mapping[str, CompiledPage]
    space: FeatureSpace
    index: FeatureIndex

    @cached_property
    def by_key(self) -> Mapping[str, CompiledBlock]:
        return {block.key: block for block in self.blocks}

    @cached_property
    def _vectors(self) -> dict[str, FeatureIndex]:
        return {}

    def _variants(self, block: CompiledBlock) -> FeatureIndex:
        """The vectors of a block's variants; made at first need and kept."""
        if block.key not in self._vectors:
            terms = [variant.terms for variant in block.variants]
            self._vectors[block.key] = FeatureIndex.build(self.space, terms)
        return self._vectors[block.key]

    def vector(self, variant: CompiledVariant) -> Mapping[str, float]:
        """The named unit vector of what this variant shows."""
        return self._variants(variant.block).row(variant.block.variants.index(variant))

    def nearness(self, taste: Mapping[str, float], block: CompiledBlock) -> tuple[float, ...]:
        """The cosine of a unit vector with each variant of the block."""
        index = self._variants(block)
        near = index.scores_of(index.located(taste), np.arange(len(index)))
        return tuple(near.clip(-1.0, 1.0).tolist())

    def features(self, block: str | None, variant: str | None) -> Mapping[str, float] | None:
        """What an event about this block teaches; None when the block is not published."""
        found = self.by_key.get(block) if block else None
        if found is None:
            return None
        shown = found.variant(variant) if variant else None
        return self.vector(shown or found.default)

    @cached_property
    def types_signature(self) -> str:
        """Equal for catalogues with the same block types."""
        schemas = {name: block_type.schema for name, block_type in self.types.items()}
        return hashlib.sha256(orjson.dumps(schemas, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @cached_property
    def feeds(self) -> dict[BlockFilter, CompiledPage]:
        """Pages of one feed, by its filter, as they were asked for (see `page_of_feed`)."""
        return {}

    def rows(self, where: BlockFilter) -> Rows:
        return np.array([row for row, block in enumerate(self.blocks) if where.admits(block)], dtype=np.intp)


ALWAYS = Eligibility.of(Variant(DEFAULT))
FEED = "recommendations"
MOST_RECOMMENDED = 100
FILTERS_KEPT = 64


def page_of_feed(catalogue: Catalogue, where: BlockFilter) -> CompiledPage:
    """A page made on the spot, of one feed: recommendations are chosen as pages are."""
    made = catalogue.feeds
    if where not in made:
        if len(made) >= FILTERS_KEPT:
            made.clear()
        slot = CompiledSlot(
            Slot(FEED, "feed", where=where, limit=MOST_RECOMMENDED), None, catalogue.rows(where)
        )
        made[where] = _page(Page(FEED, "", ()), 0, (slot,), catalogue)
    return made[where]


def where_of(page: CompiledPage) -> Mapping[str, list[str]] | None:
    """The filter of a page that was made on the spot, as a bundle has it."""
    if page.revision:
        return None
    where = page.slots[0].slot.where
    parts = {"type": where.types, "tags": where.tags, "keys": where.keys, "exclude": where.exclude}
    return {name: sorted(names) for name, names in parts.items() if names}


def terms_of(tags: Mapping[str, float], data: Document) -> Terms:
    return Terms(tags, words(text_of(data)))


def compile_catalogue(
    revision: int,
    entries: Iterable[Entry],
    builtin: Sequence[Document] = (),
    previous: Catalogue | None = None,
) -> Catalogue:
    """Compile what is published. What did not change since `previous` is taken over, not compiled again."""
    known = {(entry.kind, entry.key): entry for entry in entries}
    kinds: dict[str, list[Entry]] = {}
    for entry in sorted(known.values(), key=lambda entry: entry.key):
        kinds.setdefault(entry.kind, []).append(entry)
    types = _types(kinds.get("blockType", ()), builtin)
    segments = [entry.document for entry in kinds.get("segment", ())]
    groups = groups_of(segments)
    reusable = _reusable(previous, kinds, groups)
    blocks = tuple(_block(entry, types, groups, reusable.get(entry.key)) for entry in kinds.get("block", ()))
    terms = [block.terms for block in blocks]
    space = FeatureSpace.fit(terms)
    catalogue = Catalogue(
        revision=revision,
        entries=known,
        types=types,
        segments=tuple(compile_segment(document, groups) for document in segments),
        groups=groups,
        blocks=blocks,
        pages={},
        space=space,
        index=FeatureIndex.build(space, terms),
    )
    return replace(catalogue, pages=_pages(kinds.get("page", ()), catalogue))


def _types(entries: Iterable[Entry], builtin: Sequence[Document]) -> Mapping[str, BlockType]:
    documents = [*builtin, *(entry.document for entry in entries)]
    return {document["name"]: compile_block_type(document) for document in documents}


def _reusable(
    previous: Catalogue | None, kinds: Mapping[str, list[Entry]], groups: Groups
) -> Mapping[str, CompiledBlock]:
    """Compiled blocks stay right while neither the block types nor the groups of conditions moved."""
    if previous is None or previous.groups != groups:
        return {}
    now = {(entry.key, entry.revision) for entry in kinds.get("blockType", ())}
    before = {(key, entry.revision) for (kind, key), entry in previous.entries.items() if kind == "blockType"}
    return previous.by_key if now == before else {}


def _block(
    entry: Entry, types: Mapping[str, BlockType], groups: Groups, before: CompiledBlock | None
) -> CompiledBlock:
    if before is not None and before.revision == entry.revision:
        return before
    block = Block.from_document(entry.document)
    compiled = CompiledBlock(
        key=block.key,
        block_type=types[block.type],
        revision=entry.revision,
        boost=block.boost,
        published=block.published.timestamp() if block.published else None,
        terms=terms_of(block.tags, block.data),
    )
    default = CompiledVariant(compiled, DEFAULT, _json(block.data), {}, ALWAYS)
    compiled.variants = (*(_variant(compiled, block, variant, groups) for variant in block.variants), default)
    return compiled


def _variant(compiled: CompiledBlock, block: Block, variant: Variant, groups: Groups) -> CompiledVariant:
    return CompiledVariant(
        block=compiled,
        key=variant.key,
        body=_json(merge(block.data, variant.patch)),
        added=variant.tags,
        eligibility=Eligibility.of(variant, groups),
    )


def _json(data: Document) -> bytes:
    """A copy: what `orjson.dumps` returns holds four kilobytes at the least, however short it is."""
    return bytes(memoryview(orjson.dumps(data)))


def _pages(entries: Iterable[Entry], catalogue: Catalogue) -> Mapping[str, CompiledPage]:
    admitted: dict[BlockFilter, Rows] = {}  # slots often share a filter

    def rows(slot: Slot) -> Rows:
        if slot.block is not None:
            return np.empty(0, np.intp)
        if slot.where not in admitted:
            admitted[slot.where] = catalogue.rows(slot.where)
        return admitted[slot.where]

    def compiled(entry: Entry) -> CompiledPage:
        page = Page.from_document(entry.document)
        slots = tuple(
            CompiledSlot(slot, catalogue.by_key.get(slot.block) if slot.block else None, rows(slot))
            for slot in page.slots
        )
        return _page(page, entry.revision, slots, catalogue)

    return {entry.key: compiled(entry) for entry in entries}


def _page(page: Page, revision: int, slots: tuple[CompiledSlot, ...], catalogue: Catalogue) -> CompiledPage:
    blocks = [slot.block for slot in slots if slot.block is not None]
    rows = np.unique(np.concatenate([np.empty(0, np.intp), *(slot.rows for slot in slots)]))
    blocks += [catalogue.blocks[row] for row in rows.tolist()]
    rules = [variant.eligibility for block in blocks for variant in block.variants[:-1]]
    return CompiledPage(
        slug=page.slug,
        title=page.title,
        revision=revision,
        slots=slots,
        capacity=sum(slot.slot.limit for slot in slots),
        dependence=Dependence.of(rules, catalogue.segments, feeds=bool(len(rows))),
    )
