from pathlib import Path

import pytest

from content_blocks.publishing import TRANSITIONS, NotAllowed, States, move


def test_a_draft_is_reviewed_scheduled_published_and_archived() -> None:
    state = States.DRAFT
    for action, then in [
        ("submit", States.REVIEW),
        ("schedule", States.SCHEDULED),
        ("publish", States.PUBLISHED),
        ("archive", States.ARCHIVED),
        ("restore", States.DRAFT),
    ]:
        state = move(state, action)
        assert state == then


def test_what_is_not_possible_names_what_is() -> None:
    with pytest.raises(NotAllowed, match="archived content cannot take the action 'publish'; it can restore"):
        move(States.ARCHIVED, "publish")


def test_every_state_can_be_reached_and_left() -> None:
    reached = {then for actions in TRANSITIONS.values() for then in actions.values()}
    assert reached == set(States)
    assert all(TRANSITIONS[state] for state in States)


def test_a_state_is_the_word_that_is_stored() -> None:
    assert States("review") is States.REVIEW
    assert f"{States.REVIEW}" == "review"


def test_the_documentation_shows_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "content.md").read_text()
    for state, actions in TRANSITIONS.items():
        assert f"| {state} | {', '.join(f'{action} → {then}' for action, then in actions.items())} |" in text
