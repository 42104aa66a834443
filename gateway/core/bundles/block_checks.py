"""A block: its data and that of every variant against the block type, its conditions, its schedules."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from content_blocks.block_types import BlockType
from content_blocks.blocks import DEFAULT, instant
from content_blocks.patches import merge
from gateway.core.bundles.documents import Document
from gateway.core.bundles.known import Known, unknown
from gateway.errors import Problem


def block_problems(block: Document, known: Known) -> Iterator[Problem]:
    if block["type"] not in known.types:
        yield Problem("/type", unknown("block type", block["type"], known.types), "UNKNOWN_TYPE")
    block_type = known.block_type(block["type"])
    own = block_type.problems(block["data"]) if block_type else []
    yield from (Problem("/data" + path, message) for path, message in own)
    yield from _instant_problems(block, "published", "")
    yield from _key_problems(block.get("variants", ()))
    for i, variant in enumerate(block.get("variants", ())):
        yield from _variant_problems(variant, f"/variants/{i}", known)
        if block_type and variant.get("patch"):
            yield from _patch_problems(
                block["data"], variant["patch"], f"/variants/{i}/patch", block_type, own
            )


def _variant_problems(variant: Document, path: str, known: Known) -> Iterator[Problem]:
    if variant.get("when"):
        yield from known.condition_problems(variant["when"], path + "/when")
    wrong = [*_instant_problems(variant, "starts", path), *_instant_problems(variant, "ends", path)]
    yield from wrong or _schedule_problems(instant(variant.get("starts")), instant(variant.get("ends")), path)


def _schedule_problems(starts: datetime | None, ends: datetime | None, path: str) -> Iterator[Problem]:
    if starts and ends and starts >= ends:
        yield Problem(path + "/ends", "must be later than `starts`, or it is never shown")


def _patch_problems(
    data: Document, patch: Document, path: str, block_type: BlockType, own: list[tuple[str, str]]
) -> Iterator[Problem]:
    """What is wrong with the block's own data is said once."""
    for place, message in block_type.problems(merge(data, patch)):
        if (place, message) not in own:
            yield Problem(path + place, f"{message}, once the patch is applied")


def _key_problems(variants: list[Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, variant in enumerate(variants):
        key = variant["key"]
        if key == DEFAULT:
            yield Problem(
                f"/variants/{i}/key",
                f"{DEFAULT!r} is the block's own data; choose another key",
                "RESERVED",
            )
        if key in seen:
            yield Problem(f"/variants/{i}/key", f"{key!r} is the key of an earlier variant", "DUPLICATE")
        seen.add(key)


def _instant_problems(document: Document, field: str, path: str) -> Iterator[Problem]:
    """The schema has looked at the form; a leap second, say, has the form and is no time of ours."""
    try:
        instant(document.get(field))
    except ValueError as error:
        yield Problem(f"{path}/{field}", f"is no time: {error}")
