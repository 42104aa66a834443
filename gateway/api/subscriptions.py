"""Pages and visitors that are sent again when they change."""

from collections.abc import AsyncGenerator
from typing import Any

import strawberry

from gateway.api import words
from gateway.api.fields import Root
from gateway.api.inputs import checked_visitor, context_of
from gateway.api.queries import allow_personal, recorded
from gateway.api.request import Info, Request, selected
from gateway.core.profiles import Profile
from gateway.errors import NotFound, StoreUnavailable
from gateway.services.deliver import Answer, Asked
from schemas.requests import ContextInput
from schemas.visitors import Visitor
from schemas.vocabulary import Scope

RETRY = 5.0  # seconds after which a page is chosen again that the store had failed

subscriptions = Root("Subscription")


@subscriptions.stream(Scope.DELIVERY, type=lambda types: types.page)
async def page(
    info: Info, slug: str, visitor: strawberry.ID, context: ContextInput | None = None
) -> AsyncGenerator[Any, None]:
    """The page, and again whenever this visitor or the content has changed."""
    request = info.context
    wanted = selected(info)
    allow_personal(request, wanted)
    who = checked_visitor(visitor)
    seen: object = None
    with request.space.notices.watch(who) as watch:
        while follow(request):
            answer = await look(request, slug, who, context)
            state = answer.edition.revision, answer.ask.profile and answer.ask.profile.version
            again = RETRY if answer.degraded else None
            if state != seen:
                seen = state
                request.degraded = {"profile"} if answer.degraded else set()
                yield words.page(request, answer, wanted, recorded(request, answer, wanted))
            del answer  # while a change is waited for, nothing is kept of it
            await watch.change(again)


async def look(request: Request, slug: str, visitor: str, context: ContextInput | None) -> Answer:
    asked = Asked(context_of(request, context, {"slug": slug}), visitor)
    answer = await request.space.delivery.page(request.edition, slug, asked)
    if answer is None:
        raise NotFound(f"no page {slug!r} is published")
    return answer


@subscriptions.stream(Scope.PROFILES)
async def visitor(info: Info, id: strawberry.ID) -> AsyncGenerator[Visitor, None]:  # noqa: A002
    """What is remembered of a visitor, and again whenever it has changed."""
    request = info.context
    who = checked_visitor(id)
    seen: object = None
    with request.space.notices.watch(who) as watch:
        while follow(request):
            profile = await stored(request, who, seen is None)
            state = request.edition.revision, profile and profile.version
            if profile and state != seen:
                seen = state
                context = context_of(request, None, {})
                yield words.visitor(request, profile, context.facts, context.now)
                del context
            again = None if profile else RETRY
            del profile  # while a change is waited for, nothing is kept of it
            await watch.change(again)


async def stored(request: Request, visitor: str, needed: bool) -> Profile | None:
    """None where the store is away; raises StoreUnavailable where it is needed."""
    try:
        return await request.space.profiles.get(visitor)
    except StoreUnavailable:
        if needed:
            raise
        return None


def follow(request: Request) -> bool:
    """Look at what is published now; False where the schema has changed with it, and does not fit any more."""
    edition = request.space.shelf.edition
    if edition.catalogue.types_signature != request.edition.catalogue.types_signature:
        return False
    request.edition = edition
    return True
