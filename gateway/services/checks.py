"""Is content right, together with what is there already? Asked before anything of it is written."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import orjson

from gateway.core.bundles import Bundle, Existing, bundle_warnings, check_bundle
from gateway.errors import InvalidContent, Problem
from gateway.services.shelf import Shelf
from gateway.storage import content
from gateway.storage.drafts import Draft
from schemas.json_schemas import builtin_block_types

Progress = Callable[[int, int], None]


class Checks:
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def check(
        self,
        bundle: Bundle,
        existing: Existing,
        on_progress: Progress | None = None,
        wrong: Sequence[Problem] = (),
    ) -> Sequence[Problem]:
        """The warnings. Raises InvalidContent with all that is wrong, `wrong` among it."""
        problems = [*wrong, *await asyncio.to_thread(check_bundle, bundle, existing, on_progress)]
        if problems:
            raise InvalidContent(_summary(problems), problems)
        return bundle_warnings(bundle)

    async def result(self, entries: Sequence[content.Entry]) -> Sequence[Problem]:
        """Would everything published still be right? Asked of all of it, since a removal reaches far."""
        bundle = await asyncio.to_thread(self._result, entries)
        await self.check(bundle, Existing(block_types=_built_in_types()))
        return bundle_warnings(_bundle((entry.kind, entry.body) for entry in entries if entry.body))

    def _result(self, entries: Sequence[content.Entry]) -> Bundle:
        bodies = {ref: entry.body for ref, entry in self._shelf.edition.catalogue.entries.items()}
        for entry in entries:
            bodies.pop((entry.kind, entry.key), None)
            if entry.body is not None:
                bodies[entry.kind, entry.key] = entry.body
        return _bundle((kind, body) for (kind, _), body in bodies.items())

    def dependents(self, bundle: Bundle, drafts: Iterable[Draft]) -> Bundle:
        """The bundle, with the blocks that are there already of the block types it changes."""
        changed = {document.get("name") for document in bundle.documents["blockType"]}
        if not changed:
            return bundle
        here = {block.get("key") for block in bundle.documents["block"]}
        others = [
            document for document in self._block_documents(changed, drafts) if document["key"] not in here
        ]
        blocks = [*bundle.documents["block"], *others]
        places = [
            *bundle.places["block"],
            *(f"the block {document['key']}, already there: " for document in others),
        ]
        return Bundle({**bundle.documents, "block": blocks}, {**bundle.places, "block": places})

    def _block_documents(self, types: Collection[Any], drafts: Iterable[Draft]) -> Iterable[dict[str, Any]]:
        catalogue = self._shelf.edition.catalogue
        bodies = {
            block.key: catalogue.entries["block", block.key].body
            for block in catalogue.blocks
            if block.type in types
        }
        bodies |= {draft.key: draft.body for draft in drafts if draft.kind == "block"}
        return [document for body in bodies.values() if (document := orjson.loads(body))["type"] in types]

    def existing(self, drafts: Iterable[Draft]) -> Existing:
        """What is published, and what these drafts add to it."""
        catalogue = self._shelf.edition.catalogue
        documents = {
            kind: {draft.key: orjson.loads(draft.body) for draft in drafts if draft.kind == kind}
            for kind in ("blockType", "block", "segment", "page")
        }
        types = {
            key: entry.document for (kind, key), entry in catalogue.entries.items() if kind == "blockType"
        }
        drafted = {key: document["type"] for key, document in documents["block"].items()}
        return Existing(
            block_types=_built_in_types() | types | documents["blockType"],
            blocks={block.key: block.type for block in catalogue.blocks} | drafted,
            segments={segment.key for segment in catalogue.segments} | documents["segment"].keys(),
            pages=catalogue.pages.keys() | documents["page"].keys(),
        )


def _built_in_types() -> dict[str, Any]:
    return {document["name"]: document for document in builtin_block_types()}


def _bundle(parts: Iterable[tuple[str, bytes]]) -> Bundle:
    documents: dict[str, list[dict[str, Any]]] = {}
    for kind, body in parts:
        documents.setdefault(kind, []).append(orjson.loads(body))
    return Bundle.of(documents)


def _summary(problems: Sequence[Problem]) -> str:
    first = "; ".join(str(problem) for problem in problems[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return f"nothing was saved, since {len(problems)} things are wrong: {first}{more}"
