"""The page that is measured, the visitors who ask for it, and how they ask.

8 slots of 20 variants each and a feed of 10 from 10,000 blocks, as `deciding.py` makes them.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from deciding import ARTICLES, HEADERS, entries_of

from gateway.core.bundles import Bundle

VISITORS = tuple(f"v{number}" for number in range(64))
OTHERS = tuple(f"other-{visitor}" for visitor in VISITORS)  # who do things, and ask for nothing
VIEWS = 30  # events that make a profile warm
TEXT = {
    "type": "object",
    "properties": {"headline": {"type": "string"}, "text": {"type": "string"}, "url": {"type": "string"}},
    "required": ["headline", "text"],
}

FIELDS = "key type variant position score data"
QUERY = """\
query Page($slug: String!, $visitor: ID!, $context: ContextInput) {
  page(slug: $slug, visitor: $visitor, context: $context) {
    title
    basis
    slots { name blocks { ...Chosen } }
  }
}
fragment Chosen on ChosenBlock { %s }
"""
PAGE = QUERY % FIELDS
WITHOUT_DATA = QUERY % "key type variant position score"
TYPED = QUERY % (
    "key type variant position score content { __typename ... on Article { headline text url } "
    "... on Fixed { headline text url } }"
)
REASONED = QUERY % (
    f"{FIELDS} reason {{ strategy summary matched similarity because {{ tag weight }} candidates {{ block variant "
    "chosen eligible score parts summary failed { path operator expected actual } } }"
)
TRACK = """\
mutation Track($events: [EventInput!]!) {
  track(events: $events) { accepted visitors { id profileVersion } }
}
"""
CONTEXT: Mapping[str, Any] = {"url": "https://x.example/?utm_source=news", "timezone": "Europe/London"}


def bundle() -> dict[str, list[dict[str, Any]]]:
    """As `blockloom load` reads it."""
    names = {"blockType": "blockTypes", "segment": "segments", "block": "blocks", "page": "pages"}
    kinds: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    for entry in entries_of(random.Random(7)):
        kinds[names[entry.kind]].append(orjson.loads(entry.body))
    kinds["blockTypes"] = [{"name": one["name"], "schema": TEXT} for one in kinds["blockTypes"]]
    return kinds


def documents() -> Bundle:
    """The same, for a gateway in this process."""
    found = bundle()
    names = {"blockTypes": "blockType", "segments": "segment", "blocks": "block", "pages": "page"}
    return Bundle.of({names[name]: kind for name, kind in found.items()})


def views() -> Sequence[Mapping[str, Any]]:
    """Events that give each visitor a profile."""
    rng = random.Random(11)
    return [view(visitor, f"{visitor}-{n}", rng) for n in range(VIEWS) for visitor in VISITORS + OTHERS]


def view(visitor: str, name: str, rng: random.Random) -> dict[str, Any]:
    block = f"article{rng.randrange(ARTICLES):06}"
    return {"id": name, "type": "view", "visitor": visitor, "block": block}


def asked(visitor: str, query: str = PAGE) -> bytes:
    """The body of a request for the page."""
    variables = {"slug": "home", "visitor": visitor, "context": CONTEXT}
    return orjson.dumps({"query": query, "variables": variables, "operationName": "Page"})


def tracked(events: Sequence[Mapping[str, Any]]) -> bytes:
    return orjson.dumps({"query": TRACK, "variables": {"events": events}})


def headers(token: str | None) -> dict[str, str]:
    """What a browser behind a CDN sends along."""
    always = {**HEADERS, "content-type": "application/json", "accept": "application/json"}
    return always | ({"authorization": f"Bearer {token}"} if token else {})
