"""From a request's context and a profile to the question that choosing answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gateway.core.catalogue import Catalogue
from gateway.core.facts import Facts, facts_of
from gateway.core.percentiles import Quantiles
from gateway.core.profiles import Profile
from gateway.core.sealing import Sealer
from gateway.core.segments import Segment, segments_of
from gateway.core.traits import opened
from schemas.vocabulary import Purpose


@dataclass(frozen=True)
class Ask:
    """Everything about the visitor and the moment that a choice may depend on.

    What costs something is worked out at first need: a page that was chosen before needs none of it.
    """

    context: Mapping[str, Any]  # the request's facts
    locales: frozenset[str]
    now: float
    segments: Sequence[Segment]  # that there are
    profile: Profile | None = None  # None: choose by context alone
    purposes: tuple[Purpose, ...] = ()
    share: float = 0.5  # of this session's interests in the blend
    forced: Sequence[str] | None = None  # the segments that the visitor is taken to be in
    called: str | None = None  # the visitor's id as clients have it; the profile has a pseudonym
    sealer: Sealer | None = None  # opens what is sealed in the profile
    quantiles: Quantiles = ()  # of all visitors' engagement

    @cached_property
    def taste(self) -> Mapping[str, float]:
        return self.profile.interests(self.share, self.now) if self.profile else {}

    @cached_property
    def traced(self) -> dict[str, Any]:
        """What was told of the candidates of each slot, for all blocks of a slot have the same."""
        return {}

    @cached_property
    def facts(self) -> Facts:
        facts = facts_of(self.context, self.profile, self.taste, self.purposes, self.quantiles)
        if self.profile is not None:
            facts["visitor"] = self._in_the_clear(facts["visitor"])
        facts["segments"] = segments_of(facts, self.segments) if self.forced is None else list(self.forced)
        return facts

    def knowing(self, called: str | None, sealer: Sealer, quantiles: Quantiles) -> "Ask":
        """The same, with what its facts need beside the profile; much cheaper than making it anew."""
        made = object.__new__(Ask)
        made.__dict__.update(self.__dict__, called=called, sealer=sealer, quantiles=quantiles)
        return made

    def _in_the_clear(self, visitor: Facts) -> Facts:
        told = dict(visitor)
        if self.called is not None:
            told["id"] = self.called
        if self.sealer is not None:
            told["traits"], _ = opened(visitor["traits"], self.sealer)
        return told


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
    return Ask(context, locales, now, catalogue.segments, profile, purposes, share, forced_segments)
