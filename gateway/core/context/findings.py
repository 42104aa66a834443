"""What one source says, and joining what several say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """Facts and, for each of them, the name of the header (or other source) that it was read from.

    Findings are cached and shared between requests: read them, never change them.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, Any], source: str) -> "Finding":
        """All facts that are known (not None), from one source."""
        known = {name: value for name, value in facts.items() if value is not None}
        return cls(known, dict.fromkeys(known, source))

    def over(self, lower: "Finding") -> "Finding":
        """This finding, with the gaps filled from a lower one."""
        return Finding({**lower.facts, **self.facts}, {**lower.sources, **self.sources})

    def without(self, *names: str) -> "Finding":
        return Finding(
            {name: value for name, value in self.facts.items() if name not in names},
            {name: value for name, value in self.sources.items() if name not in names},
        )


NOTHING = Finding()
SAID = "context"  # the source of what the client says outright
