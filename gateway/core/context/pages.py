"""The page that asks: its address and the campaign parameters in it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LONGEST_URL = 8192
_MOST_CAMPAIGN_NAMES = 20


def page_facts(url: str | None, referrer: str | None, page: Mapping[str, Any] | None) -> dict[str, Any]:
    """`slug url path host referrer utm`; what the caller knows of the page wins. A bad URL gives no facts."""
    facts = dict(url_facts(url[: LONGEST_URL + 1])) if url else {}
    if referrer:
        facts["referrer"] = referrer
    if page:
        facts.update(page)
    return facts


def url_facts(url: str) -> Mapping[str, Any]:
    try:
        return read_url(url)
    except ValueError:
        return {}


@lru_cache(1024)
def read_url(url: str) -> Mapping[str, Any]:
    """`url path host utm`, of an absolute URL or of a path alone. ValueError for what is no URL."""
    if len(url) > LONGEST_URL:
        raise ValueError(f"is longer than {LONGEST_URL} characters")
    parts = urlsplit(url)
    known = {"url": url, "path": parts.path or "/", "host": parts.hostname, "utm": _campaign(parts.query)}
    return {name: value for name, value in known.items() if value}


def _campaign(query: str) -> dict[str, str]:
    """`utm_source=x` -> `{"source": "x"}`; of a repeated name the last counts."""
    if "utm_" not in query:
        return {}
    named = [(name[4:], value[:200]) for name, value in parse_qsl(query) if name.startswith("utm_")]
    return dict([pair for pair in named if pair[0]][:_MOST_CAMPAIGN_NAMES])
