"""Everything that is kept of a person, for that person to read."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.core.events import Event
from gateway.core.memory import Memory, to_bytes
from gateway.core.profiles import Profile
from gateway.core.pseudonyms import Pseudonym
from gateway.core.records import Record
from gateway.core.sealing import Sealer
from gateway.core.traits import opened
from gateway.services.audit import Ledger
from gateway.services.decisions import Decisions
from gateway.services.people import People
from gateway.services.privacy import COMMAND_LINE
from gateway.services.profiles import Profiles
from gateway.storage.client import SpaceStore
from schemas.vocabulary import AuditKind

MOST_EVENTS = 100_000  # of one id
MOST_DECISIONS = 10_000

Document = dict[str, Any]


class PersonalData:
    def __init__(
        self,
        store: SpaceStore,
        profiles: Profiles,
        people: People,
        decisions: Decisions,
        sealer: Sealer,
        ledger: Ledger,
    ) -> None:
        self._store = store
        self._profiles = profiles
        self._people = people
        self._decisions = decisions
        self._sealer = sealer
        self._ledger = ledger

    async def of(self, visitor: Pseudonym, called: str, by: str = COMMAND_LINE) -> Document:
        """JSON. `called`: the id as clients have it; other ids of the person go by their pseudonyms."""
        others = [id_ for id_ in await self._people.members_of(visitor) if id_ != visitor]
        found = {
            "visitor": called,
            "space": self._ledger.space,
            "exported": _text(datetime.now(UTC).timestamp()),
            **await self._kept(visitor),
            "otherIds": [{"pseudonym": id_, **await self._kept(id_)} for id_ in others],
        }
        counts = {name: len(found[name]) for name in ("events", "decisions", "otherIds")}
        await self._ledger.write(AuditKind.EXPORT, by, visitor, counts)
        return found

    async def _kept(self, visitor: str) -> Document:
        profile = await self._profiles.get(visitor)
        logged = await self._store.events.of_visitor(visitor, MOST_EVENTS)
        events = [Event.from_bytes(event.id, visitor, event.body) for _, event in logged]
        since = profile.memory.forgotten or 0.0
        return {
            "profile": _profile(profile) if profile.clock else None,
            "consents": _consents(profile.memory),
            **self._traits(profile.memory),
            "events": [_event(event) for event in events if event.at > since],
            "decisions": [
                _decision(record) for record in await self._decisions.of_visitor(visitor, MOST_DECISIONS)
            ],
        }

    def _traits(self, memory: Memory) -> Document:
        """Those that no key opens are named, so that it is known that they are kept."""
        values = {name: trait.value for name, trait in memory.traits.items()}
        found, closed = opened(values, self._sealer)
        return {"traits": found, **({"sealedTraits": closed} if closed else {})}


def _profile(profile: Profile) -> Document:
    """Word for word what is stored, but for what is told beside it."""
    memory = replace(profile.memory, traits={}, consents={})
    found: Document = orjson.loads(to_bytes(memory))
    return found


def _consents(memory: Memory) -> Document:
    return {
        str(purpose): {"granted": answer.granted, "at": _text(answer.at)}
        for purpose, answer in memory.consents.items()
    }


def _event(event: Event) -> Document:
    names = ("id", "type", "block", "variant", "decision", "page", "value", "properties")
    found = {name: value for name in names if (value := getattr(event, name)) is not None}
    return {**found, "occurredAt": _text(event.at)}


def _decision(record: Record) -> Document:
    chosen = [
        {"slot": slot, "position": position, "block": block, "variant": variant}
        for slot, position, block, variant in record.chosen
    ]
    return {
        "at": _text(record.at),
        "page": record.slug,
        "basis": record.basis,
        "purposes": list(record.purposes),
        "context": _plain(record.context),
        "chosen": chosen,
    }


def _plain(value: Any) -> Any:
    """The request's facts as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple | set | frozenset) else value


def _text(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
