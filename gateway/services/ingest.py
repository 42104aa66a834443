"""Taking events: gathered for a moment, made durable by one write, applied to the profiles in memory.

One bucket is written at a time, so the numbers of this process's buckets in the log have no gaps that could
close later; profiles rely on that (core/profiles.moved). A write whose outcome is unknown is therefore
settled, by repeating it, before the next one.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gateway.core.consent import KEEPING, Consents, latest
from gateway.core.events import Event, Refusal
from gateway.core.memory import Features, Learning, Memory, blank, merge, remember, to_bytes
from gateway.core.profiles import Profile
from gateway.core.terms import Terms
from gateway.errors import BlockloomError, Overloaded, StoreUnavailable, TooLarge
from gateway.services.profiles import Profiles
from gateway.storage.events import Bucket, DuplicateEvents, EventStore, LoggedEvent, Move
from gateway.storage.failures import InDoubt
from schemas.vocabulary import Purpose

log = logging.getLogger(__name__)

MOST_EVENTS = 500  # in one bucket
MOST_WAITING = 20_000  # events in the queue before more are refused
MOST_BACKLOG = 200_000  # visitors whose moves are not folded yet
TURN_SECONDS = 3.0  # that a bucket waits for a folding to be done
RECENT_IDS = 20_000  # remembered here, so that a quick repetition costs no look-up


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one request's events; `profiles` are those of the visitors that were touched."""

    accepted: int
    duplicates: int
    refused: Mapping[str, Refusal]  # by event id
    profiles: Mapping[str, Profile]


@dataclass(slots=True)
class _Ticket:
    events: Sequence[Event]
    terms: Terms
    own: Mapping[str, Terms]  # of events that say something of consent themselves, by their ids
    extra: Mapping[str, Memory]  # what is remembered beside the events: consent, traits
    done: asyncio.Future[Taken]
    refused: dict[str, Refusal] = field(default_factory=dict)
    fresh: list[Event] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.events) + len(self.extra)

    def terms_of(self, event: Event) -> Terms:
        return self.own.get(event.id, self.terms)


SHUTTING_DOWN = "the gateway is shutting down; send the events again"
NOT_AGREED = Refusal(
    "CONSENT_REQUIRED", "the visitor has not agreed to be remembered; ask, and say so by the consent mutation"
)

ERASED = Refusal("ERASED", "the visitor was erased after this happened; nothing from before is kept")
FeaturesOf = Callable[[str | None, str | None], Features | None]
Says = Callable[[str, Consents], None]
Views = Callable[[Mapping[str, Profile]], Awaitable[Mapping[str, Profile]]]
Spread = Callable[[Mapping[str, Memory]], Awaitable[dict[str, Memory]]]

__all__ = ["ERASED", "KEEPING", "MOST_EVENTS", "NOT_AGREED", "Intake", "Taken"]


