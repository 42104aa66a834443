"""May this variant be shown: its condition, its schedule, its locale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from typing import Any

from langcodes import standardize_tag
from langcodes.tag_parser import LanguageTagError

from content_blocks.blocks import Variant
from content_blocks.conditions import Condition, FailedClause, compile_condition
from content_blocks.conditions.compiling import Match
from content_blocks.conditions.condition import NO_GROUPS

_LONGEST_TAG = 100


@dataclass(frozen=True, slots=True, eq=False)
class Eligibility:
    """`starts` and `ends` are epoch seconds, infinite where the schedule is open."""

    condition: Condition
    matches: Match
    starts: float = -inf
    ends: float = inf
    scheduled: bool = False
    locale: str | None = None  # normalised

    @classmethod
    def of(cls, variant: Variant, groups: Mapping[str, Sequence[Any]] = NO_GROUPS) -> "Eligibility":
        """Raises ConditionError."""
        condition = compile_condition(variant.when, groups)
        return cls(
            condition=condition,
            matches=condition.matches,
            starts=variant.starts.timestamp() if variant.starts else -inf,
            ends=variant.ends.timestamp() if variant.ends else inf,
            scheduled=variant.starts is not None or variant.ends is not None,
            locale=normal_locale(variant.locale) if variant.locale else None,
        )

    def admits(self, facts: Mapping[str, Any], now: float, locales: frozenset[str]) -> bool:
        """From `starts` on, until just before `ends`; `locales` as from `acceptable_locales`."""
        # Most conditions fail, so the question that they answer comes first.
        if not self.matches(facts):
            return False
        if self.scheduled and not self.starts <= now < self.ends:
            return False
        return self.locale is None or self.locale in locales

    def failed(self, facts: Mapping[str, Any], now: float, locales: frozenset[str]) -> FailedClause | None:
        if now < self.starts:
            return FailedClause("schedule.starts", "$gte", _iso(self.starts), _iso(now))
        if now >= self.ends:
            return FailedClause("schedule.ends", "$lt", _iso(self.ends), _iso(now))
        if self.locale is not None and self.locale not in locales:
            return FailedClause("locale", "$in", [self.locale], sorted(locales))
        return self.condition.failed(facts)

    def matched(self, facts: Mapping[str, Any]) -> tuple[str, ...]:
        return self.condition.matched(facts)


@lru_cache(maxsize=4096)
def normal_locale(tag: str) -> str:
    """Lower case, with hyphens, names in use: pt_BR -> pt-br, iw -> he. What is no tag stays as it is."""
    try:
        return standardize_tag(tag[:_LONGEST_TAG]).lower()
    except LanguageTagError:
        return tag[:_LONGEST_TAG].replace("_", "-").lower()


def acceptable_locales(languages: Sequence[str]) -> frozenset[str]:
    """Each language and what it falls back to, as RFC 4647 looks up: en-GB -> {en-gb, en}."""
    return _acceptable(tuple(languages))


@lru_cache(maxsize=4096)
def _acceptable(languages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(locale for tag in languages if tag != "*" for locale in _fallbacks(normal_locale(tag)))


def _fallbacks(locale: str) -> list[str]:
    """Subtags fall off the end; a single letter goes with what it introduces (RFC 4647, 3.4)."""
    subtags = locale.split("-")
    lengths = range(1, len(subtags) + 1)
    return ["-".join(subtags[:n]) for n in lengths if len(subtags[n - 1]) > 1 or n == len(subtags)]


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()
