import asyncio
import time

from gateway.core.context import Context
from gateway.services.deliver import Asked, record_of
from gateway.services.ingest import NOT_AGREED
from gateway.services.privacy import Erased
from gateway.services.space import Space
from schemas.vocabulary import Basis, Purpose
from tests.gateway.core.made import card, context, fixed, page
from tests.gateway.services.processes import bundle, process, view, working

FAN = {"key": "fan", "when": {"visitor.traits.plan": "gold"}}
SHOP = bundle(block=[card("hero", FAN), card("sea", tags={"sea": 1.0})], page=[page(fixed("top", "hero"))])


def now_view(number: int | None = None, visitor: str = "ann", **fields):
    return view(number, visitor, at=time.time(), block="sea", **fields)


def here() -> Context:
    return context(time.time())


async def shown(space: Space, visitor: str = "ann") -> tuple[Basis, str]:
    answer = await space.delivery.page(space.shelf.edition, "home", Asked(here(), visitor))
    return answer.basis, answer.assembly.picks["top"][0].variant.key


# --- consent ---


async def test_nothing_personal_is_used_before_the_visitor_agrees(storage):
    async with working(storage, consent="opt-in") as space:
        await space.authoring.load(SHOP, "eve")
        assert await shown(space) == (Basis.CONTEXTUAL, "default")
        profile = await space.privacy.consent("ann", [Purpose.PERSONALIZATION], True)
        assert profile.memory.consents[Purpose.PERSONALIZATION].granted
        assert await shown(space) == (Basis.PERSONAL, "default")


async def test_withdrawing_personalization_takes_away_what_was_learned_and_no_more(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.intake.submit([now_view()])
        assert (await space.profiles.get("ann")).usual
        profile = await space.privacy.consent("ann", [Purpose.PERSONALIZATION], False)
        assert (profile.usual, profile.memory.page_views) == ({}, 1)
        assert await shown(space) == (Basis.CONTEXTUAL, "default")
        taken = await space.intake.submit([now_view()])
        assert (taken.accepted, taken.profiles["ann"].usual) == (1, {})  # analytics are agreed to by default
        await space.privacy.consent("ann", [Purpose.PERSONALIZATION], True)
        taken = await space.intake.submit([now_view()])
        assert taken.profiles["ann"].usual.keys() >= {"sea"}


async def test_withdrawing_something_else_unlearns_nothing(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.intake.submit([now_view()])
        profile = await space.privacy.consent("ann", [Purpose.MARKETING, Purpose.ANALYTICS], False)
        assert profile.usual.keys() >= {"sea"}


async def test_who_refuses_everything_is_not_counted_either(storage):
    async with working(storage) as space:
        await space.privacy.consent("ann", list(Purpose), False)
        taken = await space.intake.submit([now_view(1)])
        assert (taken.accepted, taken.refused) == (0, {"e1": NOT_AGREED})


async def test_traits_are_remembered_and_replaced(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.privacy.identify("ann", {"plan": "free", "age": 30})
        profile = await space.privacy.identify("ann", {"plan": "gold"})
        traits = {name: trait.value for name, trait in profile.memory.traits.items()}
        assert traits == {"plan": "gold", "age": 30}
        assert await shown(space) == (Basis.PERSONAL, "fan")


# --- erasure ---


async def nothing_is_left(storage, visitor: str = "ann") -> bool:
    """Asked of the store itself, in its own words."""
    space = storage.space("main")
    stored = (await space.profiles.get_many([visitor])).get(visitor)
    kept = stored.body if stored else b""
    return (
        await space.events.of_visitor(visitor) == []
        and await space.events.open_moves([visitor]) == {}
        and await space.decisions.of_visitor(visitor) == []
        and not any(word in kept for word in (b"sea", b"gold", b"page_views", b"first_seen", b"granted"))
    )


async def test_an_erased_visitor_is_gone_everywhere(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.privacy.identify("ann", {"plan": "gold"})
        await space.intake.submit([now_view(), now_view(), now_view(visitor="bob")])
        answer = await space.delivery.page(space.shelf.edition, "home", Asked(here(), "ann"))
        space.decisions.record(record_of(answer))
        assert not await nothing_is_left(storage)
        forgotten = await space.privacy.forget("ann")
        assert forgotten.erased == Erased(profiles=1, events=2, vectors=2, decisions=1)
        assert await nothing_is_left(storage)
        profile = await space.profiles.get("ann")
        assert (profile.usual, profile.memory.page_views, profile.known) == ({}, 0, False)
        assert await shown(space) == (Basis.PERSONAL, "default")
        assert (await space.profiles.get("bob")).memory.page_views == 1
        assert not await nothing_is_left(storage, "bob")
    async with working(storage, "later") as space:
        assert (await space.profiles.get("ann")).memory.page_views == 0
        taken = await space.intake.submit([now_view()])
        assert taken.profiles["ann"].memory.page_views == 1


async def test_forgetting_nobody_removes_nothing(storage):
    async with working(storage) as space:
        assert (await space.privacy.forget("nobody")).erased == Erased(0, 0, 0, 0)
        again = await space.privacy.forget("nobody")
        assert again.erased == Erased(1, 0, 0, 0)  # the erasure itself is remembered


async def test_what_is_under_way_when_an_erasure_begins_goes_with_it(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        before = [asyncio.ensure_future(space.intake.submit([now_view()])) for _ in range(8)]
        await asyncio.sleep(0)
        await space.privacy.forget("ann")
        await asyncio.gather(*before)
        await space.profiles.fold()
        assert await nothing_is_left(storage)
        assert (await space.profiles.get("ann")).memory.page_views == 0


async def test_a_process_that_still_holds_moves_brings_nothing_back(storage):
    """They were made before the erasure and are folded after it."""
    async with (
        working(storage, alone=False) as space,
        process(storage.space("main"), "q", max_age=600.0) as q,
    ):
        await space.authoring.load(SHOP, "eve")
        await q.track(now_view(), now_view())
        await space.privacy.forget("ann")
        await q.profiles.fold()
        await q.profiles.fold()
        assert await nothing_is_left(storage)


async def test_an_erasure_wins_over_what_another_process_folds_at_the_same_time(storage):
    async with (
        working(storage, alone=False) as space,
        process(storage.space("main"), "q", max_age=600.0) as q,
    ):
        await space.authoring.load(SHOP, "eve")
        await space.privacy.identify("ann", {"plan": "gold"})
        for _ in range(5):
            await q.track(now_view())
            forgetting = asyncio.ensure_future(space.privacy.forget("ann"))
            await q.track(now_view())  # lies after the erasure by its clock, and is folded before it
            await q.profiles.fold()
            await forgetting
            profile = await space.profiles.get("ann", {"q": 1})
            assert profile.memory.page_views <= 1
            assert profile.memory.traits == {}
        for _ in range(3):
            await q.profiles.fold()
            await space.profiles.fold()
    async with process(storage.space("main"), "reader") as reader:
        assert await reader.views() <= 1
