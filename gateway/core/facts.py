"""The facts that conditions read: one nested dictionary of the request and, if allowed, of the visitor."""

from collections.abc import Mapping
from typing import Any

from gateway.core.habits import Habits
from gateway.core.percentiles import Quantiles, percentile
from gateway.core.profiles import Profile
from schemas.vocabulary import Purpose

Facts = dict[str, Any]
NOBODY: Mapping[str, Any] = {"known": False, "new": True, "visits": 0}


def facts_of(
    context: Mapping[str, Any],
    profile: Profile | None,
    interests: Mapping[str, float],
    purposes: tuple[Purpose, ...],
    quantiles: Quantiles = (),
) -> Facts:
    """The request's facts with the visitor's beside them; `segments` is empty until they are worked out."""
    at = context["time"]["epoch"]
    return {
        **context,
        "visitor": context["visitor"] | (_visitor(profile, purposes) if profile else NOBODY),
        "engagement": engagement_of(profile, at, quantiles) if profile else {},
        "behaviour": Habits(profile, at) if profile else {},
        "interests": interests,
        "segments": [],
    }


def _visitor(profile: Profile, purposes: tuple[Purpose, ...]) -> Mapping[str, Any]:
    visits = profile.memory.sessions.count
    return {
        "id": profile.id,
        "origin": profile.origin,
        "known": profile.known,
        "new": visits <= 1,
        "visits": visits,
        "consent": [str(purpose) for purpose in purposes],
        "traits": {name: trait.value for name, trait in profile.memory.traits.items()},
    }


def engagement_of(profile: Profile, at: float, quantiles: Quantiles = ()) -> Mapping[str, Any]:
    memory = profile.memory
    score = profile.engagement_score(at)
    found: dict[str, Any] = {
        "score": score,
        "level": profile.learning.engagement.level(score),
        "sessions": memory.sessions.count,
        "pageViews": memory.page_views,
        "conversions": memory.conversions,
        "revenue": memory.revenue,
    }
    ahead = percentile(quantiles, memory.activity, profile.learning.engagement.weights)
    if ahead is not None:
        found["percentile"] = ahead
    if memory.last_seen is not None:
        found |= {
            "firstSeen": memory.first_seen,
            "lastSeen": memory.last_seen,
            "daysSinceSeen": max(0.0, (at - memory.last_seen) / 86400.0),
        }
    return found
