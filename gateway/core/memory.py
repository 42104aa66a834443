"""What is remembered of one visitor, as a commutative monoid.

An event makes a small `Memory`; a profile is all of a visitor's memories merged. Merging adds, unites, or
takes the later of two, so the order in which events arrive, and how they were grouped, does not matter
(up to the rounding of floating-point sums, and to the fading of the smallest names of a full vector).

Erasure and withdrawal are marks in time. Sums cannot be taken apart again, so whatever holds something from
before a mark that it does not know of yet is emptied whole: in a race with other processes something newer
may go along, but never does anything older stay.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any, NamedTuple

import orjson

from gateway.core import behaviour as behaviours
from gateway.core.behaviour import Behaviour, behaviour_of
from gateway.core.consent import Answer, Consents, latest
from gateway.core.engagement import Scale
from gateway.core.events import CONVERSIONS, PAGE_VIEWS, WEIGHTS, Event, weight_of
from gateway.core.links import NO_MEMBERS, Links, Members, last_words, links_of, links_to_json, words_after
from gateway.core.sessions import Sessions
from recommenders.interests import Interests, learned
from schemas.vocabulary import Purpose

Features = Mapping[str, float]
Lesson = tuple[Features, float, float]  # features, weight, at


@dataclass(frozen=True, slots=True)
class Learning:
    """The constants of learning: half-lives in seconds, names kept in a vector, weights of event types.

    `attribution` is for how many seconds a conversion is owed to what led the visitor here.
    """

    half_life_now: float = 20 * 60.0
    half_life_usual: float = 21 * 86400.0
    names: int = 256
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    engagement: Scale = field(default_factory=Scale)
    attribution: float = 30 * 86400.0


class Trait(NamedTuple):
    value: Any
    at: float


@dataclass(frozen=True, slots=True)
class Memory:
    now: Interests  # this session's intent
    usual: Interests  # what lasts
    activity: Interests  # how often each event type happened, fading like `usual`
    sessions: Sessions = Sessions()
    behaviour: Behaviour = field(default_factory=Behaviour)
    page_views: int = 0
    conversions: int = 0
    revenue: float = 0.0
    first_seen: float | None = None
    last_seen: float | None = None
    consents: Consents = field(default_factory=dict)
    traits: Mapping[str, Trait] = field(default_factory=dict)
    persons: Links = field(default_factory=dict)  # who this visitor is, as one of their devices
    members: Members = NO_MEMBERS  # the devices of this person
    unlearned: float | None = None  # interests learned up to here are void: consent was withdrawn
    forgotten: float | None = None  # everything up to here is void: the visitor was erased

    @property
    def last_touched(self) -> float:
        """When the newest thing in it happened."""
        times = [answer.at for answer in self.consents.values()]
        times += [trait.at for trait in self.traits.values()]
        times += [link.at for links in (self.persons, self.members.links) for link in links.values()]
        times += [at for at in (self.last_seen, self.unlearned, self.forgotten) if at is not None]
        return max(times, default=0.0)


def blank(learning: Learning) -> Memory:
    return Memory(
        now=Interests.empty(learning.half_life_now, 0.0),
        usual=Interests.empty(learning.half_life_usual, 0.0),
        activity=Interests.empty(learning.half_life_usual, 0.0),
    )


def remember(events: Iterable[tuple[Event, Features | None]], learning: Learning) -> Memory:
    """The memory that these events of one visitor make.

    Features are those of the block that an event was about; None where nothing may or can be learned.
    """
    events = list(events)
    lessons: list[Lesson] = []
    counts: list[Lesson] = []
    sessions = Sessions()
    page_views = conversions = 0
    revenue = 0.0
    times: list[float] = []
    for event, features in events:
        times.append(event.at)
        sessions = sessions.merge(Sessions.of(event.at))
        counts.append(({event.type: 1.0}, 1.0, event.at))
        page_views += event.type in PAGE_VIEWS
        if event.type in CONVERSIONS:
            conversions += 1
            revenue += event.value or 0.0
        if features and (weight := weight_of(event, learning.weights)):
            lessons.append((features, weight, event.at))
    start = max(times, default=0.0)  # the landmark: the newest event's contribution stands as it is
    return Memory(
        now=learned(Interests.empty(learning.half_life_now, start), lessons),
        usual=learned(Interests.empty(learning.half_life_usual, start), lessons),
        activity=learned(Interests.empty(learning.half_life_usual, start), counts),
        sessions=sessions,
        behaviour=behaviour_of(event for event, _ in events),
        page_views=page_views,
        conversions=conversions,
        revenue=revenue,
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
    )


def merge(one: Memory, other: Memory, names: int) -> Memory:
    """Both memories as one, keeping the strongest `names` of each vector."""
    forgotten = _later(one.forgotten, other.forgotten)
    unlearned = _later(one.unlearned, other.unlearned)
    one, other = _voided(one, forgotten, unlearned), _voided(other, forgotten, unlearned)
    return Memory(
        now=_bounded(one.now.merge(other.now), names),
        usual=_bounded(one.usual.merge(other.usual), names),
        activity=_bounded(one.activity.merge(other.activity), names),
        sessions=one.sessions.merge(other.sessions),
        behaviour=one.behaviour.merge(other.behaviour),
        page_views=one.page_views + other.page_views,
        conversions=one.conversions + other.conversions,
        revenue=one.revenue + other.revenue,
        first_seen=_earlier(one.first_seen, other.first_seen),
        last_seen=_later(one.last_seen, other.last_seen),
        consents=latest(one.consents, other.consents),
        traits=_newest(one.traits, other.traits),
        persons=last_words(one.persons, other.persons),
        members=one.members.merge(other.members),
        unlearned=unlearned,
        forgotten=forgotten,
    )


def _voided(memory: Memory, forgotten: float | None, unlearned: float | None) -> Memory:
    """Without what an erasure or a withdrawal that it does not know of yet has made void."""
    if forgotten is not None and memory.forgotten != forgotten:
        memory = _erased(memory, forgotten)
    if unlearned is not None and memory.unlearned != unlearned and _began(memory, unlearned):
        memory = _unlearned(memory)
    return memory


def _began(memory: Memory, at: float) -> bool:
    """Whether any of its events happened by then."""
    return memory.first_seen is not None and memory.first_seen <= at


def _erased(memory: Memory, at: float) -> Memory:
    consents = {purpose: answer for purpose, answer in memory.consents.items() if answer.at > at}
    traits = {name: trait for name, trait in memory.traits.items() if trait.at > at}
    persons, members = words_after(memory.persons, at), memory.members.after(at)
    if not _began(memory, at):
        return replace(memory, consents=consents, traits=traits, persons=persons, members=members)
    empty = _unlearned(memory)
    activity = Interests.empty(memory.activity.half_life, 0.0)
    return Memory(
        now=empty.now, usual=empty.usual, activity=activity,
        consents=consents, traits=traits, persons=persons, members=members,
    )  # fmt: skip


def _unlearned(memory: Memory) -> Memory:
    return replace(
        memory,
        now=Interests.empty(memory.now.half_life, 0.0),
        usual=Interests.empty(memory.usual.half_life, 0.0),
    )


def _later(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _earlier(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _newest(one: Mapping[str, Trait], other: Mapping[str, Trait]) -> Mapping[str, Trait]:
    if not other:
        return one
    merged = dict(one)
    for name, trait in other.items():
        if name not in merged or (trait.at, repr(trait.value)) > (merged[name].at, repr(merged[name].value)):
            merged[name] = trait
    return merged


def _bounded(interests: Interests, names: int) -> Interests:
    """Pruned only when a quarter over the bound, so that most merges need no sorting."""
    return interests.pruned(names) if len(interests.sums) > names + names // 4 else interests


def to_bytes(memory: Memory) -> bytes:
    """The memory as JSON, without what is empty."""
    found: dict[str, Any] = {
        "now": _vector(memory.now),
        "usual": _vector(memory.usual),
        "activity": _vector(memory.activity),
        "spans": memory.sessions.spans,
        "closed": memory.sessions.closed,
        "behaviour": behaviours.to_json(memory.behaviour),
        "consents": {str(purpose): list(answer) for purpose, answer in memory.consents.items()},
        "traits": {name: list(trait) for name, trait in memory.traits.items()},
        "persons": links_to_json(memory.persons),
        "members": memory.members.to_json(),
    }
    found |= {name: getattr(memory, name) for name in _PLAIN}
    return orjson.dumps({name: value for name, value in found.items() if value})


def from_bytes(body: bytes) -> Memory:
    found = orjson.loads(body)
    spans = tuple((start, end) for start, end in found.get("spans", ()))
    return Memory(
        now=_interests(*found["now"]),
        usual=_interests(*found["usual"]),
        activity=_interests(*found["activity"]),
        sessions=Sessions(spans, found.get("closed", 0)),
        behaviour=behaviours.from_json(found.get("behaviour", {})),
        consents={Purpose(name): Answer(*answer) for name, answer in found.get("consents", {}).items()},
        traits={name: Trait(*trait) for name, trait in found.get("traits", {}).items()},
        persons=links_of(found.get("persons", {})),
        members=Members.from_json(found.get("members", {})),
        **{name: found[name] for name in _PLAIN if name in found},
    )


_PLAIN = (
    "page_views", "conversions", "revenue", "first_seen", "last_seen", "unlearned", "forgotten",
)  # fmt: skip


def _interests(half_life: float, landmark: float, sums: Mapping[str, float]) -> Interests:
    """Thousands of profiles share their names, with each other and with the content."""
    return Interests(half_life, landmark, {intern(name): value for name, value in sums.items()})


def _vector(interests: Interests) -> tuple[float, float, Mapping[str, float]]:
    return interests.half_life, interests.landmark, interests.sums
