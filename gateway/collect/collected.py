"""What a message says, whichever protocol brought it: somebody did something, is somebody, or was somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gateway.core.events import Refusal
from schemas.vocabulary import Purpose


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where it happened, as far as the message says. `consent` holds what it says of purposes."""

    url: str | None = None
    referrer: str | None = None
    campaign: Mapping[str, Any] = field(default_factory=dict)  # source, medium, name, term, content
    locale: str | None = None
    user_agent: str | None = None
    ip: str | None = None
    consent: Mapping[Purpose, bool] = field(default_factory=dict)


NOTHING = Circumstances()


@dataclass(frozen=True, slots=True)
class CollectedEvent:
    """`visitor` is whom it counts for, `user` the known id if the message has one; `at` in epoch seconds.

    `name` is the sender's word for it, or one of our types (`ours`).
    """

    id: str
    name: str
    visitor: str
    at: float
    user: str | None = None
    ours: bool = False
    page: str | None = None
    block: str | None = None
    variant: str | None = None
    decision: str | None = None
    value: float | None = None
    properties: Mapping[str, Any] | None = None
    around: Circumstances = NOTHING


@dataclass(frozen=True, slots=True)
class Identification:
    """What is known of a visitor: the id of a known user, traits, or both."""

    visitor: str
    user: str | None
    traits: Mapping[str, Any]
    around: Circumstances = NOTHING


@dataclass(frozen=True, slots=True)
class Alias:
    """Two ids of one person."""

    previous: str
    user: str


Collected: TypeAlias = CollectedEvent | Identification | Alias
Item: TypeAlias = Collected | Refusal  # what a parser makes of one message
