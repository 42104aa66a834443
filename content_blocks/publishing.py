"""From draft to published, as a table: every state, and what may be done in it."""

from collections.abc import Mapping
from enum import StrEnum


class States(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


TRANSITIONS: Mapping[States, Mapping[str, States]] = {
    States.DRAFT: {
        "submit": States.REVIEW,
        "schedule": States.SCHEDULED,
        "publish": States.PUBLISHED,
        "archive": States.ARCHIVED,
    },
    States.REVIEW: {
        "reject": States.DRAFT,
        "schedule": States.SCHEDULED,
        "publish": States.PUBLISHED,
        "archive": States.ARCHIVED,
    },
    States.SCHEDULED: {
        "cancel": States.DRAFT,
        "publish": States.PUBLISHED,
    },
    States.PUBLISHED: {
        "edit": States.DRAFT,  # what is published stays so until the edited draft is published
        "publish": States.PUBLISHED,  # again, unchanged
        "unpublish": States.DRAFT,
        "archive": States.ARCHIVED,
    },
    States.ARCHIVED: {
        "restore": States.DRAFT,
    },
}


class NotAllowed(ValueError):
    """The action does not fit the state; the message lists those that do."""


def move(state: States, action: str) -> States:
    possible = TRANSITIONS[state]
    if action not in possible:
        raise NotAllowed(f"{state} content cannot take the action {action!r}; it can {', '.join(possible)}")
    return possible[action]
