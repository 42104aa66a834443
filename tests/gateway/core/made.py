"""Content, visitors and circumstances in a line each, for tests."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from content_blocks.eligibility import acceptable_locales
from gateway.core.asking import ask_of
from gateway.core.bundles import KINDS
from gateway.core.catalogue import Catalogue, Entry, compile_catalogue
from gateway.core.context import COUNTRY_DATABASE, Context, ContextReader
from gateway.core.editions import Edition
from gateway.core.events import Event
from gateway.core.memory import Learning, Memory, remember
from gateway.core.personalize import Ask
from gateway.core.profiles import Profile, moved, stranger
from gateway.core.signals import Signals
from schemas.vocabulary import Purpose

NOW = 1_796_500_000.0
LEARNING = Learning()
READER = ContextReader(COUNTRY_DATABASE)
SMALL_TYPE = {"name": "Card", "schema": {"type": "object", "properties": {"headline": {"type": "string"}}}}


def entry(kind: str, document: Mapping[str, Any], revision: int = 1) -> Entry:
    return Entry(kind, document[KINDS[kind].identity], revision, orjson.dumps(document))


def entries(revision: int = 1, **documents: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """By kind: entries(block=[...], page=[...])."""
    named = {"blockType": [SMALL_TYPE], **documents}
    return [entry(kind, document, revision) for kind, found in named.items() for document in found]


def catalogue(**documents: Iterable[Mapping[str, Any]]) -> Catalogue:
    return compile_catalogue(1, entries(**documents))


def edition(signals: Signals = Signals(), **documents: Iterable[Mapping[str, Any]]) -> Edition:  # noqa: B008
    return Edition(catalogue(**documents), signals)


def card(key: str, *variants: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A block whose headline is its key."""
    return {"key": key, "type": "Card", "data": {"headline": key}, "variants": list(variants), **fields}


def page(*slots: Mapping[str, Any], slug: str = "home") -> dict[str, Any]:
    return {"slug": slug, "title": slug, "slots": list(slots)}


def fixed(name: str, block: str, strategy: str = "rules") -> dict[str, Any]:
    return {"name": name, "strategy": strategy, "block": block}


def feed(name: str = "feed", **fields: Any) -> dict[str, Any]:
    return {"name": name, "strategy": "feed", "where": {"type": "Card"}, **fields}


def context(at: float = NOW, **given: Any) -> Context:
    return READER.read({}, None, given, at, {"slug": "home"})


def asking(found: Edition, profile: Profile | None = None, at: float = NOW, **given: Any) -> Ask:
    here = context(at, **given)
    return ask_of(found.catalogue, here.facts, here.locales, profile, tuple(Purpose), 0.5)


def asking_in(found: Edition, locale: str) -> Ask:
    here = context()
    return ask_of(found.catalogue, here.facts, acceptable_locales([locale]), None, (), 0.5)


def event(number: int = 1, type: str = "view", at: float = NOW, **fields: Any) -> Event:  # noqa: A002
    return Event(id=f"e{number}", type=type, visitor="ann", at=at, **fields)


def liking(at: float = NOW, type: str = "like", **tags: float) -> Memory:  # noqa: A002
    """The memory of one event on a block with these features."""
    return remember([(event(type=type, at=at), tags)], LEARNING)


def visitor(*memories: Memory, process: str = "p") -> Profile:
    return moved(stranger("ann", LEARNING), process, enumerate(memories, 1))
