"""Whom a preview can play: spaces, and people who visit them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Persona:
    """A visitor with a story; `events` (type, block, value) are what happened in it so far."""

    visitor: str
    name: str
    story: str
    context: Mapping[str, Any] = field(default_factory=dict)  # as `ContextInput` has it
    events: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    space: str
    title: str
    personas: Sequence[Persona] = ()

    def persona(self, visitor: str) -> Persona | None:
        return next((persona for persona in self.personas if persona.visitor == visitor), None)
