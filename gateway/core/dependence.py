"""What the choice of a page depends on, so that what was chosen once need not be chosen again.

Two requests that agree in all of it get the same page from one edition and one state of a profile. Facts of
few values (a country, an hour) are compared as they are; of the others (a place, the minute, a score that
fades) only whether each clause about them holds.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from content_blocks.conditions import Condition
from content_blocks.conditions.compiling import Match
from content_blocks.eligibility import Eligibility
from gateway.core.facts import engagement_of
from gateway.core.habits import Habits
from gateway.core.percentiles import Quantiles
from gateway.core.profiles import Profile
from gateway.core.segments import Segment
from schemas.vocabulary import Purpose

HOUR = 3600.0  # recency moves slowly: within an hour an order stands
MOST_CLAUSES = 64  # a page of more is not worth asking them all
MOST_CONDITIONS = 2_000  # that ask for such facts, and are read again for their clauses

# Plain texts, numbers and flags of few values, of which the reader of contexts guarantees the types.
FEW = frozenset({
    "device.type", "device.os", "device.osVersion", "device.browser", "device.browserVersion", "device.model",
    "device.bot", "device.touch", "geo.country", "geo.region", "geo.city", "geo.continent", "geo.eu",
    "time.zone", "time.date", "time.hour", "time.day", "time.month", "time.year", "time.weekday",
    "page.slug", "page.host", "visitor.locale", "visitor.language", "visitor.timezone",
})  # fmt: skip
# Fixed by the state of the profile.
OWN = frozenset({
    "visitor.known", "visitor.new", "visitor.visits", "engagement.sessions", "engagement.pageViews",
    "engagement.conversions", "engagement.revenue", "engagement.firstSeen", "engagement.lastSeen",
    "behaviour.lastPages",
})  # fmt: skip
OWN_FAMILIES = (
    "visitor.traits.",
    "interests.",
    "behaviour.session.",
    "behaviour.orders.",
    "behaviour.attribution.",
)
FADING = frozenset({"behaviour.session.active"})  # ... all the same
APART = frozenset({"segments", "visitor.id", "visitor.origin", "visitor.consent"})  # looked at by themselves
MANY = (
    "device",
    "geo",
    "time",
    "page",
    "attributes",
    "engagement",
    "behaviour",
)  # groups whose other facts have many values


class Asking(Protocol):
    """An `Ask` (gateway/core/asking), as far as this goes."""

    @property
    def context(self) -> Mapping[str, Any]: ...
    @property
    def locales(self) -> frozenset[str]: ...
    @property
    def now(self) -> float: ...
    @property
    def profile(self) -> Profile | None: ...
    @property
    def purposes(self) -> tuple[Purpose, ...]: ...
    @property
    def share(self) -> float: ...
    @property
    def quantiles(self) -> Quantiles: ...


@dataclass(frozen=True, slots=True)
class Dependence:
    values: tuple[tuple[str, str], ...]  # where the facts of few values lie: group and name
    clauses: tuple[Match, ...]  # about the facts of many
    engagement: bool  # whether a clause asks for what fades of it
    behaviour: bool  # the same
    changes: tuple[float, ...]  # when schedules begin and end, ascending
    by_id: bool
    by_consent: bool
    by_locale: bool
    by_hour: bool

    @classmethod
    def of(
        cls, eligibilities: Iterable[Eligibility], segments: Iterable[Segment], feeds: bool
    ) -> "Dependence | None":
        """None where no two requests are sure to be alike."""
        rules = list(eligibilities)
        conditions = [rule.condition for rule in rules]
        if any("segments" in condition.reads for condition in conditions):
            conditions += [segment.condition for segment in segments]
        reads = frozenset().union(*{condition.reads for condition in conditions})
        many = {path for path in reads if not (path in FEW or path in APART or _own(path))}
        clauses = _clauses(conditions, many)
        if clauses is None or not all(path.split(".")[0] in MANY for path in many):
            return None
        return cls(
            values=tuple(
                (group, name) for group, _, name in (path.partition(".") for path in sorted(reads & FEW))
            ),
            clauses=clauses,
            engagement=any(path.startswith("engagement") for path in many),
            behaviour=any(path.startswith("behaviour") for path in many),
            changes=tuple(
                sorted({at for rule in rules if rule.scheduled for at in (rule.starts, rule.ends)})
            ),
            by_id=not reads.isdisjoint({"visitor.id", "visitor.origin"}),
            by_consent="visitor.consent" in reads,
            by_locale=any(rule.locale for rule in rules),
            by_hour=feeds,
        )

    def key(self, ask: Asking) -> Hashable:
        """Equal for asks, of one state of a profile, that the page cannot tell apart."""
        context, now, profile = ask.context, ask.now, ask.profile
        about: Mapping[str, Any] = context
        if self.engagement and profile is not None:
            about = {**context, "engagement": engagement_of(profile, now, ask.quantiles)}
        if self.behaviour and profile is not None:
            about = {**about, "behaviour": Habits(profile, now)}
        return (
            profile and (profile.id if self.by_id else ""),
            profile is not None and profile.active(now),
            ask.share,
            now // HOUR if self.by_hour else None,
            bisect_right(self.changes, now),
            ask.locales if self.by_locale else None,
            ask.purposes if self.by_consent else None,
            *[context[group].get(name) for group, name in self.values],
            *[holds(about) for holds in self.clauses],
        )


def _own(path: str) -> bool:
    return path in OWN or (path.startswith(OWN_FAMILIES) and path not in FADING)


def _clauses(conditions: Iterable[Condition], paths: Iterable[str]) -> tuple[Match, ...] | None:
    wanted = frozenset(paths)
    asking = [condition for condition in conditions if not wanted.isdisjoint(condition.reads)]
    if len(asking) > MOST_CONDITIONS:
        return None
    found = dict.fromkeys(test for condition in asking for test in condition.tests(wanted.__contains__))
    return tuple(found) if len(found) <= MOST_CLAUSES else None
