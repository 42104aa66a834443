"""Variants that are never the first to fit: right as content, and surely not what was meant."""

from collections.abc import Iterator

from content_blocks.conditions import compile_condition
from content_blocks.conditions.implications import implies
from content_blocks.conditions.nodes import Node
from gateway.core.bundles.documents import Bundle, Document
from gateway.core.bundles.problems import capped
from gateway.errors import Problem


def bundle_warnings(bundle: Bundle) -> list[Problem]:
    """Of a bundle that `check_bundle` found right: what may be saved, and should be looked at."""
    return capped(_warnings(bundle))


def _warnings(bundle: Bundle) -> Iterator[Problem]:
    for block, place in zip(bundle.documents["block"], bundle.places["block"], strict=True):
        for later, earlier in _shadowed(block.get("variants", ())):
            by = block["variants"][earlier]["key"]
            message = f"is never shown where rules choose: {by!r} before it fits whenever it does"
            yield Problem(f"{place}/variants/{later}", message, "SHADOWED")


def _shadowed(variants: list[Document]) -> Iterator[tuple[int, int]]:
    """A variant with a schedule or a locale leaves room for those after it, so it shadows nothing."""
    always: list[tuple[int, Node]] = []
    for i, variant in enumerate(variants if len(variants) > 1 else ()):
        node = compile_condition(variant.get("when")).node
        earlier = next((j for j, other in always if implies(node, other)), None)
        if earlier is not None:
            yield i, earlier
        elif not any(variant.get(limit) for limit in ("starts", "ends", "locale")):
            always.append((i, node))
