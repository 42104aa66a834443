"""The visitor's device: Client Hints, then what a CDN found, then the User-Agent."""

from collections.abc import Mapping
from functools import lru_cache

from gateway.core.context import hints
from gateway.core.context.agents import read_agent
from gateway.core.context.findings import NOTHING, SAID, Finding

Headers = Mapping[str, str]

_LONGEST_AGENT = 1024  # characters that are read
_LONGEST_HINT = 256
HINTS = (
    "sec-ch-ua",
    "sec-ch-ua-full-version-list",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-ch-ua-platform-version",
    "sec-ch-ua-model",
    "sec-ch-ua-form-factors",
)
# In this order: CloudFront says "mobile" of tablets, too.
_CDN_TYPES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("cloudfront-is-smarttv-viewer", {"true": "tv"}),
    ("cloudfront-is-tablet-viewer", {"true": "tablet"}),
    ("cloudfront-is-mobile-viewer", {"true": "mobile"}),
    ("cloudfront-is-desktop-viewer", {"true": "desktop"}),
    ("cf-device-type", {"mobile": "mobile", "tablet": "tablet", "desktop": "desktop"}),
)
_CDN_SYSTEMS = (("cloudfront-is-ios-viewer", "iOS"), ("cloudfront-is-android-viewer", "Android"))
CDN_HINTS = tuple(name for name, _ in (*_CDN_TYPES, *_CDN_SYSTEMS))
_ALL_HINTS = HINTS + CDN_HINTS
_VERSIONS = (("os", "osVersion"), ("browser", "browserVersion"))
TOUCHED = frozenset({"mobile", "tablet"})
BOT: Mapping[str, str | bool] = {"type": "bot", "bot": True}
UNKNOWN = Finding({"type": "unknown", "bot": False, "touch": False}, {"type": "default"})


def device(headers: Headers, believe_cdn: bool) -> Finding:
    """`type os osVersion browser browserVersion model bot touch`; type, bot and touch are always there."""
    names = _ALL_HINTS if believe_cdn else HINTS
    values = tuple([(headers.get(name) or "")[:_LONGEST_HINT] for name in names])
    return _device((headers.get("user-agent") or "")[:_LONGEST_AGENT], names, values)


@lru_cache(2048)
def _device(user_agent: str, names: tuple[str, ...], values: tuple[str, ...]) -> Finding:
    headers = dict(zip(names, values, strict=True))
    agent, hinted = _from_agent(user_agent), _from_hints(headers)
    lower = overlay(_from_cdn(headers), agent)
    if "os" in hinted.facts:  # browsers that send hints freeze the system's version in the User-Agent
        lower = lower.without("osVersion")
    named = overlay(hinted, lower)
    if agent.facts.get("type") == "tv":  # televisions pass for tablets in hints, for desktops with CDNs
        named = agent.over(named)
    sign = "user-agent" if agent.facts.get("bot") else _headless(headers)
    if sign:
        named = Finding.of(BOT, sign).over(named)
    return finished(named)


def overlay(upper: Finding, lower: Finding) -> Finding:
    """The upper over the lower; a version goes with the name that it was said of."""
    contradicted = [
        version
        for name, version in _VERSIONS
        if name in upper.facts and upper.facts[name] != lower.facts.get(name)
    ]
    return upper.over(lower.without(*contradicted) if contradicted else lower)


def described(said: Finding, read: Finding) -> Finding:
    """What the client describes outright, over what was read from its headers.

    A type other than the one that was read means another device (a server asks for its visitor, an
    editor tries a persona): nothing of the asking one is kept.
    """
    kind, bot = said.facts.get("type"), said.facts.get("bot")
    if kind is None and bot is True:
        said = Finding.of({"type": "bot"}, SAID).over(said)
    elif kind is None and bot is False and read.facts["type"] == "bot":
        read = read.without("type")
    elif kind is not None and kind != read.facts["type"]:
        read = NOTHING
    if kind == "bot" and bot is None:
        said = Finding.of({"bot": True}, SAID).over(said)
    return finished(overlay(said, read.without("touch")))


def finished(found: Finding) -> Finding:
    touch = found.facts.get("type") in TOUCHED
    return Finding({**found.facts, "touch": touch}, found.sources).over(UNKNOWN)


def _from_agent(agent: str) -> Finding:
    return Finding.of(read_agent(agent), "user-agent") if agent else NOTHING


def _headless(headers: Headers) -> str | None:
    """The hint by which a browser without a window gives itself away, whatever its User-Agent was set to."""
    named = ("sec-ch-ua-full-version-list", "sec-ch-ua")
    return next((name for name in named if hints.headless(headers[name])), None)


def _from_cdn(headers: Headers) -> Finding:
    found = NOTHING
    for name, types in _CDN_TYPES:
        found = found.over(Finding.of({"type": types.get(headers.get(name, "").lower())}, name))
    for name, system in _CDN_SYSTEMS:
        if headers.get(name) == "true":
            found = found.over(Finding.of({"os": system}, name))
    return found


def _from_hints(headers: Headers) -> Finding:
    brand_header = "sec-ch-ua-full-version-list" if headers["sec-ch-ua-full-version-list"] else "sec-ch-ua"
    browser, browser_version = hints.browser(headers[brand_header])
    system = hints.platform(headers["sec-ch-ua-platform"])
    version = hints.platform_version(headers["sec-ch-ua-platform-version"], system)
    kind = hints.device_type(headers["sec-ch-ua-mobile"], system, headers["sec-ch-ua-form-factors"])
    said = (
        ("type", kind, "sec-ch-ua-mobile"),
        ("os", system, "sec-ch-ua-platform"),
        ("osVersion", version, "sec-ch-ua-platform-version"),
        ("browser", browser, brand_header),
        ("browserVersion", browser_version, brand_header),
        ("model", hints.string(headers["sec-ch-ua-model"]), "sec-ch-ua-model"),
    )
    known = [line for line in said if line[1]]
    return Finding({name: value for name, value, _ in known}, {name: source for name, _, source in known})
