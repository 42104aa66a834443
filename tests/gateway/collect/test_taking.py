from typing import Any

import pytest

from gateway.collect.collected import Alias, Circumstances, CollectedEvent, Identification
from gateway.collect.names import NAMES
from gateway.collect.taking import BAD_ID, BAD_TRAITS, Outcome, Rejected, sort, take
from gateway.core.consent import KEEPING, Answer, whole
from gateway.core.events import Refusal
from gateway.core.terms import Terms
from gateway.services.ingest import NOT_AGREED
from schemas.vocabulary import Purpose
from tests.gateway.collect.made import Collecting, collecting

pytestmark = pytest.mark.asyncio(loop_scope="package")

NOW = 1_800_000_000.0
REFUSING = Circumstances(consent=whole({Purpose.ANALYTICS: False}))
GRANTING = Circumstances(consent=dict.fromkeys(KEEPING, True))


def event(id_: str, visitor: str, **more: Any) -> CollectedEvent:
    return CollectedEvent(**{"id": id_, "name": "view", "visitor": visitor, "at": NOW, "ours": True, **more})


async def taken(found: Collecting, *items: Any, gpc: bool = False, default: bool = True) -> Outcome:
    space = await found.gateway.space("main")
    return await take(space, sort(items, NAMES, NOW), Terms(default, gpc))


async def ids(found: Collecting, *visitors: str) -> list[bool]:
    """Whether each is one person with the first."""
    space = await found.gateway.space("main")
    members = await space.people.members_of(space.key(visitors[0]))
    return [space.key(visitor) in members for visitor in visitors]


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


async def test_both_ids_of_a_person_are_joined(found: Collecting) -> None:
    outcome = await taken(
        found,
        event("t3", "take-3", user="take-u"),
        event("t4", "take-3", user="take-u"),
        event("t5", "take-u", user="take-u"),
        Identification("take-3", "take-u", {"plan": "gold"}),
        Alias("take-4", "take-u"),
        Alias("take-u", "take-u"),
    )
    assert outcome == Outcome(6, 0, [])
    assert await ids(found, "take-u", "take-3", "take-4", "take-5") == [True, True, True, False]
    assert await found.traits("take-4") == {"plan": "gold"}


async def test_a_message_about_nobody_is_refused_and_its_event_kept(found: Collecting) -> None:
    outcome = await taken(
        found,
        event("ids-t1", "ids-1", user="undefined"),
        Identification("ids-1", "null", {"plan": "gold"}),
        Alias("[object Object]", "take-u"),
    )
    assert outcome.accepted == 1
    assert [(one.index, one.code) for one in outcome.rejected] == [(1, "BAD_IDENTITY"), (2, "BAD_IDENTITY")]
    assert await found.traits("null") == {}


async def test_who_lets_nothing_be_kept_is_not_joined_until_the_message_itself_agrees(
    found: Collecting,
) -> None:
    agreed = Circumstances(consent={Purpose.ANALYTICS: True})
    outcome = await taken(found, Alias("ids-2", "ids-3"), default=False)
    assert [one.code for one in outcome.rejected] == ["CONSENT_REQUIRED"]
    assert await ids(found, "ids-3", "ids-2") == [True, False]
    await taken(found, event("ids-t2", "ids-2", user="ids-3", around=agreed), default=False)
    assert await ids(found, "ids-3", "ids-2") == [True, True]


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


async def test_what_a_message_refuses_holds_until_another_allows_it(found: Collecting) -> None:
    refusing = event("t8", "take-8", around=REFUSING, at=NOW - 2)
    silent = event("t9", "take-8", at=NOW - 1)
    granting = event("t10", "take-8", around=GRANTING)
    assert [one.index for one in (await taken(found, refusing, silent)).rejected] == [0, 1]
    assert (await taken(found, granting)).accepted == 1
    assert (await taken(found, silent)).rejected == []  # the newest word counts


async def test_of_messages_in_any_order_the_newest_word_stands(found: Collecting) -> None:
    no = event("t11", "take-11", around=REFUSING, at=NOW - 1)
    yes = event("t12", "take-11", around=GRANTING, at=NOW - 5)
    assert (await taken(found, no)).accepted == 0
    assert (await taken(found, yes)).accepted == 0
    consents = (await found.profile("take-11")).memory.consents
    assert consents == {purpose: Answer(False, NOW - 1) for purpose in KEEPING}


async def test_where_visitors_are_asked_first_nothing_is_kept_before(engine_url: str) -> None:
    async with collecting(engine_url, "takingoptin", consent="opt-in") as found:
        said = [event("t1", "v"), Identification("v", "u", {"plan": "gold"})]
        assert (await taken(found, *said, default=False)).accepted == 0
        space = await found.gateway.space("main")
        await space.privacy.consent(space.key("v"), [Purpose.ANALYTICS], True)
        assert (await taken(found, *said, default=False)).accepted == 2
