"""The names that the documents of a bundle may refer to: the space's own, and those of the bundle."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import orjson

from content_blocks.block_types import BlockType, InvalidBlockType, compile_block_type
from content_blocks.blocks import DEFAULT
from content_blocks.conditions import check_condition
from gateway.core.bundles.documents import KINDS, Bundle, Document, Existing
from gateway.errors import Problem
from schemas.json_schemas import builtin_block_types

CACHED = 50_000  # conditions that are remembered, in one check


class Known:
    """Compiles each block type once, and checks each condition once however many variants have it."""

    def __init__(self, bundle: Bundle, existing: Existing) -> None:
        segments = bundle.documents["segment"]
        listing = [segment for segment in segments if segment.get("members")]
        groups = existing.segments if existing.groups is None else existing.groups
        self.segments = {*existing.segments, *_names("segment", segments)}
        self.groups = {*groups, *_names("segment", listing)}
        self.blocks = {*existing.blocks, *_names("block", bundle.documents["block"])}
        self.types = _types(bundle, existing)
        self._bundle = bundle
        self._compiled: dict[str, BlockType | None] = {}
        self._conditions: dict[bytes, list[Problem]] = {}

    def block_type(self, name: str) -> BlockType | None:
        """None when there is none, or when it is broken, which is said where it is defined."""
        if name not in self._compiled:
            self._compiled[name] = _compiled(self.types.get(name))
        return self._compiled[name]

    def condition_problems(self, when: Any, path: str) -> list[Problem]:
        text = orjson.dumps(when)
        if text not in self._conditions:
            if len(self._conditions) >= CACHED:
                self._conditions.clear()
            found = check_condition(when, known_groups=self.groups, known_segments=self.segments)
            self._conditions[text] = [Problem(p.path, p.message, p.code) for p in found]
        return [Problem(path + p.path, p.message, p.code) for p in self._conditions[text]]

    def variants(self, block: str) -> Collection[str] | None:
        """The variant keys of a block of this bundle; None for any other."""
        found = self._blocks.get(block)
        return None if found is None else {DEFAULT, *_names("segment", found.get("variants", ()))}

    @cached_property
    def _blocks(self) -> Mapping[str, Document]:
        return {str(document.get("key")): document for document in self._bundle.documents["block"]}


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    mend = f"did you mean {close[0]!r}?" if close else "define it first, or in this bundle"
    return f"no {what} {name!r}; {mend}"


def _names(kind: str, documents: Any) -> set[str]:
    """Of documents that may not have been checked yet."""
    listed = documents if isinstance(documents, list) else ()
    found = [document.get(KINDS[kind].identity) for document in listed if isinstance(document, dict)]
    return {name for name in found if isinstance(name, str)}


def _types(bundle: Bundle, existing: Existing) -> Mapping[str, Mapping[str, Any]]:
    """Documents of block types by name, the bundle's last: they replace what was there."""
    older = {document["name"]: document for document in builtin_block_types()} | dict(existing.block_types)
    newer = {
        document["name"]: document
        for document in bundle.documents["blockType"]
        if isinstance(document.get("name"), str)
    }
    return {name: document for name, document in older.items() if name not in newer} | newer


def _compiled(document: Any) -> BlockType | None:
    try:
        return compile_block_type(document) if document else None
    except (InvalidBlockType, KeyError, TypeError, AttributeError):
        return None
