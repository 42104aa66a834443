"""Pages and visitors that are sent again when they change."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import strawberry

from gateway.api import words
from gateway.api.fields import Root
from gateway.api.inputs import checked_visitor, context_of
from gateway.api.queries import allow_personal, recorded
from gateway.api.request import Info, Request, selected
from gateway.errors import Conflict, NotFound
from gateway.services.deliver import Asked
from schemas.requests import ContextInput
from schemas.visitors import Visitor
from schemas.vocabulary import Scope

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
    async with aclosing(request.space.notices.watch(who)) as notices:
        async for _ in notices:
            follow(request)
            asked = Asked(context_of(request, context, {"slug": slug}), who)
            answer = await request.space.delivery.page(request.edition, slug, asked)
            if answer is None:
                raise NotFound(f"no page {slug!r} is published")
            state = answer.edition.revision, answer.ask.profile and answer.ask.profile.version
            if state != seen:
                seen = state
                yield words.page(request, answer, wanted, recorded(request, answer, wanted))


@subscriptions.stream(Scope.PROFILES)
async def visitor(info: Info, id: strawberry.ID) -> AsyncGenerator[Visitor, None]:  # noqa: A002
    """What is remembered of a visitor, and again whenever it has changed."""
    request = info.context
    who = checked_visitor(id)
    seen: object = None
    async with aclosing(request.space.notices.watch(who)) as notices:
        async for _ in notices:
            follow(request)
            profile = await request.space.profiles.get(who)
            state = request.edition.revision, profile.version
            if state != seen:
                seen = state
                context = context_of(request, None, {})
                yield words.visitor(request, profile, context.facts, context.now)


def follow(request: Request) -> None:
    """Look at what is published now, as long as this connection's schema still fits it."""
    edition = request.space.shelf.edition
    if edition.catalogue.types_signature != request.edition.catalogue.types_signature:
        raise Conflict("the block types have changed, and the schema with them; connect again")
    request.edition = edition
