"""Filling the demo's spaces: their content, and the stories of those who can be played."""

import asyncio
import time
from collections.abc import Sequence
from importlib import resources

from gateway.console.stages import Persona, Stage
from gateway.core.bundles import Bundle, read_bundle
from gateway.core.events import Event
from gateway.demo import msweb
from gateway.errors import InvalidContent
from gateway.services.gateway import Gateway
from gateway.services.space import Space

BEFORE = 86400.0  # seconds ago that the stories happened


async def open_space(gateway: Gateway, name: str) -> Space:
    """The space with its content; what is published there already stays as it was edited."""
    space = await gateway.create_space(name)
    if not space.shelf.edition.catalogue.revision:
        await space.authoring.load(await asyncio.to_thread(_BUNDLES[name]), "demo")
    return space


async def tell_stories(space: Space, stage: Stage) -> None:
    """What the personas did before the curtain rises; whoever is known here already is left alone."""
    known = await space.profiles.get_many([space.key(persona.visitor) for persona in stage.personas])
    events = [
        space.keyed(event)
        for persona in stage.personas
        if not known[space.key(persona.visitor)].clock
        for event in story(persona, time.time() - BEFORE)
    ]
    await space.intake.submit(events)


def story(persona: Persona, at: float) -> Sequence[Event]:
    return [
        Event(id=f"{persona.visitor}-story-{number}", visitor=persona.visitor, at=at + number, **event)
        for number, event in enumerate(persona.events)
    ]


def _shop() -> Bundle:
    text = resources.files("gateway.demo").joinpath("shop.yaml").read_bytes()
    bundle, problems = read_bundle(text, "shop.yaml")
    if problems:
        raise InvalidContent("the demo's own content cannot be read; install Blockloom again", problems)
    return bundle


def _msweb() -> Bundle:
    kinds = {"blockTypes": "blockType", "segments": "segment", "blocks": "block", "pages": "page"}
    return Bundle.of({kinds[plural]: documents for plural, documents in msweb.areas().items()})


_BUNDLES = {"shop": _shop, "msweb": _msweb}
