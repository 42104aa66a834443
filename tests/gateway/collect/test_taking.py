from collections.abc import Iterator
from typing import Any

import pytest

from gateway.collect import taking
from gateway.collect.collected import Alias, Circumstances, CollectedEvent, Identification
from gateway.collect.names import NAMES
from gateway.collect.taking import BAD_ID, BAD_TRAITS, Outcome, Rejected, sort, take
from gateway.core.events import Refusal
from gateway.services.ingest import NOT_AGREED
from gateway.services.space import Space
from schemas.vocabulary import Purpose
from tests.gateway.collect.made import Collecting, collecting

pytestmark = pytest.mark.asyncio(loop_scope="package")

NOW = 1_800_000_000.0
REFUSING = Circumstances(consent={Purpose.ANALYTICS: False})


def event(id_: str, visitor: str, **more: Any) -> CollectedEvent:
    return CollectedEvent(**{"id": id_, "name": "view", "visitor": visitor, "at": NOW, "ours": True, **more})


async def taken(found: Collecting, *items: Any, gpc: bool = False, default: bool = True) -> Outcome:
    space = await found.gateway.space("main")
    return await take(space, sort(items, NAMES, NOW), default, gpc)


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """The pairs of ids that were said to be one person."""
    pairs: list[tuple[str, str]] = []

    async def join(space: Space, visitor: str, user: str) -> None:
        pairs.append((visitor, user))

    monkeypatch.setattr(taking, "join", join)
    return pairs


async def test_what_was_refused_is_told_by_its_place(found: Collecting) -> None:
    no = Refusal("BAD_INPUT", "no")
    outcome = await taken(found, no, event("t1", "take-1"), event("t1", "take-1"), event("t2", "x" * 300), no)
    assert (outcome.accepted, outcome.duplicates) == (1, 1)
    assert [one.index for one in outcome.rejected] == [0, 3, 4]


async def test_traits_of_several_messages_are_kept_as_one(found: Collecting) -> None:
    said = [
        Identification("take-2", None, {"plan": "gold", "age": 1}),
        Identification("take-2", None, {"age": 2}),
    ]
    assert await taken(found, *said) == Outcome(2, 0, [])
    assert await found.traits("take-2") == {"plan": "gold", "age": 2}


async def test_both_ids_of_a_person_are_joined_once(found: Collecting, joined: list[tuple[str, str]]) -> None:
    outcome = await taken(
        found,
        event("t3", "take-3", user="u"),
        event("t4", "take-3", user="u"),
        event("t5", "u", user="u"),
        Identification("take-3", "u", {}),
        Alias("take-4", "u"),
        Alias("u", "u"),
    )
    assert outcome == Outcome(6, 0, [])
    assert joined == [("take-3", "u"), ("take-4", "u")]


@pytest.mark.parametrize(
    ("item", "refusal"),
    [
        (Identification("", None, {}), BAD_ID),
        (Identification("v", "a\nb", {}), BAD_ID),
        (Alias("v", "u" * 201), BAD_ID),
        (Alias("\u200b", "u"), BAD_ID),
        (event("x", "v", user="\x00"), BAD_ID),
        (Identification("v", None, {str(number): 1 for number in range(101)}), BAD_TRAITS),
        (Identification("v", None, {"text": "x" * 40_000}), BAD_TRAITS),
    ],
)
async def test_ids_and_traits_are_bounded(found: Collecting, item: Any, refusal: Refusal) -> None:
    assert await taken(found, item) == Outcome(0, 0, [Rejected(0, refusal.code, refusal.message)])


async def test_who_refuses_by_the_message_or_the_browser_is_not_kept(found: Collecting) -> None:
    said = [event("t6", "take-6"), Identification("take-6", None, {"plan": "gold"})]
    by_message = [event("t7", "take-6", around=REFUSING), Identification("take-6", None, {"a": 1}, REFUSING)]
    rejected = [Rejected(place, NOT_AGREED.code, NOT_AGREED.message) for place in (0, 1)]
    assert await taken(found, *said, gpc=True) == Outcome(0, 0, rejected)
    assert await taken(found, *by_message) == Outcome(0, 0, rejected)
    assert (await found.events("take-6"), await found.traits("take-6")) == ([], {})


async def test_what_one_message_refuses_another_may_allow(found: Collecting) -> None:
    outcome = await taken(found, event("t8", "take-8", around=REFUSING), event("t9", "take-8"))
    assert (outcome.accepted, [one.index for one in outcome.rejected]) == (1, [0])


async def test_where_visitors_are_asked_first_nothing_is_kept_before(engine_url: str) -> None:
    async with collecting(engine_url, "takingoptin", consent="opt-in") as found:
        said = [event("t1", "v"), Identification("v", "u", {"plan": "gold"})]
        assert (await taken(found, *said, default=False)).accepted == 0
        space = await found.gateway.space("main")
        await space.privacy.consent("v", [Purpose.ANALYTICS], True)
        assert (await taken(found, *said, default=False)).accepted == 2
