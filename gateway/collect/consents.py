"""What messages say of consent: categories of consent platforms, and Google's Consent Mode."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from schemas.vocabulary import Purpose

# What consent platforms, Google and our own contract call the purposes. Others are the sender's own, and say nothing.
CATEGORIES: Mapping[str, Purpose] = {
    "analytics": Purpose.ANALYTICS,
    "analytics_storage": Purpose.ANALYTICS,
    "c0002": Purpose.ANALYTICS,  # OneTrust: performance
    "performance": Purpose.ANALYTICS,
    "statistics": Purpose.ANALYTICS,
    "c0003": Purpose.PERSONALIZATION,  # OneTrust: functional
    "functional": Purpose.PERSONALIZATION,
    "personalization": Purpose.PERSONALIZATION,
    "personalization_storage": Purpose.PERSONALIZATION,
    "preferences": Purpose.PERSONALIZATION,
    "experimentation": Purpose.EXPERIMENTATION,
    "ad_personalization": Purpose.MARKETING,
    "ad_storage": Purpose.MARKETING,
    "ad_user_data": Purpose.MARKETING,
    "advertising": Purpose.MARKETING,
    "c0004": Purpose.MARKETING,  # OneTrust: targeting
    "marketing": Purpose.MARKETING,
    "targeting": Purpose.MARKETING,
}
_SAID: Mapping[Any, bool] = {"granted": True, "denied": False}

# Google's `gcd`: one letter a signal, for what was said by default and by update together.
_LETTERS: Mapping[str, bool] = {
    "t": True, "r": True, "n": True, "v": True, "p": False, "q": False, "m": False, "u": False,
}  # fmt: skip
_GCD = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
_GCS = ("ad_storage", "analytics_storage")
_LONGEST = 40


def said(categories: Mapping[str, Any]) -> Mapping[Purpose, bool]:
    """`{"analytics": true, "C0004": false}`, or `{"ad_storage": "denied"}`; of two words on a purpose no stands."""
    if not categories:
        return {}
    pairs = (
        (name, _SAID.get(value) if isinstance(value, str) else value) for name, value in categories.items()
    )
    return _purposes((name, value) for name, value in pairs if isinstance(value, bool))


def _purposes(pairs: Iterable[tuple[str, bool]]) -> Mapping[Purpose, bool]:
    found: dict[Purpose, bool] = {}
    for name, agreed in pairs:
        purpose = CATEGORIES.get(name.lower())
        if purpose is not None:
            found[purpose] = found.get(purpose, True) and agreed
    return found


def of_google(gcs: str | None, gcd: str | None) -> Mapping[Purpose, bool]:
    """Of a hit's parameters: `gcs=G1` and two digits, `gcd=1` and a letter among the digits for each of four signals.

    Where they differ the second counts, which is the newer.
    """
    if gcs is None and gcd is None:
        return {}
    return _of_google((gcs or "")[:_LONGEST], (gcd or "")[:_LONGEST])


@lru_cache(1024)
def _of_google(gcs: str, gcd: str) -> Mapping[Purpose, bool]:
    digits = zip(_GCS, gcs[2:], strict=False) if gcs.startswith("G1") else ()
    signals = {name: digit == "1" for name, digit in digits if digit in "01"}
    letters = (letter for letter in gcd if letter.isalpha()) if gcd.startswith("1") else ()
    signals |= {
        name: _LETTERS[letter] for name, letter in zip(_GCD, letters, strict=False) if letter in _LETTERS
    }
    return _purposes(signals.items())
