"""Is a bundle right? Asked of the whole, before any of it is saved."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache

from content_blocks.block_types import InvalidBlockType, compile_block_type
from content_blocks.conditions import compile_condition
from content_blocks.json_schema import Schema
from gateway.core.bundles.block_checks import block_problems
from gateway.core.bundles.documents import KINDS, Bundle, Document, Existing
from gateway.core.bundles.event_documents import event_problems
from gateway.core.bundles.known import Known
from gateway.core.bundles.limits import limit_problems
from gateway.core.bundles.page_checks import experiment_problems, page_problems
from gateway.core.bundles.problems import capped
from gateway.errors import Problem
from schemas.json_schemas import kind_schema
from schemas.typed_blocks import RESERVED, clashes

Progress = Callable[[int, int], None]

STEP = 500  # documents between two calls of `on_progress`


def check_bundle(
    bundle: Bundle,
    existing: Existing | None = None,
    on_progress: Progress | None = None,
    reserved: Collection[str] = RESERVED,
) -> list[Problem]:
    """All that is wrong, each with its place, at most 1,000 and a count of the rest; empty when it may be
    saved. `reserved` are GraphQL type names that no block type may take. About 20 microseconds a block.
    """
    return capped(_problems(bundle, Known(bundle, existing or Existing()), on_progress, frozenset(reserved)))


def _problems(
    bundle: Bundle, known: Known, on_progress: Progress | None, reserved: Collection[str]
) -> Iterator[Problem]:
    done, total = 0, len(bundle)
    for kind in KINDS:
        seen: dict[str, str] = {}
        for document, place in zip(bundle.documents[kind], bundle.places[kind], strict=True):
            for found in _document_problems(kind, document, known, reserved):
                yield Problem(place + found.path, found.message, found.code)
            yield from _repeats(kind, document, place, seen)
            done += 1
            if on_progress and done % STEP == 0:
                on_progress(done, total)
        if kind == "blockType" and bundle.documents[kind]:
            yield from _clash_problems(bundle, known, reserved)
    if on_progress:
        on_progress(total, total)


def _document_problems(
    kind: str, document: Document, known: Known, reserved: Collection[str]
) -> list[Problem]:
    """What a document may refer to is looked at only when its shape is right."""
    found = limit_problems(document)
    if not found:
        found = [Problem(path, message) for path, message in _schema(kind).problems(document)]
    if not found and kind == "blockType":
        return _type_problems(document, reserved)
    if not found and kind in _CHECKS:
        return list(_CHECKS[kind](document, known))
    return found


@cache
def _schema(kind: str) -> Schema:
    return Schema(kind_schema(kind))


def _repeats(kind: str, document: Document, place: str, seen: dict[str, str]) -> Iterator[Problem]:
    identity = KINDS[kind].identity
    name = document.get(identity)
    if kind == "event" or not isinstance(name, str):
        return  # a repeated event changes nothing
    if name in seen:
        yield Problem(f"{place}/{identity}", f"{name!r} is there already, at {seen[name]}", "DUPLICATE")
    seen.setdefault(name, place)


def _type_problems(document: Document, reserved: Collection[str]) -> list[Problem]:
    try:
        compile_block_type(document, reserved)
    except InvalidBlockType as error:
        return [Problem(path, message) for path, message in error.problems]
    return []


def _clash_problems(bundle: Bundle, known: Known, reserved: Collection[str]) -> Iterator[Problem]:
    sound = {name: document["schema"] for name, document in known.types.items() if known.block_type(name)}
    places = {
        str(document.get("name")): place
        for document, place in zip(bundle.documents["blockType"], bundle.places["blockType"], strict=True)
    }
    for clash in clashes(sound, reserved):
        if clash.type_b in places:
            yield Problem(f"{places[clash.type_b]}/schema", f"{clash.field} {clash.message}", "CLASH")


def _segment_problems(segment: Document, known: Known) -> Iterator[Problem]:
    when = segment.get("when")
    if when is None and not segment.get("members"):
        yield Problem("", "needs a condition `when`, or a list of `members`")
    found = known.condition_problems(when, "/when")
    yield from found
    if not found and "segments" in compile_condition(when).reads:
        yield Problem("/when", "asks for segments, but segments are found before; repeat their conditions")


_CHECKS: Mapping[str, Callable[[Document, Known], Iterator[Problem]]] = {
    "segment": _segment_problems,
    "block": block_problems,
    "page": page_problems,
    "experiment": experiment_problems,
    "event": event_problems,
}