class Intake:
    def __init__(
        self,
        events: EventStore,
        profiles: Profiles,
        process: str,
        learning: Learning,
        features_of: FeaturesOf,
        agreed_by_default: bool,
        gather: float,
    ) -> None:
        """`features_of(block, variant)` is what an event teaches; `gather` is in seconds."""
        self._events = events
        self._profiles = profiles
        self._process = process
        self.learning = learning
        self._features_of = features_of
        self._terms = Terms(agreed_by_default)
        self.on_said: Says = _nobody
        """Told of a visitor whose events changed what was agreed to."""
        self.views: Views = _as_they_are
        self.spread: Spread = _alone
        self._gather = gather
        self._number = 0
        self._closed = False
        self._waiting: list[_Ticket] = []
        self._writing: list[_Ticket] = []
        self._size = 0  # events waiting
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._expected = 1  # events of the last bucket: about as many will come again
        self._doubtful: tuple[Bucket, dict[str, Memory]] | None = None
        self._recent: OrderedDict[str, None] = OrderedDict()

    async def submit(
        self,
        events: Sequence[Event],
        terms: Terms | None = None,
        extra: Mapping[str, Memory] | None = None,
        own: Mapping[str, Terms] | None = None,
    ) -> Taken:
        """Returns when everything accepted is durable. `extra` is remembered whatever the consent says.

        `terms`: on which the events are kept; `own`: of some of them, by their ids. What terms say is remembered as
        the visitor's answer of the event's moment, whether the event is kept or not.
        Raises StoreUnavailable or Overloaded: the whole request may be repeated with the same ids.
        """
        if self._closed:
            raise Overloaded(SHUTTING_DOWN)
        done: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        ticket = _Ticket(events, terms or self._terms, own or {}, extra or {}, done)
        if self._size + ticket.size > MOST_WAITING or self._profiles.backlog > MOST_BACKLOG:
            raise Overloaded("more events arrive than can be stored; send them again in a few seconds")
        self._waiting.append(ticket)
        self._size += ticket.size
        self._arrived.set()
        if self._size >= self._expected:
            self._enough.set()
        return await ticket.done

    async def run(self) -> None:
        """Write buckets until cancelled."""
        while True:
            await self._arrived.wait()
            await self._company()
            self._writing = self._take()
            await self._try(self._writing)
            self._writing = []

    async def _try(self, tickets: list[_Ticket]) -> None:
        """Write them, or say to each why not. What is too large together may fit apart."""
        try:
            await self._write(tickets)
        except TooLarge as error:
            middle = len(tickets) // 2
            if not middle:
                _refuse(tickets, error)
                return
            await self._try(tickets[:middle])
            await self._try(tickets[middle:])
        except Exception as error:
            _refuse(tickets, error)
            if not isinstance(error, BlockloomError):
                log.exception("a bucket of events could not be written")

    async def drain(self) -> None:
        """Wait until everything that has been submitted is answered."""
        while pending := [*self._writing, *self._waiting]:
            await asyncio.gather(*(ticket.done for ticket in pending), return_exceptions=True)
            await asyncio.sleep(0)  # the writer has its turn to put them down

    def close(self) -> None:
        """Refuse what is still waiting, and whatever comes: nothing of it is written."""
        self._closed = True
        _refuse(self._waiting, Overloaded(SHUTTING_DOWN))
        self._waiting.clear()

    async def _company(self) -> None:
        """Wait a moment for others, but not once as many are here as came last time."""
        if self._size < self._expected:
            self._enough.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), self._gather)

    def _take(self) -> list[_Ticket]:
        taken: list[_Ticket] = []
        size = 0
        while self._waiting and (not taken or size + self._waiting[0].size <= MOST_EVENTS):
            ticket = self._waiting.pop(0)
            size += ticket.size
            taken.append(ticket)
        self._size -= size
        self._expected = max(1, size)
        if not self._waiting:
            self._arrived.clear()
        return taken

    async def _write(self, tickets: list[_Ticket]) -> None:
        await self._settle()
        visitors = {event.visitor for ticket in tickets for event in ticket.events}
        visitors.update(visitor for ticket in tickets for visitor in ticket.extra)
        known = await self._profiles.get_many(visitors)
        said = await self.spread(_said(tickets, self.learning))
        known |= await self._profiles.get_many(said.keys() - known.keys())
        views = await self.views(known)
        self._admit(tickets, views, said)
        duplicates: set[str] = set()
        before = {visitor: known[visitor].memory.consents for visitor in said}
        while True:
            try:
                moves = self._moves(tickets, views, said)
                await self._append(tickets, moves, known)
                break
            except DuplicateEvents as found:
                duplicates.update(found.ids)
                for ticket in tickets:
                    ticket.fresh = [event for event in ticket.fresh if event.id not in duplicates]
        self._tell(before, known)
        self._answer(tickets, known)

    def _tell(self, before: Mapping[str, Consents], after: Mapping[str, Profile]) -> None:
        for visitor, earlier in before.items():
            now = after[visitor].memory.consents
            changed = {
                purpose: answer
                for purpose, answer in now.items()
                if purpose not in earlier or earlier[purpose].granted is not answer.granted
            }
            if changed:
                self.on_said(visitor, changed)

    async def _settle(self) -> None:
        """Find out what became of a write that was interrupted: it is repeated until it stands."""
        if self._doubtful is None:
            return
        bucket, moves = self._doubtful
        try:
            await self._events.append(bucket)
        except DuplicateEvents:  # not written then, and its events were since sent to another process
            moves = {}
        self._doubtful = None
        self._profiles.move(bucket.seq, moves, {})

    def _admit(
        self, tickets: list[_Ticket], known: Mapping[str, Profile], said: Mapping[str, Memory]
    ) -> None:
        """Sort out what was not consented to and what is here twice."""
        here: set[str] = set()
        for ticket in tickets:
            ticket.fresh.clear()
            ticket.refused.clear()
            for event in ticket.events:
                if event.id in here or event.id in self._recent:
                    continue
                refusal = _refusal(event, known[event.visitor].memory, said, ticket.terms_of(event))
                if refusal is not None:
                    ticket.refused[event.id] = refusal
                    continue
                here.add(event.id)
                ticket.fresh.append(event)

    def _moves(
        self, tickets: list[_Ticket], known: Mapping[str, Profile], said: Mapping[str, Memory]
    ) -> dict[str, Memory]:
        lessons: dict[str, list[tuple[Event, Features | None]]] = {}
        moves: dict[str, Memory] = dict(said)
        for ticket in tickets:
            for event in ticket.fresh:
                consents = _consents(known[event.visitor].memory, said.get(event.visitor))
                learns = ticket.terms_of(event).allow(consents, Purpose.PERSONALIZATION, event.at)
                features = self._features_of(event.block, event.variant) if learns else None
                lessons.setdefault(event.visitor, []).append((event, features))
            for visitor, memory in ticket.extra.items():
                moves[visitor] = self._with(moves.get(visitor), memory)
        for visitor, learned in lessons.items():
            moves[visitor] = self._with(moves.get(visitor), remember(learned, self.learning))
        return moves

    def _with(self, one: Memory | None, other: Memory) -> Memory:
        return other if one is None else merge(one, other, self.learning.names)

    async def _append(
        self, tickets: list[_Ticket], moves: dict[str, Memory], known: dict[str, Profile]
    ) -> None:
        if not moves:
            return
        fresh = [event for ticket in tickets for event in ticket.fresh]
        self._number += 1
        bucket = Bucket(
            process=self._process,
            seq=self._number,
            at=datetime.now(UTC),
            events=tuple(LoggedEvent(event.id, event.visitor, event.to_bytes()) for event in fresh),
            moves=tuple(Move(visitor, to_bytes(memory)) for visitor, memory in moves.items()),
        )
        try:
            async with AsyncExitStack() as turn:
                await self._enter(turn)
                await self._events.append(bucket)
        except InDoubt:
            self._doubtful = bucket, moves
            raise
        known.update(self._profiles.move(bucket.seq, moves, known))
        self._remember_ids(event.id for event in fresh)

    async def _enter(self, turn: AsyncExitStack) -> None:
        """A folding that the store leaves without an answer must not keep clients waiting as long as itself."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn.enter_async_context(self._profiles.turns)
        except TimeoutError as error:
            raise StoreUnavailable("the store is too slow; nothing was changed, try again") from error

    def _remember_ids(self, ids: Iterable[str]) -> None:
        self._recent.update(dict.fromkeys(ids))
        while len(self._recent) > RECENT_IDS:
            self._recent.popitem(last=False)

    def _answer(self, tickets: list[_Ticket], known: Mapping[str, Profile]) -> None:
        for ticket in tickets:
            visitors = {event.visitor: None for event in ticket.events} | dict.fromkeys(ticket.extra)
            profiles = {visitor: known[visitor] for visitor in visitors}
            accepted = len(ticket.fresh)
            admitted = sum(event.id not in ticket.refused for event in ticket.events)
            duplicates = max(0, admitted - accepted)
            if not ticket.done.done():
                ticket.done.set_result(Taken(accepted, duplicates, ticket.refused, profiles))


def _said(tickets: Iterable[_Ticket], learning: Learning) -> dict[str, Memory]:
    """What these events say of consent, by visitor."""
    found: dict[str, Memory] = {}
    for ticket in tickets:
        if not ticket.own and not ticket.terms.said:
            continue
        for event in ticket.events:
            answers = ticket.terms_of(event).answers(event.at)
            if answers:
                memory = said_at(answers, event.at, learning)
                before = found.get(event.visitor)
                found[event.visitor] = merge(before, memory, learning.names) if before else memory
    return found


def said_at(answers: Consents, at: float, learning: Learning) -> Memory:
    """A visitor's word as a memory. To withdraw PERSONALIZATION also makes void what was learned."""
    word = answers.get(Purpose.PERSONALIZATION)
    withdrawn = word is not None and not word.granted
    return replace(blank(learning), consents=answers, unlearned=at if withdrawn else None)


def _refusal(event: Event, memory: Memory, said: Mapping[str, Memory], terms: Terms) -> Refusal | None:
    if memory.forgotten is not None and event.at <= memory.forgotten:
        return ERASED
    return None if terms.keep(_consents(memory, said.get(event.visitor)), event.at) else NOT_AGREED


def _consents(memory: Memory, said: Memory | None) -> Consents:
    return latest(memory.consents, said.consents) if said else memory.consents


async def _as_they_are(profiles: Mapping[str, Profile]) -> Mapping[str, Profile]:
    """No id is another's: each has said for itself what may be kept."""
    return profiles


async def _alone(said: Mapping[str, Memory]) -> dict[str, Memory]:
    """... and has withdrawn for itself."""
    return dict(said)


def _nobody(visitor: str, consents: Consents) -> None:
    """Nobody is told of a visitor's word."""


def _refuse(tickets: Iterable[_Ticket], error: Exception) -> None:
    for ticket in tickets:
        if not ticket.done.done():
            ticket.done.set_exception(error)
