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
from gateway.core.consent import Said, joined
from gateway.core.events import MAX_DEPTH, MAX_PROPERTIES, Event, Refusal, deeper_than
from gateway.core.sayings import said_of
from gateway.core.terms import Terms
from gateway.services.ingest import NOT_AGREED
from gateway.services.space import Space

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
    said: Said = field(default_factory=dict)  # of consent


@dataclass(slots=True)
class Sorted:
    """The messages of one request, by what is to be done. Nothing is asked or stored yet."""

    events: list[Event] = field(default_factory=list)
    said: dict[str, Said] = field(default_factory=dict)  # of consent, by the ids of events
    places: dict[str, int] = field(default_factory=dict)  # of events, by id
    told: dict[str, Told] = field(default_factory=dict)  # by visitor
    joins: dict[tuple[str, str], Told] = field(default_factory=dict)
    aliases: list[int] = field(default_factory=list)  # their places
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
    said = joined(item.around.consent, said_of((item.properties or {}).get("consent")))
    _join(found, item.visitor, item.user, said)
    found.events += events
    for event in events:
        found.places.setdefault(event.id, place)
        if said:
            found.said[event.id] = said
    return None


def _sort_identification(found: Sorted, place: int, item: Identification, *_: Any) -> Refusal | None:
    if not usable(item.visitor) or (item.user is not None and not usable(item.user)):
        return BAD_ID
    who = item.user or item.visitor  # the person's, whatever the device
    told = found.told.get(who) or Told()
    traits = {**told.traits, **item.traits}
    if not _fits(traits):
        return BAD_TRAITS
    _join(found, item.visitor, item.user, item.around.consent, place)
    said = joined(told.said, item.around.consent)
    found.told[who] = Told(traits, [*told.places, place], said)
    return None


def _sort_alias(found: Sorted, place: int, item: Alias, *_: Any) -> Refusal | None:
    if not usable(item.previous) or not usable(item.user):
        return BAD_ID
    _join(found, item.previous, item.user, {}, place)
    found.aliases.append(place)
    return None


def _join(found: Sorted, visitor: str, user: str | None, said: Said, *places: int) -> None:
    """`places`: of a message that says nothing else, and is refused where they cannot be joined."""
    if user is not None and user != visitor:
        told = found.joins.setdefault((visitor, user), Told())
        told.said = joined(told.said, said)
        told.places += places


_SORTING: Mapping[type[Collected], Callable[..., Refusal | None]] = {
    CollectedEvent: _sort_event, Identification: _sort_identification, Alias: _sort_alias,
}  # fmt: skip


def usable(id_: str) -> bool:
    return 0 < len(id_) <= LONGEST_ID and id_.isprintable()


def _fits(traits: Mapping[str, Any]) -> bool:
    if len(traits) > MOST_TRAITS or deeper_than(traits, MAX_DEPTH):
        return False
    return len(orjson.dumps(traits)) <= MAX_PROPERTIES


async def take(space: Space, found: Sorted, terms: Terms) -> Outcome:
    """Returns when everything accepted is durable; `terms`: those of messages that say nothing of consent.

    Raises StoreUnavailable or Overloaded: the whole request may be sent again, and counts once.
    """
    work = [_submit(space, found, events, terms) for events in _chunks(found.events)]
    counts = await asyncio.gather(*work)
    await _join_all(space, found, terms)  # after the events, which may have told of consent
    if found.told:
        counts.append(await _identify(space, found, terms))
    return Outcome(
        accepted=sum(place not in found.rejected for place in found.aliases)
        + sum(accepted for accepted, _ in counts),
        duplicates=sum(duplicates for _, duplicates in counts),
        rejected=[Rejected(place, why.code, why.message) for place, why in sorted(found.rejected.items())],
    )


def _chunks(events: Sequence[Event]) -> Iterable[Sequence[Event]]:
    return (events[start : start + MOST_AT_ONCE] for start in range(0, len(events), MOST_AT_ONCE))


async def _submit(space: Space, found: Sorted, events: Sequence[Event], terms: Terms) -> tuple[int, int]:
    own = {event.id: terms.saying(found.said[event.id]) for event in events if event.id in found.said}
    taken = await space.intake.submit([space.keyed(event) for event in events], terms, own=own)
    for id_, refusal in taken.refused.items():
        found.rejected[found.places[id_]] = refusal
    return taken.accepted, taken.duplicates


async def _join_all(space: Space, found: Sorted, terms: Terms) -> None:
    joins = found.joins.items()
    refusals = await asyncio.gather(*(join(space, *ids, terms.saying(told.said)) for ids, told in joins))
    for told, refusal in zip(found.joins.values(), refusals, strict=True):
        if refusal is not None:
            found.rejected |= dict.fromkeys(told.places, refusal)


async def _identify(space: Space, found: Sorted, terms: Terms) -> tuple[int, int]:
    """Traits are kept of those alone who let events be kept."""
    accepted = 0
    work = []
    keys = {visitor: space.key(visitor) for visitor, told in found.told.items() if told.traits}
    known = await space.people.get_many(keys.values())
    for visitor, told in found.told.items():
        told.places = [place for place in told.places if place not in found.rejected]
        if not told.places:
            continue
        if told.traits and not terms.saying(told.said).keep(known[keys[visitor]].memory.consents):
            found.rejected |= dict.fromkeys(told.places, NOT_AGREED)
            continue
        accepted += len(told.places)
        if told.traits:
            work.append(space.privacy.identify(keys[visitor], told.traits))
    await asyncio.gather(*work)
    return accepted, 0
