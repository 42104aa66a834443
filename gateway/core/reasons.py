"""Why a variant was chosen, and what became of every other candidate. Worked out only for who asks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from content_blocks.blocks import DEFAULT
from content_blocks.conditions import FailedClause
from gateway.core.asking import Ask
from gateway.core.catalogue import CompiledPage, CompiledSlot, CompiledVariant
from gateway.core.editions import Edition, query_of
from gateway.core.personalize import Choice, first_eligible, similarities
from recommenders.features import WORD_PREFIX
from recommenders.interests import because
from schemas.vocabulary import Strategy

FEED_TRACES = 50  # candidates of a feed that are traced, besides those that are shown


@dataclass(frozen=True, slots=True)
class Trace:
    variant: CompiledVariant
    chosen: bool
    failed: FailedClause | None
    score: float | None
    parts: Mapping[str, float]
    summary: str

    @property
    def eligible(self) -> bool:
        return self.failed is None


@dataclass(frozen=True, slots=True)
class Because:
    summary: str
    matched: tuple[str, ...]
    similarity: float | None
    interests: Sequence[tuple[str, float]]


def why(edition: Edition, ask: Ask, choice: Choice) -> Because:
    """The reason of one choice."""
    similarity = _similarity(edition, ask, choice)
    interests = because(ask.taste, edition.catalogue.vector(choice.variant)) if similarity else []
    matched = choice.variant.eligibility.matched(ask.facts)
    return Because(_SUMMARIES[choice.strategy](choice, matched, interests), matched, similarity, interests)


def _similarity(edition: Edition, ask: Ask, choice: Choice) -> float | None:
    if not ask.taste or choice.strategy in {Strategy.RULES, Strategy.FALLBACK}:
        return None
    block = choice.variant.block
    return similarities(edition, block, ask)[block.variants.index(choice.variant)]


def _by_rules(choice: Choice, matched: Sequence[str], interests: Sequence[Any]) -> str:
    if choice.variant.key == DEFAULT:
        return "No variant's rule holds, so the default is shown."
    return f"The first variant whose rule holds: {' and '.join(matched) or 'it has none'}."


def _by_interest(choice: Choice, matched: Sequence[str], interests: Sequence[tuple[str, float]]) -> str:
    names = ", ".join(name.removeprefix(WORD_PREFIX) for name, _ in interests)
    return f"Of the eligible variants the nearest to the visitor's interests: {names}."


def _by_feed(choice: Choice, matched: Sequence[str], interests: Sequence[tuple[str, float]]) -> str:
    place = f"Ranked {(choice.rank or 0) + 1} of this feed"
    names = ", ".join(name.removeprefix(WORD_PREFIX) for name, _ in interests)
    return (
        f"{place}, near to the visitor's interests: {names}."
        if names
        else f"{place} by what all visitors do."
    )


def _fallen_back(choice: Choice, matched: Sequence[str], interests: Sequence[Any]) -> str:
    return "Choosing failed for this slot, so the default is shown."


_SUMMARIES = {
    Strategy.RULES: _by_rules,
    Strategy.INTEREST: _by_interest,
    Strategy.FEED: _by_feed,
    Strategy.FALLBACK: _fallen_back,
}


def traces(
    edition: Edition, page: CompiledPage, slot: CompiledSlot, ask: Ask, picks: Mapping[str, Sequence[Choice]]
) -> list[Trace]:
    """Every candidate of a slot: the variants of its block, or the leading blocks of its feed."""
    chosen = picks[slot.name]
    if slot.block is not None:
        return _variants(edition, slot, ask, chosen)
    elsewhere = {
        choice.block_key for name, choices in picks.items() if name != slot.name for choice in choices
    }
    return _blocks(edition, page, slot, ask, chosen, elsewhere)


def _variants(edition: Edition, slot: CompiledSlot, ask: Ask, chosen: Sequence[Choice]) -> list[Trace]:
    block = slot.block
    if block is None or not chosen:
        return []
    winner = chosen[0]
    scored = winner.strategy is Strategy.INTEREST
    scores = similarities(edition, block, ask) if scored else (None,) * len(block.variants)
    found = []
    for variant, score in zip(block.variants, scores, strict=True):
        failed = variant.eligibility.failed(ask.facts, ask.now, ask.locales)
        found.append(
            Trace(
                variant=variant,
                chosen=variant is winner.variant,
                failed=failed,
                score=score,
                parts={} if score is None else {"similarity": score},
                summary=_fate(variant, score, winner, failed),
            )
        )
    return found


def _fate(variant: CompiledVariant, score: float | None, winner: Choice, failed: FailedClause | None) -> str:
    if variant is winner.variant:
        return "Chosen."
    if failed is not None:
        return f"Not eligible: {failed.path} {failed.operator} {failed.expected!r} does not hold for {failed.actual!r}."
    if winner.strategy is Strategy.FALLBACK:
        return "Eligible, but choosing failed for this slot, so the default is shown."
    if winner.strategy is Strategy.INTEREST and score != winner.score:
        return f"Eligible, but {winner.variant.key} is nearer to the visitor's interests."
    return f"Eligible, but {winner.variant.key} comes first."


def _blocks(
    edition: Edition,
    page: CompiledPage,
    slot: CompiledSlot,
    ask: Ask,
    chosen: Sequence[Choice],
    elsewhere: Collection[str],
) -> list[Trace]:
    blocks = edition.catalogue.blocks
    shown = {choice.variant.block.key: choice.variant for choice in chosen}
    blend = edition.blend(slot.slot.weights)
    query = query_of(ask.profile, ask.now)
    order = edition.feed(page, slot, ask.profile, ask.now)
    order = order[: len(shown) + FEED_TRACES]
    parts = blend.parts_of(query, np.array([row for row, _ in order], np.intp)) if order else []
    found = []
    for rank, ((row, score), added) in enumerate(zip(order, parts, strict=True)):
        block = blocks[row]
        found.append(
            Trace(
                variant=shown.get(block.key) or first_eligible(block, ask),
                chosen=block.key in shown,
                failed=None,
                score=score,
                parts=added,
                summary=_place(rank, block.key in shown, block.key in elsewhere),
            )
        )
    return found


def _place(rank: int, shown: bool, elsewhere: bool) -> str:
    if shown:
        return f"Chosen: ranked {rank + 1}."
    if elsewhere:
        return f"Ranked {rank + 1}, but it stands in another slot of this page."
    return f"Ranked {rank + 1}, after those that are shown."
