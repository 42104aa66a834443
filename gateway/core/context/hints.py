"""User-Agent Client Hints: what Chromium's browsers say of the device in structured fields (RFC 8941)."""

import re
from collections.abc import Mapping

from gateway.core.context.values import text

_BRAND = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s*;\s*v\s*=\s*"([^"]*)")?')
_LETTERS = re.compile(r"[^a-z]+")
_BROWSERS: Mapping[str, str] = {
    "Google Chrome": "Chrome",
    "Microsoft Edge": "Edge",
    "YaBrowser": "Yandex Browser",
}
_SYSTEMS: Mapping[str, str] = {"Chromium OS": "Chrome OS"}
_FORM_FACTORS: Mapping[str, str] = {"Mobile": "mobile", "Tablet": "tablet", "Desktop": "desktop"}
_DESKTOPS = frozenset({"Windows", "macOS", "Linux", "Chrome OS"})


def brands(header: str) -> list[tuple[str, str | None]]:
    """Names and versions, without the made-up one ("Not A;Brand") that keeps parsers honest."""
    named = [(name.replace("\\", ""), version or None) for name, version in _BRAND.findall(header)]
    return [(name, version) for name, version in named if not _made_up(name)]


def _made_up(name: str) -> bool:
    letters = _LETTERS.sub("", name.lower())
    return letters.startswith("not") and letters.endswith("brand")


def browser(header: str) -> tuple[str | None, str | None]:
    """The brand that is more than the engine: Edge rather than Chromium."""
    named = sorted(brands(header), key=lambda brand: brand[0] == "Chromium")
    if not named:
        return None, None
    name, version = named[0]
    return text(_BROWSERS.get(name, name)), text(version)


def headless(header: str) -> bool:
    """A browser that nobody looks at: a program steers it."""
    return any(name.startswith("Headless") for name, _ in brands(header))


def string(header: str) -> str | None:
    found = _BRAND.match(header.strip())
    return text(found[1]) if found else None


def platform(header: str) -> str | None:
    name = string(header)
    return None if name in (None, "Unknown") else _SYSTEMS.get(name, name)


def platform_version(header: str, system: str | None) -> str | None:
    version = string(header)
    return windows_version(version) if system == "Windows" and version else version


def windows_version(version: str) -> str | None:
    """Windows sends the version of an interface: 13 and above is Windows 11, 1 to 10 is Windows 10."""
    major = version.partition(".")[0]
    if not major.isdecimal() or len(major) > 4:
        return None
    if int(major) == 0:
        return {"0.1": "7", "0.2": "8", "0.3": "8.1"}.get(version[:3])
    return "11" if int(major) >= 13 else "10"


def device_type(mobile: str, system: str | None, form_factors: str) -> str | None:
    for name, _ in brands(form_factors):
        if name in _FORM_FACTORS:
            return _FORM_FACTORS[name]
    if mobile.strip() == "?1":
        return "mobile"
    if mobile.strip() != "?0":
        return None
    return "tablet" if system == "Android" else "desktop" if system in _DESKTOPS else None
