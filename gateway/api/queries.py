"""What can be asked of pages and visitors."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from content_blocks.blocks import BlockFilter as Filter
from content_blocks.conditions import ConditionError, check_condition, compile_condition
from gateway.api import words
from gateway.api.fields import Root
from gateway.api.inputs import checked_visitor, context_of, page_context, preview_of, said_by, version_of
from gateway.api.request import Info, Request, selected
from gateway.core.pseudonyms import Pseudonym
from gateway.core.records import decision_id
from gateway.errors import BadInput, Forbidden
from gateway.services.deliver import Answer, Asked, record_of
from schemas.connections import page_info
from schemas.outcomes import ConditionTrial, ContentProblem
from schemas.requests import BlockFilter, ContextInput, PreviewInput
from schemas.visitors import Visitor
from schemas.vocabulary import AuditKind, Scope

queries = Root("Query")

# What tells of the visitor's profile: a score is a similarity, and a rule that held says what it asked for.
PERSONAL = frozenset({"because", "candidates", "matched", "score", "similarity", "summary"})
MOST = 100
UNRECORDED = "drafts.0"  # looks like the id of a page's decisions, and names none


@queries.field(Scope.DELIVERY, type=lambda types: types.page | None)
async def page(
    info: Info,
    slug: str,
    visitor: strawberry.ID | None = None,
    context: ContextInput | None = None,
    at_least: str | None = None,
    preview: PreviewInput | None = None,
) -> Any:
    """A page, chosen for this visitor, here and now; null when no such page is published."""
    request = info.context
    wanted = selected(info)
    allow_personal(request, wanted)
    edition = request.edition
    if preview is not None:
        request.caller.require(Scope.EDITOR)
        if preview.drafts:
            edition = await request.space.authoring.drafted()
    asked = Asked(
        context=page_context(request, context, {"slug": slug}, visitor)
        if preview is None
        else context_of(request, context, {"slug": slug}),
        visitor=keyed(request, visitor),
        at_least=version_of(at_least),
        preview=preview_of(preview),
        called=visitor,
        said=said_by(context),
    )
    answer = await request.space.delivery.page(edition, slug, asked)
    if answer is None:
        return None
    if answer.degraded:
        request.degraded.add("profile")
    return words.page(request, answer, wanted, recorded(request, answer, wanted))


def keyed(request: Request, visitor: str | None) -> Pseudonym | None:
    return None if visitor is None else request.space.key(checked_visitor(visitor))


def note_access(request: Request, subject: Pseudonym, field: str) -> None:
    """That somebody read of a visitor stands in the audit log."""
    request.space.ledger.note(AuditKind.ACCESS, request.caller.name, subject, {"field": field})


def recorded(request: Request, answer: Answer, wanted: frozenset[str]) -> str:
    """Only decisions whose id is asked for can ever be asked about; drafts are gone when one would ask."""
    if answer.edition is not request.edition or answer.context["device"]["bot"]:  # bots are no exposure
        return UNRECORDED
    return request.space.decisions.record(record_of(answer)) if "decision" in wanted else ""


def allow_personal(request: Request, wanted: frozenset[str]) -> None:
    """Refuse a token that may not read profiles what would tell of one."""
    caller = request.caller
    if not PERSONAL.isdisjoint(wanted) and not caller.may(Scope.EDITOR) and not caller.may(Scope.PROFILES):
        names = ", ".join(sorted(PERSONAL & wanted))
        raise Forbidden(
            f"{names} tell of the visitor's profile; leave them out, or use a token with `profiles`"
        )


@queries.field(Scope.DELIVERY, type=lambda types: types.recommendation_connection)
async def recommendations(
    info: Info,
    visitor: strawberry.ID | None = None,
    context: ContextInput | None = None,
    where: BlockFilter | None = None,
    first: int = 10,
    after: str | None = None,
) -> Any:
    """Blocks ranked for this visitor, best first; the first hundred can be paged through."""
    request = info.context
    wanted = selected(info)
    allow_personal(request, wanted)
    start = _start(after, request.edition.revision)
    if not 0 <= first <= MOST:
        raise BadInput(f"first must lie between 0 and {MOST}")
    asked = Asked(
        context=page_context(request, context, {}, visitor),
        visitor=keyed(request, visitor),
        called=visitor,
        said=said_by(context),
    )
    answer = await request.space.delivery.recommendations(request.edition, _filter(where), asked)
    if answer.degraded:
        request.degraded.add("profile")
    choices = answer.assembly.picks[answer.page.slots[0].name]
    record = recorded(request, answer, wanted)
    slot = answer.page.slots[0]
    edges = [
        request.types.recommendation_edge(
            cursor=f"{request.edition.revision}:{position}",
            node=words.chosen_block(
                request, answer, choices[position], wanted, decision_id(record, 0, position), position, slot
            ),
        )
        for position in range(start, min(start + first, len(choices)))
    ]
    cursors = [edge.cursor for edge in edges]
    return request.types.recommendation_connection(
        edges=edges, page_info=page_info(cursors, start + first < len(choices), after)
    )


def _filter(where: BlockFilter | None) -> Filter:
    if where is None:
        return Filter()
    return Filter(*(frozenset(getattr(where, name) or ()) for name in ("type", "tags", "keys", "exclude")))


def _start(after: str | None, revision: str) -> int:
    if after is None:
        return 0
    made, colon, position = after.rpartition(":")
    if not colon or not (position.isascii() and position.isdigit() and len(position) < 6):
        raise BadInput("after is not a cursor of this list; take endCursor from pageInfo")
    if made != revision:
        raise BadInput("the content has changed since this cursor was made; start again without after")
    return int(position) + 1


@queries.field(Scope.PROFILES)
async def visitor(info: Info, id: strawberry.ID) -> Visitor | None:  # noqa: A002
    """What is remembered of a visitor; null when nothing is."""
    request = info.context
    key = request.space.key(checked_visitor(id))
    profile = await request.space.people.get(key)
    note_access(request, key, "visitor")
    if not profile.clock or (
        profile.memory.forgotten and profile.memory.last_touched <= profile.memory.forgotten
    ):
        return None
    context = context_of(request, None, {})
    return words.visitor(request, id, profile, context.facts, context.now)


@queries.field(Scope.PROFILES, type=lambda types: types.decision | None)
async def decision(info: Info, id: strawberry.ID) -> Any:  # noqa: A002
    """A past choice, made again from what was recorded; null once it has expired or was erased."""
    request = info.context
    replay = await request.space.replays.replay(id)
    if replay is None:
        return None
    note_access(request, Pseudonym(replay.record.visitor or ""), "decision")
    return words.decision(request, id, replay, selected(info))


@queries.field(Scope.PROFILES)
async def personal_data(info: Info, visitor: strawberry.ID) -> JSON:
    """Everything that is kept of a person, as the law has it handed out."""
    request = info.context
    key = request.space.key(checked_visitor(visitor))
    return cast(JSON, await request.space.personal_data.of(key, visitor, request.caller.name))


@queries.field(Scope.EDITOR)
async def try_condition(info: Info, condition: JSON, facts: JSON) -> ConditionTrial:
    """Try a rule on facts before it is saved."""
    if not isinstance(facts, Mapping):
        raise BadInput('facts must be an object, like {"device": {"type": "mobile"}}')
    catalogue = info.context.edition.catalogue
    rule = cast(Mapping[str, Any], condition)  # whatever it is, the check says so
    problems = check_condition(rule, catalogue.groups, {segment.key for segment in catalogue.segments})
    found = [ContentProblem(**asdict(problem)) for problem in problems]
    try:
        compiled = compile_condition(rule, catalogue.groups)
    except ConditionError:
        return ConditionTrial(matches=False, failed=None, sentence="", problems=found)
    return ConditionTrial(
        matches=compiled.matches(facts),
        failed=words.failed(compiled.failed(facts)),
        sentence=compiled.sentence,
        problems=found,
    )
