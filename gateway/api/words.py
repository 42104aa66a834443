"""The core's values in the words of the contract."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from content_blocks.conditions import FailedClause as Failed
from content_blocks.rendering import Template, TemplateProblem
from gateway.api.engagements import NO_ENGAGEMENT, engagement, moment
from gateway.api.request import Request
from gateway.core.asking import ask_of
from gateway.core.catalogue import CompiledSlot, CompiledVariant
from gateway.core.facts import engagement_of
from gateway.core.personalize import Choice
from gateway.core.profiles import Profile
from gateway.core.reasons import Because, Trace, traces, why
from gateway.core.records import decision_id
from gateway.core.terms import Terms
from gateway.errors import Conflict
from gateway.operations.lasting import Lasting
from gateway.services.deliver import Answer
from gateway.services.replay import Replay
from schemas.reasons import CandidateTrace, FailedClause, Reason
from schemas.typed_blocks import content_of
from schemas.visitors import Interest, Visitor
from schemas.vocabulary import Basis, Strategy

log = logging.getLogger(__name__)

NO_REASON = Reason(
    strategy=Strategy.FALLBACK, summary="", matched=[], similarity=None, because=[], candidates=[]
)  # stands where none was selected


PERSONAL = frozenset({"decision", "html", "reason"})  # what does not follow from the choice of a block alone
KEPT = 16  # ways of wording that are kept with a choice


def page(request: Request, answer: Answer, wanted: frozenset[str], recorded: str) -> Any:
    """A Page. `wanted` are the selected fields: what costs something is worked out only for who asks.

    Its `slots` are the same list again for everybody who is shown the same and asks for nothing personal.
    """
    slots = _shared_slots(request, answer, wanted)
    if not PERSONAL.isdisjoint(wanted):
        slots = _personal_slots(request, answer, wanted, recorded, slots)
    return request.types.page(
        slug=answer.page.slug,
        title=answer.page.title,
        locale=answer.locale,
        basis=answer.basis,
        revision=answer.edition.revision,
        cache_key=_kept(answer, answer.locale, lambda: cache_key(request.gateway.secret, answer))
        if "cacheKey" in wanted
        else "",
        slots=slots,
    )


def _kept(answer: Answer, name: object, make: Callable[[], Any]) -> Any:
    """What follows from the picks, worked out once for all who are shown the same."""
    memo = answer.assembly.memo
    if name not in memo:
        if len(memo) >= KEPT:
            memo.clear()
        memo[name] = make()
    return memo[name]


def _shared_slots(request: Request, answer: Answer, wanted: frozenset[str]) -> list[Any]:
    picks, types, content = answer.assembly.picks, request.types, "content" in wanted

    def slots() -> Lasting[Any]:
        return Lasting(
            types.slot(
                name=slot.name,
                blocks=[_block(request, choice, n, content) for n, choice in enumerate(picks[slot.name])],
            )
            for slot in answer.page.slots
        )

    return cast(list[Any], _kept(answer, (types.slot, content), slots))


def _personal_slots(
    request: Request, answer: Answer, wanted: frozenset[str], recorded: str, slots: list[Any]
) -> list[Any]:
    found = []
    for place, (slot, compiled) in enumerate(zip(slots, answer.page.slots, strict=True)):
        choices = zip(slot.blocks, answer.assembly.picks[slot.name], strict=True)
        blocks = [
            block.but(**_personal(answer, choice, wanted, decision_id(recorded, place, n), compiled))
            for n, (block, choice) in enumerate(choices)
        ]
        found.append(request.types.slot(name=slot.name, blocks=blocks))
    return found


def chosen_block(
    request: Request,
    answer: Answer,
    choice: Choice,
    wanted: frozenset[str],
    decision: str,
    position: int,
    slot: CompiledSlot | None,
) -> Any:
    block = _block(request, choice, position, "content" in wanted)
    return block.but(**_personal(answer, choice, wanted, decision, slot))


def _block(request: Request, choice: Choice, position: int, content: bool) -> Any:
    variant = choice.variant
    return request.types.chosen_block(
        decision="",
        key=variant.block.key,
        type=variant.block.type,
        variant=variant.key,
        position=position,
        data=variant.json,
        content=_content(request, variant) if content else None,
        html=None,
        tags=list(variant.tags),
        score=choice.score,
        reason=NO_REASON,
        assignment=None,
    )


def _personal(
    answer: Answer,
    choice: Choice,
    wanted: frozenset[str],
    decision: str,
    slot: CompiledSlot | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {"decision": decision}
    if "html" in wanted:
        found["html"] = _html(choice.variant, answer.ask.facts)
    if "reason" in wanted:
        candidates = _candidates(answer, slot) if slot is not None and "candidates" in wanted else []
        found["reason"] = reason(choice, why(answer.edition, answer.ask, choice), candidates)
    return found


def _candidates(answer: Answer, slot: CompiledSlot) -> list[CandidateTrace]:
    told = answer.ask.traced
    if slot.name not in told:
        found = traces(answer.edition, answer.page, slot, answer.ask, answer.assembly.picks)
        told[slot.name] = [trace(candidate) for candidate in found]
    return cast(list[CandidateTrace], told[slot.name])


def cache_key(secret: bytes, answer: Answer) -> str:
    """A short keyed hash of what is shown: equal for everybody who is shown the same."""
    shown = [answer.page.slug, answer.locale, str(answer.page.revision)]
    for slot, choices in answer.assembly.picks.items():
        shown.append(slot)
        shown += [f"{c.variant.block.key}:{c.variant.key}@{c.variant.block.revision}" for c in choices]
    return hashlib.blake2b("\n".join(shown).encode(), key=secret, digest_size=12).hexdigest()


def _content(request: Request, variant: CompiledVariant) -> Any:
    """A preview may hold block types that are not in the schema yet, and a past choice such as no longer are."""
    name = variant.block.type
    if name not in request.contents:
        raise Conflict(
            f"the block type {name} is not published, so the schema has no content of it; ask for `data`"
        )
    kind = request.contents[name]
    if type(variant.content) is not kind:
        variant.content = content_of(kind, variant.data)
    return variant.content


def _html(variant: CompiledVariant, facts: Mapping[str, Any]) -> str | None:
    template: Template | None = variant.block.block_type.template
    if template is None:
        return None
    try:
        return template.render(variant.data, facts)
    except TemplateProblem as error:  # the data is there still, and the other blocks
        log.error("block %s, variant %s has no html: %s", variant.block.key, variant.key, error)
        return None


def reason(choice: Choice, found: Because, candidates: list[CandidateTrace]) -> Reason:
    return Reason(
        strategy=choice.strategy,
        summary=found.summary,
        matched=list(found.matched),
        similarity=found.similarity,
        because=[Interest(tag=name, weight=weight) for name, weight in found.interests],
        candidates=candidates,
    )


def trace(found: Trace) -> CandidateTrace:
    return CandidateTrace(
        block=found.variant.block.key,
        variant=found.variant.key,
        chosen=found.chosen,
        eligible=found.eligible,
        failed=failed(found.failed),
        score=found.score,
        parts=JSON(dict(found.parts)),
        summary=found.summary,
    )


def failed(clause: Failed | None) -> FailedClause | None:
    if clause is None:
        return None
    return FailedClause(
        path=clause.path, operator=clause.operator, expected=clause.expected, actual=clause.actual
    )


def visitor(request: Request, called: str, profile: Profile, facts: Mapping[str, Any], now: float) -> Visitor:
    """What is known of a visitor, with the segments that hold in these circumstances."""
    settings = request.gateway.settings
    memory = profile.memory
    terms = Terms(request.space.defaults.of(facts["geo"].get("country")), request.gpc)
    purposes = terms.granted(memory.consents)
    ask = ask_of(
        request.edition.catalogue, facts, frozenset(), profile, purposes, settings.now_share,
    ).knowing(called, request.gateway.keys.sealer, request.edition.signals.quantiles)  # fmt: skip
    interests = profile.interests(settings.now_share, now)
    return Visitor(
        id=strawberry.ID(called),
        segments=list(ask.facts["segments"]),
        engagement=engagement(profile, engagement_of(profile, now, request.edition.signals.quantiles)),
        consent=list(purposes),
        visits=memory.sessions.count,
        profile_version=profile.version,
        all_interests=[
            Interest(tag=name, weight=weight)
            for name, weight in sorted(interests.items(), key=lambda interest: (-interest[1], interest[0]))
        ],
    )


def unread_visitor(called: str, profile: Profile, terms: Terms) -> Visitor:
    """For who asks for no more than id, consent and profileVersion: the rest is not worked out."""
    return Visitor(
        id=strawberry.ID(called),
        segments=[],
        engagement=NO_ENGAGEMENT,
        consent=list(terms.granted(profile.memory.consents)),
        visits=profile.memory.sessions.count,
        profile_version=profile.version,
        all_interests=[],
    )


def decision(request: Request, id_: str, replay: Replay, wanted: frozenset[str]) -> Any:
    """A Decision, with its block as it was chosen and every candidate's fate."""
    record = replay.record
    answer = Answer(
        page=replay.page,
        edition=replay.edition,
        ask=replay.ask,
        basis=Basis(record.basis),
        locale=record.context["visitor"]["locale"],
        assembly=replay.assembly,
        context=record.context,
        purposes=record.granted(),
        segments=None,
    )
    return request.types.decision(
        id=id_,
        at=moment(record.at),
        page=record.slug,
        slot=replay.slot.name,
        visitor=record.called,
        basis=record.basis,
        revision=record.revision,
        block=chosen_block(request, answer, replay.choice, wanted, id_, replay.position, replay.slot),
        same=replay.same,
        candidates=[trace(found) for found in replay.traces],
        missing=_not_a_candidate,
    )


def _not_a_candidate(name: str) -> CandidateTrace:
    return CandidateTrace(
        block="", variant=name, chosen=False, eligible=False, failed=None, score=None, parts=JSON({}),
        summary=f"{name!r} is no candidate of this slot: it shows variants of its block, or what its filter admits.",
    )  # fmt: skip
