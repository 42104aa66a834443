"""What must be kept of a decision so that it can be made again, and explained, days later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from gateway.core.memory import Learning, from_bytes, to_bytes
from gateway.core.profiles import Profile
from schemas.vocabulary import Purpose


@dataclass(frozen=True, slots=True)
class Record:
    """One page as it was decided: everything that choosing read, and what was chosen."""

    at: float
    slug: str
    revision: str
    basis: str
    context: Mapping[str, Any]
    locales: Sequence[str]
    share: float
    purposes: Sequence[str]
    chosen: Sequence[tuple[str, int, str, str]]  # slot, position, block, variant
    visitor: str | None = None  # a pseudonym
    called: str | None = None  # the visitor's id as clients have it; kept sealed (services/decisions)
    memory: str | None = None  # JSON; None where nothing personal was used
    clock: Mapping[str, int] | None = None
    segments: Sequence[str] | None = None  # forced by a preview
    where: Mapping[str, Any] | None = None  # the filter of recommendations, which are on no page

    def profile(self, learning: Learning) -> Profile | None:
        if self.visitor is None or self.memory is None:
            return None
        return Profile(self.visitor, from_bytes(self.memory.encode()), self.clock or {}, learning)

    def granted(self) -> tuple[Purpose, ...]:
        return tuple(Purpose(name) for name in self.purposes)

    def to_json(self) -> dict[str, Any]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Record":
        return cls(**found)


def remembered(profile: Profile | None, called: str | None = None) -> dict[str, Any]:
    """A record's personal part."""
    if profile is None:
        return {}
    return {
        "visitor": profile.id,
        "called": called,
        "memory": to_bytes(profile.memory).decode(),
        "clock": dict(profile.clock),
    }


def decision_id(page: str, slot: int, position: int) -> str:
    """The id of one choice: the page's id, the slot's place on it, the position in the slot."""
    return f"{page}.{slot}.{position}"


def read_decision_id(text: str) -> tuple[str, int, int, int] | None:
    """(bucket, record, slot, position); None for what is not one of our ids."""
    parts = text.split(".")
    if len(parts) != 4 or not parts[0].replace("-", "").isalnum() or len(text) > 80:
        return None
    numbers = parts[1:]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return None
    record, slot, position = map(int, numbers)
    return parts[0], record, slot, position
