"""The languages that a request asks for."""

import re
from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

_MOST = 10  # languages of one request that are heeded
_RANGE = re.compile(r"\s*([A-Za-z0-9_-]{1,35})\s*(?:;\s*q\s*=\s*(\d(?:\.\d*)?)\s*)?")


@lru_cache(4096)
def accepted_languages(header: str) -> tuple[str, ...]:
    """Accept-Language (RFC 9110) as normalised BCP 47 tags, best first; what cannot be read is skipped."""
    ranges = [_quality(item) for item in header[:1024].split(",")]
    wanted = sorted((found for found in ranges if found[0] > 0), key=lambda found: -found[0])
    return tuple(dict.fromkeys(tag for _, tag in wanted))[:_MOST]


def _quality(item: str) -> tuple[float, str]:
    matched = _RANGE.fullmatch(item)
    tag = normal_language(matched[1]) if matched else None
    if matched is None or tag is None:
        return 0.0, ""
    return min(float(matched[2] or 1), 1.0), tag


@lru_cache(4096)
def normal_language(tag: str) -> str | None:
    """`pt_br` -> `pt-BR`; None for what BCP 47 does not know."""
    try:
        normal = langcodes.standardize_tag(tag)
        return normal if langcodes.tag_is_valid(normal) else None
    except LanguageTagError:
        return None


def language_of(tag: str) -> str:
    return tag.partition("-")[0].lower()
