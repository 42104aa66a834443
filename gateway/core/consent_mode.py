"""Google's Consent Mode, version 2: signals by their names, and as the parameters of a hit."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from gateway.core.consent import Said
from schemas.vocabulary import Purpose

SIGNALS: Mapping[str, Purpose] = {
    "analytics_storage": Purpose.ANALYTICS,
    "personalization_storage": Purpose.PERSONALIZATION,
    "ad_storage": Purpose.MARKETING,
    "ad_user_data": Purpose.MARKETING,
    "ad_personalization": Purpose.MARKETING,
}
WORDS: Mapping[Any, bool] = {"granted": True, "denied": False}

# Of `gcd`: one letter a signal, for what was said by default and by update together.
_LETTERS: Mapping[str, bool] = {
    "t": True, "r": True, "n": True, "v": True, "p": False, "q": False, "m": False, "u": False,
}  # fmt: skip
_GCD = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
_GCS = ("ad_storage", "analytics_storage")
_LONGEST = 40


def of_signals(signals: Mapping[str, Any]) -> Said:
    """`{"ad_storage": "denied"}`; names and words that are not Google's say nothing."""
    pairs = ((SIGNALS.get(name), WORDS.get(word)) for name, word in signals.items() if isinstance(word, str))
    return together((purpose, word) for purpose, word in pairs if purpose is not None and word is not None)


def of_parameters(gcs: str | None, gcd: str | None) -> Said:
    """`gcs=G1` and two digits, `gcd=1` and a letter among the digits for each of four signals.

    Where they differ the second counts, which is the newer.
    """
    if gcs is None and gcd is None:
        return {}
    return _of_parameters((gcs or "")[:_LONGEST], (gcd or "")[:_LONGEST])


@lru_cache(1024)
def _of_parameters(gcs: str, gcd: str) -> Said:
    digits = zip(_GCS, gcs[2:], strict=False) if gcs.startswith("G1") else ()
    signals = {name: digit == "1" for name, digit in digits if digit in "01"}
    letters = (letter for letter in gcd if letter.isalpha()) if gcd.startswith("1") else ()
    signals |= {
        name: _LETTERS[letter] for name, letter in zip(_GCD, letters, strict=False) if letter in _LETTERS
    }
    return together((SIGNALS[name], agreed) for name, agreed in signals.items())


def together(pairs: Iterable[tuple[Purpose, bool]]) -> Said:
    """Of two words on a purpose, no stands."""
    found: dict[Purpose, bool] = {}
    for purpose, agreed in pairs:
        found[purpose] = found.get(purpose, True) and agreed
    return found
