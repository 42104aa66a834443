"""Making a past choice again, from what was recorded, and explaining it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from content_blocks.assembly import Assembly
from content_blocks.blocks import BlockFilter
from gateway.core.asking import Ask, ask_of
from gateway.core.catalogue import Catalogue, CompiledPage, CompiledSlot, page_of_feed
from gateway.core.editions import Edition
from gateway.core.memory import Learning
from gateway.core.personalize import Choice, choose_page
from gateway.core.profiles import Clock, Profile
from gateway.core.reasons import Trace, traces
from gateway.core.records import Record, read_decision_id
from gateway.core.sealing import Sealer
from gateway.services.decisions import Decisions


@dataclass(frozen=True, slots=True)
class Replay:
    record: Record
    edition: Edition
    ask: Ask
    page: CompiledPage
    slot: CompiledSlot
    choice: Choice
    position: int
    assembly: Assembly[Choice]
    same: bool
    traces: list[Trace]


EditionOf = Callable[[str], Awaitable[Edition | None]]
ProfileOf = Callable[[str, Clock | None], Awaitable[Profile]]


class Replays:
    def __init__(
        self,
        decisions: Decisions,
        edition_of: EditionOf,
        profile_of: ProfileOf,
        learning: Learning,
        sealer: Sealer,
    ) -> None:
        """`edition_of(revision)` is the content and the signals of back then, if they are still kept."""
        self._decisions = decisions
        self._edition_of = edition_of
        self._profile_of = profile_of
        self._learning = learning
        self._sealer = sealer

    async def replay(self, decision: str) -> Replay | None:
        """None: not an id of ours, expired, erased, or not stored yet by the process that made it."""
        parts = read_decision_id(decision)
        if parts is None:
            return None
        bucket, number, slot, position = parts
        record = await self._decisions.find(bucket, number)
        if record is None or not record.slug or await self._erased(record):
            return None
        edition = await self._edition_of(record.revision)
        page = _page(edition.catalogue, record) if edition else None
        if edition is None or page is None or slot >= len(page.slots):
            return None
        return self._again(record, edition, page, page.slots[slot], position)

    async def _erased(self, record: Record) -> bool:
        """Whether its visitor was erased, and another process had not heard of it when it stored this."""
        then = record.profile(self._learning)
        if then is None:
            return False
        erased = (await self._profile_of(then.id, None)).memory.forgotten
        return erased is not None and (then.memory.forgotten or 0.0) < erased

    def _again(
        self, record: Record, edition: Edition, page: CompiledPage, slot: CompiledSlot, position: int
    ) -> Replay | None:
        ask = ask_of(
            edition.catalogue, record.context, frozenset(record.locales), record.profile(self._learning),
            record.granted(), record.share, record.segments,
        ).knowing(record.called, self._sealer, edition.signals.quantiles)  # fmt: skip
        assembly = choose_page(edition, page, ask)
        choices = assembly.picks[slot.name]
        if position >= len(choices):
            return None
        chosen = [
            (name, place, choice.variant.block.key, choice.variant.key)
            for name, picked in assembly.picks.items()
            for place, choice in enumerate(picked)
        ]
        return Replay(
            record=record,
            edition=edition,
            ask=ask,
            page=page,
            slot=slot,
            choice=choices[position],
            position=position,
            assembly=assembly,
            same=chosen == [tuple(place) for place in record.chosen],
            traces=traces(edition, page, slot, ask, assembly.picks),
        )


def _page(catalogue: Catalogue, record: Record) -> CompiledPage | None:
    if record.where is not None:
        return page_of_feed(catalogue, BlockFilter.from_document(record.where))
    return catalogue.pages.get(record.slug)
