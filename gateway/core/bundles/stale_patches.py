"""Where a block's data moved under a patch of one of its variants: the patch may no longer say what was meant."""

from collections.abc import Iterator

from content_blocks.patches import stale
from gateway.core.bundles.documents import Document
from gateway.errors import Problem


def stale_patches(before: Document, after: Document) -> list[Problem]:
    """Warnings on a block that is saved over `before`; a patch that was changed along with the data is meant."""
    return list(_stale(before, after))


def _stale(before: Document, after: Document) -> Iterator[Problem]:
    known = {variant["key"]: variant.get("patch") for variant in before.get("variants") or ()}
    for place, variant in enumerate(after.get("variants") or ()):
        patch = variant.get("patch")
        if not patch or known.get(variant["key"]) != patch:
            continue
        for pointer in stale(before["data"], after["data"], patch):
            message = f"{pointer} of the block changed, which this variant overrides; look at both"
            yield Problem(f"/blocks/0/variants/{place}/patch{pointer}", message, "STALE")
