"""Reading single values out of headers, tolerantly: what cannot be read is None."""

from math import isfinite
from urllib.parse import unquote

_LONGEST = 100  # characters of a name: the longest place names fit


def text(value: str | None) -> str | None:
    """A name. Percent-encoding (Vercel, CloudFront) and UTF-8 read as Latin-1 (Cloudflare) are undone."""
    if not value:
        return None
    decoded = _as_utf8(unquote(value[: 3 * _LONGEST]) if "%" in value else value).strip()[:_LONGEST]
    return decoded if decoded.isprintable() and decoded not in _UNKNOWN else None


_UNKNOWN = frozenset({"", "?", "unknown", "Unknown", "XX", "ZZ"})


def code(value: str | None) -> str | None:
    """A short code in capitals, such as the subdivision part of ISO 3166-2."""
    found = text(value)
    return found.upper() if found else None


def coordinate(value: str | float | None, limit: int) -> float | None:
    """Degrees between -limit and limit."""
    if value is None or isinstance(value, bool):
        return None
    try:
        degrees = float(value)
    except (ValueError, OverflowError):
        return None
    return degrees if isfinite(degrees) and abs(degrees) <= limit else None


def _as_utf8(value: str) -> str:
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value  # it was Latin-1 after all, or is decoded already
