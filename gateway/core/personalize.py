"""Choosing a page: for each slot the block variants that suit this visitor, here and now. No I/O."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import NamedTuple, cast

from content_blocks.assembly import Assembly, assemble
from gateway.core.asking import Ask
from gateway.core.catalogue import CompiledBlock, CompiledPage, CompiledSlot, CompiledVariant
from gateway.core.editions import Edition
from schemas.vocabulary import Strategy


class Choice(NamedTuple):
    variant: CompiledVariant
    strategy: Strategy
    score: float | None = None
    similarity: float | None = None
    rank: int | None = None  # its place in the order of a feed, from 0

    @property
    def block_key(self) -> str:
        return self.variant.block.key


def choose_page(edition: Edition, page: CompiledPage, ask: Ask) -> Assembly[Choice]:
    """The page; the same object again for whoever cannot be told apart (see core/dependence)."""
    key = None if page.dependence is None or ask.forced is not None else page.dependence.key(ask)
    if key is None:
        return _choose(edition, page, ask)
    memo = edition.memo(ask.profile)
    kept = memo.get((page, key))
    if kept is None:
        kept = _choose(edition, page, ask)
        if not kept.failures:  # what failed is tried again
            memo.put((page, key), kept)
    return cast(Assembly[Choice], kept)


def _choose(edition: Edition, page: CompiledPage, ask: Ask) -> Assembly[Choice]:
    return assemble(page.slots, partial(choose_slot, edition, page, ask), fallback)


def choose_slot(
    edition: Edition, page: CompiledPage, ask: Ask, slot: CompiledSlot, taken: Collection[str]
) -> list[Choice]:
    return STRATEGIES[slot.slot.strategy](edition, page, ask, slot, taken)


def fallback(slot: CompiledSlot) -> list[Choice]:
    return [Choice(slot.block.default, Strategy.FALLBACK)] if slot.block else []


def first_eligible(block: CompiledBlock, ask: Ask) -> CompiledVariant:
    """The default is always eligible and stands last."""
    facts, now, locales = ask.facts, ask.now, ask.locales
    for variant in block.variants:
        if variant.eligibility.admits(facts, now, locales):
            return variant
    return block.default


def by_rules(
    edition: Edition, page: CompiledPage, ask: Ask, slot: CompiledSlot, taken: Collection[str]
) -> list[Choice]:
    return [Choice(first_eligible(_block(slot), ask), Strategy.RULES)]


def by_interest(
    edition: Edition, page: CompiledPage, ask: Ask, slot: CompiledSlot, taken: Collection[str]
) -> list[Choice]:
    """Nearest eligible variant; ties and strangers go by the editor's order. Without a block, the best of many."""
    if slot.slot.block is None:
        return by_feed(edition, page, ask, slot, taken)
    block = _block(slot)
    nearness = similarities(edition, block, ask)
    eligible = [
        (similarity, variant)
        for similarity, variant in zip(nearness, block.variants, strict=True)
        if variant.eligibility.admits(ask.facts, ask.now, ask.locales)
    ]
    similarity, variant = max(eligible, key=lambda pair: pair[0])
    if similarity <= 0.0:
        return by_rules(edition, page, ask, slot, taken)
    return [Choice(variant, Strategy.INTEREST, score=similarity, similarity=similarity)]


def similarities(edition: Edition, block: CompiledBlock, ask: Ask) -> tuple[float, ...]:
    """Cosine of the visitor's interests and each variant; kept for this state of the profile."""
    taste = ask.taste
    if not taste or ask.profile is None:
        return (0.0,) * len(block.variants)
    memo = edition.memo(ask.profile)
    key = (block.key, ask.share, ask.profile.active(ask.now))
    nearness: tuple[float, ...] | None = memo.get(key)
    if nearness is None:
        nearness = memo.put(key, edition.catalogue.nearness(taste, block))
    return nearness


def by_feed(
    edition: Edition, page: CompiledPage, ask: Ask, slot: CompiledSlot, taken: Collection[str]
) -> list[Choice]:
    blocks = edition.catalogue.blocks
    choices: list[Choice] = []
    for rank, (row, score) in enumerate(edition.feed(page, slot, ask.profile, ask.now)):
        if len(choices) == slot.slot.limit:
            break
        if (block := blocks[row]).key not in taken:
            choices.append(Choice(first_eligible(block, ask), Strategy.FEED, score=score, rank=rank))
    return choices


def _block(slot: CompiledSlot) -> CompiledBlock:
    if slot.block is None:
        raise LookupError(f"slot {slot.name} names a block that is not published")
    return slot.block


Chooser = Callable[[Edition, CompiledPage, Ask, CompiledSlot, Collection[str]], list[Choice]]
# Experiments and bandits will have their line here.
STRATEGIES: Mapping[str, Chooser] = {"rules": by_rules, "interest": by_interest, "feed": by_feed}
