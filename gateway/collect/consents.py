"""What messages say of consent: categories of consent platforms, beside what core/sayings reads."""

from collections.abc import Mapping
from typing import Any

from gateway.core.consent import Said, joined, whole
from gateway.core.consent_mode import SIGNALS, WORDS, of_parameters, together
from gateway.core.sayings import said_of
from schemas.vocabulary import Purpose

# What consent platforms, Google and our own contract call the purposes. Others are the sender's own, and say nothing.
CATEGORIES: Mapping[str, Purpose] = {
    **SIGNALS,
    "analytics": Purpose.ANALYTICS,
    "c0002": Purpose.ANALYTICS,  # OneTrust: performance
    "performance": Purpose.ANALYTICS,
    "statistics": Purpose.ANALYTICS,
    "c0003": Purpose.PERSONALIZATION,  # OneTrust: functional
    "functional": Purpose.PERSONALIZATION,
    "personalization": Purpose.PERSONALIZATION,
    "preferences": Purpose.PERSONALIZATION,
    "experimentation": Purpose.EXPERIMENTATION,
    "advertising": Purpose.MARKETING,
    "c0004": Purpose.MARKETING,  # OneTrust: targeting
    "marketing": Purpose.MARKETING,
    "targeting": Purpose.MARKETING,
}


def said(categories: Mapping[str, Any]) -> Said:
    """`{"analytics": true, "C0004": false}`, or `{"ad_storage": "denied"}`; of two words on a purpose no stands."""
    if not categories:
        return {}
    pairs = (
        (name, WORDS.get(value) if isinstance(value, str) else value) for name, value in categories.items()
    )
    found = ((CATEGORIES.get(name.lower()), value) for name, value in pairs if isinstance(value, bool))
    return whole(together((purpose, agreed) for purpose, agreed in found if purpose is not None))


def of_context(consent: Any) -> Said:
    """Of Segment's `context.consent` and of our own: categories, a consent string, Google's signals and parameters."""
    if not isinstance(consent, Mapping) or not consent:
        return {}
    preferences = consent.get("categoryPreferences")
    return joined(said(preferences if isinstance(preferences, Mapping) else {}), said_of(consent))


def of_google(gcs: str | None, gcd: str | None) -> Said:
    """Of a hit's parameters."""
    return whole(of_parameters(gcs, gcd))
