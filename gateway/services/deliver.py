"""Delivering a page: load the visitor's profile, ask the core, answer. Nothing is written before the answer."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from content_blocks.assembly import Assembly
from content_blocks.blocks import BlockFilter
from gateway.core.asking import Ask, ask_of
from gateway.core.catalogue import CompiledPage, page_of_feed, where_of
from gateway.core.consent import Said
from gateway.core.context import Context
from gateway.core.editions import Edition
from gateway.core.memory import blank
from gateway.core.personalize import Choice, choose_page
from gateway.core.profiles import Clock, Profile, stranger
from gateway.core.pseudonyms import Pseudonym
from gateway.core.records import Record, remembered
from gateway.core.sealing import Sealer
from gateway.core.terms import Defaults, Terms
from gateway.errors import StoreUnavailable
from gateway.services.people import People
from gateway.settings import Settings
from recommenders.interests import Interests
from schemas.vocabulary import Basis, Purpose

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds that a page waits for its visitor's profile


@dataclass(frozen=True, slots=True)
class Preview:
    """What an editor sets in place of a visitor's own."""

    interests: Mapping[str, float] | None = None
    segments: tuple[str, ...] | None = None
    drafts: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and under which circumstances."""

    context: Context
    visitor: Pseudonym | None = None
    at_least: Clock | None = None
    preview: Preview = field(default_factory=Preview)
    called: str | None = None  # the visitor's id as the client has it
    said: Said = field(default_factory=dict)  # what the request itself says of consent


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as it was chosen; a plain value that the API words."""

    page: CompiledPage
    edition: Edition
    ask: Ask
    basis: Basis
    locale: str
    assembly: Assembly[Choice]
    context: Mapping[str, Any]  # the request's facts, without the visitor's
    purposes: tuple[Purpose, ...]
    segments: tuple[str, ...] | None  # set by a preview
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Circumstances:
    ask: Ask
    basis: Basis
    purposes: tuple[Purpose, ...]
    degraded: bool


class Delivery:
    def __init__(self, profiles: People, settings: Settings, sealer: Sealer) -> None:
        self._profiles = profiles
        self._defaults = Defaults(settings.consent, settings.consent_countries)
        self._sealer = sealer
        self._share = settings.now_share
        self._learning = settings.learning
        self._missed: tuple[str, Clock | None] | None = None  # what the store did not answer

    async def page(self, edition: Edition, slug: str, asked: Asked) -> Answer | None:
        page = edition.catalogue.pages.get(slug)
        return await self._answer(edition, page, asked) if page else None

    async def _answer(self, edition: Edition, page: CompiledPage, asked: Asked) -> Answer:
        found = await self.circumstances(edition, asked)
        assembly = choose_page(edition, page, found.ask)
        for slot, error in assembly.failures:
            log.error("slot %s of page %s shows its default", slot, page.slug, exc_info=error)
        return Answer(
            page=page,
            edition=edition,
            ask=found.ask,
            basis=found.basis,
            locale=asked.context.locale,
            assembly=assembly,
            context=asked.context.facts,
            purposes=found.purposes,
            segments=asked.preview.segments,
            degraded=found.degraded,
        )

    async def recommendations(self, edition: Edition, where: BlockFilter, asked: Asked) -> Answer:
        """All that `where` admits, best first: a page of one feed."""
        page = page_of_feed(edition.catalogue, where)
        return await self._answer(edition, page, asked)

    async def circumstances(self, edition: Edition, asked: Asked) -> Circumstances:
        """The visitor's profile where it may and can be used, and the facts that conditions read."""
        context = asked.context
        profile, degraded = await self._profile(asked)
        purposes: tuple[Purpose, ...] = ()
        if profile is not None:
            purposes = self._terms(asked).granted(profile.memory.consents)
            if Purpose.PERSONALIZATION not in purposes:
                profile = None
        if asked.preview.interests is not None:
            profile = self._persona(asked.visitor or "preview", asked.preview.interests, context.now)
        ask = ask_of(
            edition.catalogue, context.facts, context.locales, profile, purposes, self._share,
            asked.preview.segments,
        ).knowing(asked.called, self._sealer, edition.signals.quantiles)  # fmt: skip
        basis = Basis.PERSONAL if profile is not None else Basis.CONTEXTUAL
        return Circumstances(ask, basis, purposes, degraded)

    def _terms(self, asked: Asked) -> Terms:
        context = asked.context
        return Terms(self._defaults.of(context.facts["geo"].get("country")), context.gpc, asked.said)

    async def _profile(self, asked: Asked) -> tuple[Profile | None, bool]:
        """(profile, whether the store failed us)."""
        if asked.visitor is None or asked.context.bot:
            return None, False
        cached = self._profiles.cached(asked.visitor, asked.at_least)
        if cached is not None:
            return cached, False
        if self._missed is not None:
            return None, True
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._profiles.get(asked.visitor, asked.at_least), False
        except (StoreUnavailable, TimeoutError) as error:
            if self._missed is None:
                log.warning("pages are chosen without profiles: %s", error or "the store is too slow")
            self._missed = asked.visitor, asked.at_least
            return None, True

    async def look(self) -> None:
        """Ask a store again that did not answer; called again and again, so that no page has to wait for it."""
        if self._missed is not None:
            await self._profiles.get(*self._missed)
            self._missed = None
            log.info("pages are chosen with profiles again")

    def _persona(self, visitor: str, interests: Mapping[str, float], at: float) -> Profile:
        usual = Interests(self._learning.half_life_usual, at, dict(interests))
        memory = replace(blank(self._learning), usual=usual)
        return replace(stranger(visitor, self._learning), memory=memory)


def record_of(answer: Answer) -> Record:
    """What must be kept to replay this answer."""
    chosen = [
        (slot, position, choice.variant.block.key, choice.variant.key)
        for slot, choices in answer.assembly.picks.items()
        for position, choice in enumerate(choices)
    ]
    ask = answer.ask
    return Record(
        at=ask.now,
        slug=answer.page.slug,
        revision=answer.edition.revision,
        basis=answer.basis,
        context=answer.context,
        locales=sorted(ask.locales),
        share=ask.share,
        purposes=answer.purposes,
        chosen=chosen,
        segments=answer.segments,
        where=where_of(answer.page),
        **remembered(ask.profile, ask.called),
    )
