"""Taking what was collected: events are stored, people identified, and each message is answered by its place."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.collect.collected import Alias, Collected, CollectedEvent, Identification, Item
from gateway.collect.joining import join
from gateway.collect.mapping import events_of
from gateway.collect.names import Names
from gateway.core.consent import Consents, allows
from gateway.core.events import MAX_DEPTH, MAX_PROPERTIES, Event, Refusal, deeper_than
from gateway.services.ingest import KEEPING, NOT_AGREED
from gateway.services.space import Space
from schemas.vocabulary import Purpose

MOST_AT_ONCE = 500  # events that one write takes
MOST_TRAITS = 100
LONGEST_ID = 200

BAD_ID = Refusal("BAD_INPUT", f"ids of people have 1 to {LONGEST_ID} printable characters")
BAD_TRAITS = Refusal(
    "TOO_LARGE", f"traits may have {MOST_TRAITS} names, {MAX_PROPERTIES} bytes of JSON and {MAX_DEPTH} levels"
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """`index` is the message's place in what was sent."""

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    accepted: int
    duplicates: int
    rejected: Sequence[Rejected]


@dataclass(slots=True)
class Told:
    """What the messages of one request say of a visitor."""

    traits: dict[str, Any] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    refused: bool = False  # one of them says that nothing may be kept


@dataclass(slots=True)
class Sorted:
    """The messages of one request, by what is to be done. Nothing is asked or stored yet."""

    events: list[Event] = field(default_factory=list)
    unwanted: list[Event] = field(default_factory=list)  # their own message says that nothing may be kept
    places: dict[str, int] = field(default_factory=dict)  # of events, by id
    told: dict[str, Told] = field(default_factory=dict)  # by visitor
    joins: dict[tuple[str, str], None] = field(default_factory=dict)
    aliases: int = 0
    rejected: dict[int, Refusal] = field(default_factory=dict)


def sort(items: Iterable[Item], names: Names, received: float) -> Sorted:
    found = Sorted()
    for place, item in enumerate(items):
        refusal = (
            item if isinstance(item, Refusal) else _SORTING[type(item)](found, place, item, names, received)
        )
        if refusal is not None:
            found.rejected[place] = refusal
    return found


def _sort_event(
    found: Sorted, place: int, item: CollectedEvent, names: Names, received: float
) -> Refusal | None:
    events = events_of(item, names, received)
    if isinstance(events, Refusal):
        return events
    if item.user is not None and not usable(item.user):
        return BAD_ID
    _join(found, item.visitor, item.user)
    wanted = found.unwanted if refuses(item.around.consent) else found.events
    wanted += events
    for event in events:
        found.places.setdefault(event.id, place)
    return None


def _sort_identification(found: Sorted, place: int, item: Identification, *_: Any) -> Refusal | None:
    if not usable(item.visitor) or (item.user is not None and not usable(item.user)):
        return BAD_ID
    told = found.told.get(item.visitor) or Told()
    traits = {**told.traits, **item.traits}
    if not _fits(traits):
        return BAD_TRAITS
    _join(found, item.visitor, item.user)
    refused = told.refused or refuses(item.around.consent)
    found.told[item.visitor] = Told(traits, [*told.places, place], refused)
    return None


def _sort_alias(found: Sorted, place: int, item: Alias, *_: Any) -> Refusal | None:
    if not usable(item.previous) or not usable(item.user):
        return BAD_ID
    _join(found, item.previous, item.user)
    found.aliases += 1
    return None


def _join(found: Sorted, visitor: str, user: str | None) -> None:
    if user is not None and user != visitor:
        found.joins[visitor, user] = None


_SORTING: Mapping[type[Collected], Callable[..., Refusal | None]] = {
    CollectedEvent: _sort_event, Identification: _sort_identification, Alias: _sort_alias,
}  # fmt: skip


def usable(id_: str) -> bool:
    return 0 < len(id_) <= LONGEST_ID and id_.isprintable()


def _fits(traits: Mapping[str, Any]) -> bool:
    if len(traits) > MOST_TRAITS or deeper_than(traits, MAX_DEPTH):
        return False
    return len(orjson.dumps(traits)) <= MAX_PROPERTIES


def refuses(consent: Mapping[Purpose, bool]) -> bool:
    """Whether by this word nothing may be kept."""
    answers = [consent[purpose] for purpose in KEEPING if purpose in consent]
    return bool(answers) and not any(answers)


async def take(space: Space, found: Sorted, agreed_by_default: bool, gpc: bool) -> Outcome:
    """Returns when everything accepted is durable; `gpc`: the browser that sent it refuses for its visitor.

    Raises StoreUnavailable or Overloaded: the whole request may be sent again, and counts once.
    """
    for visitor, user in found.joins:
        await join(space, visitor, user)
    work = [_submit(space, found, events, gpc) for events in _chunks(found.events)]
    work += [_submit(space, found, events, True) for events in _chunks(found.unwanted)]
    if found.told:
        work.append(_identify(space, found, agreed_by_default, gpc))
    counts = await asyncio.gather(*work)
    return Outcome(
        accepted=found.aliases + sum(accepted for accepted, _ in counts),
        duplicates=sum(duplicates for _, duplicates in counts),
        rejected=[Rejected(place, why.code, why.message) for place, why in sorted(found.rejected.items())],
    )


def _chunks(events: Sequence[Event]) -> Iterable[Sequence[Event]]:
    return (events[start : start + MOST_AT_ONCE] for start in range(0, len(events), MOST_AT_ONCE))


async def _submit(space: Space, found: Sorted, events: Sequence[Event], gpc: bool) -> tuple[int, int]:
    taken = await space.intake.submit(events, gpc)
    for id_, refusal in taken.refused.items():
        found.rejected[found.places[id_]] = refusal
    return taken.accepted, taken.duplicates


async def _identify(space: Space, found: Sorted, default: bool, gpc: bool) -> tuple[int, int]:
    """Traits are kept of those alone who let events be kept."""
    accepted = 0
    work = []
    known = await space.profiles.get_many(visitor for visitor, told in found.told.items() if told.traits)
    for visitor, told in found.told.items():
        if told.traits and not _agreed(known[visitor].memory.consents, default, gpc or told.refused):
            found.rejected |= dict.fromkeys(told.places, NOT_AGREED)
            continue
        accepted += len(told.places)
        if told.traits:
            work.append(space.privacy.identify(visitor, told.traits))
    await asyncio.gather(*work)
    return accepted, 0


def _agreed(consents: Consents, default: bool, gpc: bool) -> bool:
    return any(allows(consents, purpose, default, gpc) for purpose in KEEPING)
