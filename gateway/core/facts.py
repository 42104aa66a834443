"""The facts that conditions read: one nested dictionary of the request and, if allowed, of the visitor."""

from collections.abc import Mapping
from typing import Any

from gateway.core.profiles import Profile
from schemas.vocabulary import Purpose

Facts = dict[str, Any]
NOBODY: Mapping[str, Any] = {"known": False, "new": True, "visits": 0}


def facts_of(
    context: Mapping[str, Any],
    profile: Profile | None,
    interests: Mapping[str, float],
    purposes: tuple[Purpose, ...],
) -> Facts:
    """The request's facts with the visitor's beside them; `segments` is empty until they are worked out."""
    return {
        **context,
        "visitor": context["visitor"] | (_visitor(profile, purposes) if profile else NOBODY),
        "engagement": engagement_of(profile, context["time"]["epoch"]) if profile else {},
        "interests": interests,
        "segments": [],
    }


def _visitor(profile: Profile, purposes: tuple[Purpose, ...]) -> Mapping[str, Any]:
    visits = profile.memory.sessions.count
    return {
        "id": profile.id,
        "known": profile.known,
        "new": visits <= 1,
        "visits": visits,
        "consent": [str(purpose) for purpose in purposes],
        "traits": {name: trait.value for name, trait in profile.memory.traits.items()},
    }


def engagement_of(profile: Profile, at: float) -> Mapping[str, Any]:
    memory = profile.memory
    found: dict[str, Any] = {
        "score": profile.engagement_score(at),
        "sessions": memory.sessions.count,
        "pageViews": memory.page_views,
        "conversions": memory.conversions,
        "revenue": memory.revenue,
    }
    if memory.last_seen is not None:
        found |= {
            "firstSeen": memory.first_seen,
            "lastSeen": memory.last_seen,
            "daysSinceSeen": max(0.0, (at - memory.last_seen) / 86400.0),
        }
    return found
