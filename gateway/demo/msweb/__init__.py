"""Real visits for the demo: what people opened on www.microsoft.com in a week of 1998 (SOURCE.md)."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import resources
from itertools import islice
from typing import Any

from gateway.demo.msweb.families import families

Document = dict[str, Any]

FIRST_VISITOR = 10001
WEEK = timedelta(days=7)
BETWEEN_AREAS = timedelta(minutes=1)
# Stepping through the week by the golden ratio spreads any number of visitors evenly over it.
GOLDEN = (5**0.5 - 1) / 2

AREA_TYPE: Document = {
    "name": "Area",
    "description": "A part of the web site.",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["title", "url"],
        "properties": {
            "title": {"type": "string", "minLength": 1, "description": "As the site's own list has it"},
            "url": {"type": "string", "pattern": "^/", "description": "The path it stood at in 1998"},
        },
    },
    "template": '<article class="area"><h3>{{ data.title }}</h3><code>{{ data.url }}</code></article>',
}
WELCOME_TYPE: Document = {
    "name": "Welcome",
    "description": "The greeting above the areas.",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["headline", "text"],
        "properties": {
            "headline": {"type": "string", "minLength": 1, "description": "The greeting"},
            "text": {"type": "string", "description": "What there is to do"},
        },
    },
    "template": '<header class="welcome"><h1>{{ data.headline }}</h1><p>{{ data.text }}</p></header>',
}
SEGMENTS: list[Document] = [
    {"key": "developers", "name": "Developers", "when": {"interests.developer": {"$gte": 0.3}}},
    {"key": "office-users", "name": "Office users", "when": {"interests.office": {"$gte": 0.3}}},
]
WELCOME: Document = {
    "key": "welcome",
    "type": "Welcome",
    "data": {
        "headline": "Welcome to the web of February 1998",
        "text": "Open an area, and the list below it follows.",
    },
    "variants": [
        {
            "key": "developers",
            "when": {"segments": {"$in": ["developers"]}},
            "tags": {"developer": 1.0},
            "patch": {"headline": "Hello, developer", "text": "Compilers, controls and documentation first."},
        },
        {
            "key": "office-users",
            "when": {"segments": {"$in": ["office-users"]}},
            "tags": {"office": 1.0},
            "patch": {"headline": "Back to the office", "text": "Documents, sheets and slides first."},
        },
        {
            "key": "late",
            "when": {"time": {"$clock": ["22:00", "05:00"]}},
            "patch": {"headline": "The lines are free at this hour", "text": "A good time for a download."},
        },
    ],
}
HOME: Document = {
    "slug": "home",
    "title": "www.microsoft.com, February 1998",
    "slots": [
        {"name": "welcome", "strategy": "rules", "block": "welcome"},
        {"name": "feed", "strategy": "feed", "where": {"type": "Area"}, "limit": 10},
        {
            "name": "popular",
            "strategy": "feed",
            "where": {"type": "Area"},
            "limit": 5,
            "weights": {"now": 0.0, "usual": 0.0, "recency": 0.0, "popularity": 1.0},
            "diversity": 0.0,
        },
    ],
}


def areas() -> dict[str, list[Document]]:
    """The site as a bundle: a block for each area, tagged by its families, and a page over them."""
    return {
        "blockTypes": [AREA_TYPE, WELCOME_TYPE],
        "segments": SEGMENTS,
        "blocks": [WELCOME, *map(_block, _records("areas.json"))],
        "pages": [HOME],
    }


def visits(limit: int | None = None, *, end: datetime) -> Iterator[Document]:
    """View events, at most `limit`, visitor by visitor, in the week before `end` (an aware time).

    The same `end` gives the same events, ids included, so that loading them twice changes nothing.
    """
    every = (
        _view(number, area, end - WEEK + into_the_week + place * BETWEEN_AREAS)
        for number, visited in enumerate(_records("visits.json"))
        for into_the_week in [number * GOLDEN % 1 * (WEEK - len(visited) * BETWEEN_AREAS)]
        for place, area in enumerate(visited)
    )
    return islice(every, limit)


def lengths() -> list[int]:
    """How many areas each visitor opened, in the order of `visits`."""
    return [len(visited) for visited in _records("visits.json")]


def visitor_id(place: int) -> str:
    """By the visitor's place in the order of `visits`."""
    return f"msweb-{FIRST_VISITOR + place}"


def opened(number: int) -> list[str]:
    """The blocks of the areas that a visitor opened, by the visitor's number in the data set."""
    return [f"area-{area}" for area in _records("visits.json")[number - FIRST_VISITOR]]


def _records(name: str) -> list[Any]:
    return json.loads(resources.files(__name__).joinpath(name).read_bytes())  # type: ignore[no-any-return]


def _block(area: Document) -> Document:
    return {
        "key": f"area-{area['id']}",
        "type": "Area",
        "tags": dict.fromkeys(families(area["title"], area["url"]), 1.0),
        "data": {"title": area["title"], "url": area["url"]},
    }


def _view(number: int, area: int, at: datetime) -> Document:
    visitor = visitor_id(number)
    return {
        "id": f"{visitor}-{area}",
        "visitor": visitor,
        "type": "view",
        "block": f"area-{area}",
        "occurredAt": at.isoformat(timespec="milliseconds"),
    }
