"""Pages and experiments: slots that can be filled, arms that exist."""

from collections.abc import Iterator

from content_blocks.blocks import BlockFilter
from gateway.core.bundles.documents import Document
from gateway.core.bundles.known import Known, unknown
from gateway.errors import Problem
from recommenders.scorers import DEFAULT_WEIGHTS

AVAILABLE = ("rules", "interest", "feed")


def page_problems(page: Document, known: Known) -> Iterator[Problem]:
    names: set[str] = set()
    blocks: set[str] = set()
    for i, slot in enumerate(page["slots"]):
        path = f"/slots/{i}"
        yield from _slot_problems(slot, path, known)
        if slot["name"] in names:
            yield Problem(f"{path}/name", f"{slot['name']!r} is the name of an earlier slot", "DUPLICATE")
        if slot.get("block") in blocks:
            yield Problem(
                f"{path}/block", f"{slot['block']!r} is in an earlier slot of this page", "DUPLICATE"
            )
        names.add(slot["name"])
        blocks |= {slot["block"]} if "block" in slot else set()


def _slot_problems(slot: Document, path: str, known: Known) -> Iterator[Problem]:
    if message := _misfit(slot):
        yield Problem(f"{path}/strategy", message, "STRATEGY")
    if "block" in slot and slot["block"] not in known.blocks:
        yield Problem(f"{path}/block", unknown("block", slot["block"], known.blocks), "UNKNOWN_BLOCK")
    yield from _filter_problems(slot.get("where", {}), f"{path}/where", known)
    for name in slot.get("weights", {}):
        if name not in DEFAULT_WEIGHTS:
            message = f"no part of the score is called {name!r}; there are {', '.join(DEFAULT_WEIGHTS)}"
            yield Problem(f"{path}/weights", message)


def _misfit(slot: Document) -> str | None:
    strategy, has_block, has_filter = slot["strategy"], "block" in slot, "where" in slot
    if strategy not in AVAILABLE:
        return f"{strategy!r} is not available yet; use {', '.join(AVAILABLE[:-1])} or {AVAILABLE[-1]}"
    if strategy == "feed":
        return (
            "a feed takes its blocks by `where`; for one block use rules or interest" if has_block else None
        )
    if has_block and has_filter:
        return "give either `block` or `where`"
    if strategy == "rules" and not has_block:
        return "rules choose among the variants of a `block`: name it, or use interest or feed"
    return None if has_block or has_filter else f"{strategy} needs a `block`, or `where` to find one"


def _filter_problems(where: Document, path: str, known: Known) -> Iterator[Problem]:
    wanted = BlockFilter.from_document(where)
    for name in sorted(wanted.types - known.types.keys()):
        yield Problem(f"{path}/type", unknown("block type", name, known.types), "UNKNOWN_TYPE")
    for key in sorted(wanted.keys - known.blocks):
        yield Problem(f"{path}/keys", unknown("block", key, known.blocks), "UNKNOWN_BLOCK")


def experiment_problems(experiment: Document, known: Known) -> Iterator[Problem]:
    block, arms = experiment["block"], [arm["variant"] for arm in experiment["arms"]]
    if block not in known.blocks:
        yield Problem("/block", unknown("block", block, known.blocks), "UNKNOWN_BLOCK")
    variants = known.variants(block)
    for i, arm in enumerate(arms):
        if variants is not None and arm not in variants:
            yield Problem(f"/arms/{i}/variant", unknown("variant", arm, variants), "UNKNOWN_VARIANT")
        if arm in arms[:i]:
            yield Problem(f"/arms/{i}/variant", f"{arm!r} is an earlier arm", "DUPLICATE")
    weights = sum(arm["weight"] for arm in experiment["arms"])
    if abs(weights - 1) > 1e-6:
        yield Problem("/arms", f"have weights that add up to {weights:g}; they must add up to 1")
