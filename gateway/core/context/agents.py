"""What a User-Agent string says of the device. ua-parser names things; the tables here make the names few."""

import re
from collections.abc import Mapping
from functools import cache

from is_crawler import crawler_info, crawler_signals, is_crawler
from ua_parser import OS, BestAvailableResolver, Domain, Parser, UserAgent, load_lazy_builtins

# The first that matches decides. Televisions and tablets come first: they also say Android, Linux, Mobile.
_TYPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(signs, re.IGNORECASE))
    for kind, signs in (
        ("mobile", r"playstation (vita|portable)|nintendo 3?ds"),
        ("tv", r"playstation|xbox|nintendo (switch|wii)"),
        ("tv", r"smart-?tv|google ?tv|android ?tv|apple ?tv|tvos|opera tv|philipstv|hbbtv|\bdtv"),
        ("tv", r"netcast|web0s|webos\.tv|bravia|viera|roku|\bcrkey|mibox|shield android"),
        ("tv", r"\baft[a-z]{1,5}\b|tizen[^)]*\btv\b"),
        ("tablet", r"ipad|tablet(?! pc)|kindle|playbook|lenovo tb|\bxoom|nexus (7|9|10)\b"),
        ("tablet", r"\bsm-[tx]\d|\bkf[a-z]{2,5}\b"),
        ("mobile", r"mobi|iphone|ipod|windows phone|blackberry|opera mini|symbian|series60|kaios|midp"),
        ("tablet", r"^mozilla/.*android"),  # a browser on Android that does not say Mobile
        ("mobile", r"android"),
        ("desktop", r"windows nt|macintosh|x11|cros|linux"),
    )
)
_SYSTEMS: Mapping[str, str] = {"Mac OS X": "macOS", "ATV OS X": "tvOS", "Web0S": "webOS"}
_BROWSERS: Mapping[str, str] = {
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Android WebView",
    "Firefox iOS": "Firefox",
    "IE": "Internet Explorer",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "iOS WebView",
}
_MODEL = re.compile(
    r"\bAndroid [\w.]+; (?:[a-z]{2}-[a-z]{2}; )?(?:SAMSUNG )?([^;()]{2,60}?)(?: Build/[^;)]*)?(?:; wv)?\)"
    r"|\((iP(?:hone|ad|od))\b",
    re.IGNORECASE,
)
_NO_MODELS = frozenset({"Mobile", "Tablet", "TV"})  # where Firefox says the kind of the device
_LONGEST_CRAWLER = 512  # characters that decide: the library keeps tens of thousands of strings
_CUBOT = re.compile(r"\bcubot\b", re.IGNORECASE)  # a make of telephones


@cache
def parser() -> Parser:
    """Takes a tenth of a second and 11 MB, once. No cache of its own: `devices` keeps the readings.

    The six hundred patterns of devices are left out: they took 15 MB more, for the model alone.
    """
    agents, systems, _ = load_lazy_builtins()
    return Parser(BestAvailableResolver((agents, systems, [])))


def read_agent(agent: str) -> dict[str, str | bool | None]:
    """`type os osVersion browser browserVersion model bot`; None where the string does not say."""
    result = parser()(agent, Domain.USER_AGENT | Domain.OS)
    return {
        "type": device_type(agent, result.os),
        "os": _SYSTEMS.get(result.os.family, result.os.family) if result.os else None,
        "osVersion": _system_version(agent, result.os),
        "browser": _browser(result.user_agent.family) if result.user_agent else None,
        "browserVersion": _version(result.user_agent),
        "model": _model(agent),
        "bot": is_bot(agent),
    }


def device_type(agent: str, system: OS | None = None) -> str | None:
    for kind, pattern in _TYPES:
        if pattern.search(agent):
            return kind
    # An iOS app's own requests name no device, only the version of its network library.
    return "mobile" if system and system.family == "iOS" else None


def is_bot(agent: str) -> bool:
    """A crawler, a preview fetcher, a monitor, a headless browser.

    Not an HTTP library or an app (`node`, `okhttp`, `curl`): through an API these speak for a visitor.
    """
    agent = _CUBOT.sub("", agent[:_LONGEST_CRAWLER])
    if not is_crawler(agent):
        return False
    known = crawler_info(agent)
    if known is not None:
        return "http-library" not in known.tags
    return crawler_signals(agent) != ["no_browser_signature"]


def _browser(family: str) -> str:
    family = family.removesuffix(" Mobile")
    return _BROWSERS.get(family, family)


def _system_version(agent: str, system: OS | None) -> str | None:
    # Chrome sends "Android 10; K" from every Android: the model and the version are made up.
    return None if "Android 10; K)" in agent else _version(system)


def _version(named: UserAgent | OS | None) -> str | None:
    if named is None:
        return None
    parts = (named.major, named.minor, named.patch)
    return ".".join(part for part in parts if part) or None


def _model(agent: str) -> str | None:
    """As the string has it; Chrome on Android has none any more (`K`), its Client Hints do."""
    found = _MODEL.search(agent)
    model = (found[1] or found[2]).strip() if found else None
    return None if model in _NO_MODELS else model
