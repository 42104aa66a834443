"""From a request's context and a profile to the question that choosing answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.catalogue import Catalogue
from gateway.core.facts import facts_of
from gateway.core.personalize import Ask
from gateway.core.profiles import Profile
from gateway.core.segments import segments_of
from schemas.vocabulary import Purpose


def ask_of(
    catalogue: Catalogue,
    context: Mapping[str, Any],
    locales: frozenset[str],
    profile: Profile | None,
    purposes: tuple[Purpose, ...],
    share: float,
    forced_segments: Sequence[str] | None = None,
) -> Ask:
    """`profile` is None where personal data may not, or cannot, be used."""
    now = context["time"]["epoch"]
    facts = facts_of(context, profile, profile.interests(share, now) if profile else {}, purposes)
    facts["segments"] = (
        segments_of(facts, catalogue.segments) if forced_segments is None else list(forced_segments)
    )
    return Ask(facts=facts, locales=locales, now=now, profile=profile, share=share)
