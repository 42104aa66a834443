"""Consent strings of IAB Europe's Transparency and Consent Framework, version 2, in our purposes.

`iab_tcf` decodes them. Vendors and publishers' restrictions are passed over: they say nothing of us, and a string
made for it could keep their reader busy for minutes.
"""

import binascii
from collections.abc import Mapping
from functools import lru_cache

from iab_tcf.iab_tcf import base64_decode  # type: ignore[import-untyped]
from iab_tcf.iab_tcf_v2 import ConsentV2  # type: ignore[import-untyped]

from gateway.core.consent import Said
from schemas.vocabulary import Purpose

# A purpose is granted where all of the framework's are consented to; a legitimate interest is no consent.
# 1 store on a device; 3, 4 profiles for advertising; 5, 6 profiles for content; 7, 8 measure advertising, content;
# 9 understand audiences; 10 improve services.
PURPOSES: Mapping[Purpose, tuple[int, ...]] = {
    Purpose.ANALYTICS: (1, 8, 9),
    Purpose.PERSONALIZATION: (1, 5, 6),
    Purpose.EXPERIMENTATION: (1, 8, 10),
    Purpose.MARKETING: (1, 3, 4, 7),
}
REFUSAL: Said = dict.fromkeys(Purpose, False)
VERSION = 2
HEAD = 40  # characters of the first segment that hold its purposes, and what is read with them
LEAST = 36
LONGEST = 16_384


class _Head(ConsentV2):  # type: ignore[misc]
    """A string's first segment, up to its purposes."""

    def read_consent_vendors(self) -> None:
        """Not ours."""

    def read_interest_vendors(self) -> None:
        """Not ours."""

    def read_pub_restriction_entries(self) -> None:
        """Not ours."""


def said_by(text: str) -> Said:
    """What it says of our purposes. One that cannot be read was not given freely, whatever it is: a refusal."""
    if len(text) > LONGEST:
        return REFUSAL
    return _said_by(text.partition(".")[0][:HEAD])


@lru_cache(4096)
def _said_by(head: str) -> Said:
    if len(head) < LEAST or not head.isascii():
        return REFUSAL
    try:
        found = _Head(base64_decode(head))
    except (binascii.Error, ValueError, IndexError, KeyError):
        return REFUSAL
    if found.version != VERSION:
        return REFUSAL
    agreed = found.purposes_consent
    return {purpose: all(agreed[number] for number in needed) for purpose, needed in PURPOSES.items()}
