"""What visitors do and say."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import strawberry
from strawberry.scalars import JSON

from gateway.api import words
from gateway.api.fields import Root
from gateway.api.inputs import (
    asking_of,
    checked_traits,
    checked_visitor,
    context_of,
    event_of,
    said_by,
    terms_of,
)
from gateway.api.request import Info, Request, selected
from gateway.core.consent import joined
from gateway.core.context import Context
from gateway.core.events import Event, Refusal
from gateway.core.profiles import Profile
from gateway.core.pseudonyms import Pseudonym
from gateway.core.sayings import said_of
from gateway.core.terms import Terms
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
    own: dict[str, Terms] = {}
    checked = [_event(request, given, received, contexts, own) for given in events]
    found = [event for event in checked if isinstance(event, Event)]
    around = context_of(request, None, {})
    bots = request.gateway.bots.refused(found, contexts, around, asking_of(request), received)
    good = [request.space.keyed(event) for event in found if event.id not in bots]
    called = {
        request.space.key(event.visitor): event.visitor for event in checked if isinstance(event, Event)
    }
    terms = terms_of(request, None, {})
    taken = await request.space.intake.submit(good, terms, own=own)
    people = await request.space.people.of(taken.profiles)
    return TrackResult(
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        rejected=[
            RejectedEvent(index=index, id=events[index].id, code=refusal.code, message=refusal.message)
            for index, refusal in _refusals(checked, {**taken.refused, **bots})
        ],
        visitors=[
            _visitor(request, name, profile, contexts.get(name) or context_of(request, None, {}))
            if read
            else words.unread_visitor(name, profile, terms)
            for name, profile in ((called[Pseudonym(key)], profile) for key, profile in people.items())
        ],
    )


def _event(
    request: Request,
    given: EventInput,
    received: float,
    contexts: dict[str, Context],
    own: dict[str, Terms],
) -> Event | Refusal:
    """The event, or why not.

    `contexts` takes the circumstances it came with, by visitor, `own` the terms, where it names some.
    """
    event = event_of(given, received)
    if isinstance(event, Refusal):
        return event
    try:
        said = joined(said_by(given.context), said_of((event.properties or {}).get("consent")))
        if given.context is not None:
            contexts[given.visitor] = context_of(request, given.context, {})
    except BadInput as error:
        return Refusal(error.code, error.message)
    if said or given.context is not None:
        own[event.id] = terms_of(request, contexts.get(given.visitor), said)
    return event


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
    """Remember traits; conditions read them as `visitor.traits.*`. `known` says which person the visitor is."""
    request = info.context
    said = checked_traits(traits)
    if known is not None:
        await _join(request, visitor, known)
    key = request.space.key(checked_visitor(visitor if known is None else known))
    await request.space.privacy.identify(key, said)
    return await _person(request, visitor)


@mutations.field(Scope.PROFILES)
async def alias(info: Info, previous: strawberry.ID, known: strawberry.ID) -> Visitor:
    """Say that an id is one of the person `known`: from now on they are seen as one, with all they ever did."""
    await _join(info.context, previous, known)
    return await _person(info.context, known)


@mutations.field(Scope.PROFILES)
async def part(info: Info, visitor: strawberry.ID, known: strawberry.ID) -> Visitor:
    """Say that a visitor is not the person `known` after all: each keeps what it did itself."""
    request = info.context
    device, person = (request.space.key(checked_visitor(id_)) for id_ in (visitor, known))
    await request.space.joining.part(device, person, request.caller.name)
    return await _person(request, visitor)


async def _join(request: Request, visitor: str, known: str) -> None:
    device, person = (request.space.identity(checked_visitor(id_)) for id_ in (visitor, known))
    await request.space.joining.join(device, person, terms_of(request, None, {}), request.caller.name)


async def _person(request: Request, visitor: str) -> Visitor:
    profile = await request.space.people.get(request.space.key(visitor))
    return _visitor(request, visitor, profile, context_of(request, None, {}))


@mutations.field(Scope.EVENTS)
async def consent(info: Info, visitor: strawberry.ID, purposes: list[Purpose], granted: bool) -> Visitor:
    """Record what a visitor agrees to, or no longer does. Withdrawn personalization is unlearned."""
    request = info.context
    _allow_profile(info)
    if not purposes:
        raise BadInput("name at least one purpose")
    key = request.space.key(checked_visitor(visitor))
    profile = await request.space.privacy.consent(key, purposes, granted, request.caller.name)
    return _visitor(request, visitor, profile, context_of(request, None, {}))


@mutations.field(Scope.PROFILES)
async def forget(info: Info, visitor: strawberry.ID) -> ForgetResult:
    """Erase everything about a visitor: profile, events, decisions. The receipt proves it."""
    request = info.context
    key = request.space.key(checked_visitor(visitor))
    forgotten = await request.space.privacy.forget(key, request.caller.name)
    return ForgetResult(visitor=visitor, receipt=forgotten.receipt, **asdict(forgotten.erased))


def _visitor(request: Request, called: str, profile: Profile, context: Context) -> Visitor:
    return words.visitor(request, called, profile, context.facts, context.now)


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
