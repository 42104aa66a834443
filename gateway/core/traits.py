"""Traits that are personal: sealed where they are kept, opened where they are read."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.core.memory import Memory, Trait
from gateway.core.sealing import PersonalTraits, Sealer, Unopened, is_sealed


def sealed(traits: Mapping[str, Any], personal: PersonalTraits, sealer: Sealer) -> dict[str, Any]:
    """Also what only looks sealed: so whatever a client sends is what is read."""
    return {
        name: sealer.seal(value) if name in personal or is_sealed(value) else value
        for name, value in traits.items()
    }


def opened(traits: Mapping[str, Any], sealer: Sealer) -> tuple[dict[str, Any], list[str]]:
    """The traits, and the names of those that no key opens any more."""
    found: dict[str, Any] = {}
    closed: list[str] = []
    for name, value in traits.items():
        try:
            found[name] = sealer.open(value) if is_sealed(value) else value
        except Unopened:
            closed.append(name)
    return found, closed


def resealed(memory: Memory, sealer: Sealer) -> Memory:
    """The same memory, what is sealed in it under the newest key; what no key opens stays as it is."""
    changed = {
        name: Trait(text, trait.at)
        for name, trait in memory.traits.items()
        if is_sealed(trait.value) and (text := _resealed(trait.value, sealer)) != trait.value
    }
    return replace(memory, traits={**memory.traits, **changed}) if changed else memory


def _resealed(text: str, sealer: Sealer) -> str:
    try:
        return sealer.reseal(text)
    except Unopened:
        return text
