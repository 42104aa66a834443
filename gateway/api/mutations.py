"""What visitors do and say."""

import time
from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.scalars import JSON

from gateway.api import words
from gateway.api.fields import Root
from gateway.api.inputs import checked_traits, checked_visitor, context_of, event_of
from gateway.api.request import Info, Request, selected
from gateway.core.context import Context
from gateway.core.events import Event, Refusal
from gateway.core.profiles import Profile
from gateway.errors import BadInput, Forbidden, TooLarge
from schemas.outcomes import ForgetResult, RejectedEvent, TrackResult
from schemas.requests import EventInput
from schemas.visitors import Visitor
from schemas.vocabulary import Purpose, Scope

mutations = Root("Mutation")

MOST_EVENTS = 500  # in one request
UNPERSONAL = frozenset({"id", "profileVersion", "consent", "__typename"})


@mutations.field(Scope.EVENTS)
async def track(info: Info, events: list[EventInput]) -> TrackResult:
    """Record what visitors did. What is accepted is durable, and the next page reflects it."""
    request = info.context
    read = _allow_profile(info, "visitors")
    if len(events) > MOST_EVENTS:
        raise TooLarge(f"{len(events)} events were sent; send at most {MOST_EVENTS} at once")
    received = time.time()
    contexts: dict[str, Context] = {}
    checked = [_event(request, given, received, contexts) for given in events]
    good = [event for event in checked if isinstance(event, Event)]
    taken = await request.space.intake.submit(good, gpc=request.gpc)
    return TrackResult(
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        rejected=[
            RejectedEvent(index=index, id=events[index].id, code=refusal.code, message=refusal.message)
            for index, refusal in _refusals(checked, taken.refused)
        ],
        visitors=[
            _visitor(request, profile, contexts.get(profile.id) or context_of(request, None, {}))
            if read
            else words.unread_visitor(request, profile)
            for profile in taken.profiles.values()
        ],
    )


def _event(
    request: Request, given: EventInput, received: float, contexts: dict[str, Context]
) -> Event | Refusal:
    """The event, or why not; `contexts` takes the circumstances it came with, by visitor."""
    if given.context is not None:
        try:
            contexts[given.visitor] = context_of(request, given.context, {})
        except BadInput as error:
            return Refusal(error.code, error.message)
    return event_of(given, received)


def _refusals(
    checked: Sequence[Event | Refusal], refused: dict[str, Refusal] | Any
) -> list[tuple[int, Refusal]]:
    """By the place in what was sent."""
    found = []
    for index, event in enumerate(checked):
        refusal = event if isinstance(event, Refusal) else refused.get(event.id)
        if refusal is not None:
            found.append((index, refusal))
    return found


@mutations.field(Scope.PROFILES)
async def identify(
    info: Info, visitor: strawberry.ID, traits: JSON, known: strawberry.ID | None = None
) -> Visitor:
    """Remember traits of a visitor; conditions read them as `visitor.traits.*`."""
    request = info.context
    if known is not None:
        raise BadInput("joining an anonymous visitor to a known one is not available yet; leave out known")
    profile = await request.space.privacy.identify(checked_visitor(visitor), checked_traits(traits))
    return _visitor(request, profile, context_of(request, None, {}))


@mutations.field(Scope.EVENTS)
async def consent(info: Info, visitor: strawberry.ID, purposes: list[Purpose], granted: bool) -> Visitor:
    """Record what a visitor agrees to, or no longer does. Withdrawn personalization is unlearned."""
    request = info.context
    _allow_profile(info)
    if not purposes:
        raise BadInput("name at least one purpose")
    profile = await request.space.privacy.consent(checked_visitor(visitor), purposes, granted)
    return _visitor(request, profile, context_of(request, None, {}))


@mutations.field(Scope.PROFILES)
async def forget(info: Info, visitor: strawberry.ID) -> ForgetResult:
    """Erase everything about a visitor: profile, events, decisions."""
    forgotten = await info.context.space.privacy.forget(checked_visitor(visitor))
    return ForgetResult(
        visitor=visitor,
        profiles=forgotten.profiles,
        events=forgotten.events,
        decisions=forgotten.decisions,
    )


def _visitor(request: Request, profile: Profile, context: Context) -> Visitor:
    return words.visitor(request, profile, context.facts, context.now)


def _allow_profile(info: Info, *path: str) -> frozenset[str]:
    """What is read of a profile, for tokens that may: without `profiles` one may write of a visitor, no more.

    Asked before anything is done.
    """
    read = selected(info, *path) - UNPERSONAL
    if read and not info.context.caller.may(Scope.PROFILES):
        names = ", ".join(sorted(read))
        raise Forbidden(
            f"{names}: reading a profile needs the scope `profiles`; ask for id and profileVersion alone"
        )
    return read
