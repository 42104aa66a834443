import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from gateway.core.consent import answered
from gateway.core.memory import blank
from gateway.core.people import Entry
from gateway.core.profiles import read_version
from gateway.errors import NotFound
from schemas.vocabulary import Purpose
from tests.gateway.core.test_memory import same
from tests.gateway.services.identities import Identities, identities
from tests.gateway.services.processes import LEARNING, NOW, view

SEEN = ("phone", "laptop", "ann")


async def test_who_is_one_id_is_seen_as_the_very_profile_that_is_kept(space):
    async with identities(space, alone=True) as p:
        await p.track(view(visitor="solo"))
        own = await p.process.profiles.get("solo")
        assert await p.people.get("solo") is p.people.cached("solo") is own


async def test_the_same_view_is_kept_until_somebody_of_the_person_moves(space):
    async with identities(space, alone=True) as p:
        await p.track(view(visitor="phone"), view(visitor="laptop"))
        await p.join("phone", "ann")
        await p.join("laptop", "ann")
        first = await p.people.get("phone")
        assert p.people.cached("phone") is first
        await p.track(view(visitor="stranger"))
        assert p.people.cached("phone") is first
        await p.track(view(visitor="laptop"))
        assert (p.people.cached("phone").memory.page_views, first.memory.page_views) == (3, 2)


async def test_a_view_read_again_without_a_move_is_the_same_object(space):
    async with identities(space, max_age=0.0) as p:
        await p.track(view(visitor="phone"))
        await p.join("phone", "ann")
        assert await p.people.get("ann") is await p.people.get("ann")


async def test_the_answer_of_a_write_is_the_persons(space):
    async with identities(space) as p:
        await p.track(view(visitor="ann", block="city"))
        await p.join("phone", "ann")
        taken = await p.track(view(visitor="phone", block="travel"))
        assert taken["phone"].usual.keys() == {"city", "travel"}


async def test_events_that_came_before_a_login_count_in_every_process_at_once(space):
    async with identities(space, "p") as p, identities(space, "q") as q:
        await p.track(view(visitor="phone"), view(visitor="phone"))
        await q.join("phone", "ann")
        assert [await each.views(visitor) for each in (p, q) for visitor in ("phone", "ann")] == [2] * 4
        await p.part("phone", "ann")
        assert [await each.views(visitor) for each in (p, q) for visitor in ("phone", "ann")] == [2, 0, 2, 0]


async def test_many_are_read_at_once(space):
    async with identities(space) as p:
        await p.track(view(visitor="phone"), view(visitor="solo"), view(visitor="ann"))
        await p.join("phone", "ann")
        found = await p.people.get_many(["phone", "solo", "ann", "nobody"])
        assert [found[id_].memory.page_views for id_ in ("phone", "solo", "ann", "nobody")] == [2, 1, 2, 0]
        assert [found[id_].id for id_ in found] == ["phone", "solo", "ann", "nobody"]


async def together(*processes: Identities) -> None:
    first, *others = processes
    await first.join("phone", "ann")
    await first.join("laptop", "ann")
    for each in others:
        await each.people.get("phone")


async def test_who_passes_a_version_sees_at_least_that_of_all_ids(space):
    async with identities(space, "p", max_age=600.0) as p, identities(space, "q", max_age=600.0) as q:
        await together(p, q)
        await q.track(view(visitor="laptop"))
        taken = await q.track(view(visitor="phone"))
        version = read_version(taken["phone"].version)
        assert p.people.cached("phone").memory.page_views == 0
        assert p.people.cached("phone", version) is None
        assert await p.views("phone", version) == 2
        assert p.people.cached("phone", version) is not None, "what was read anew covers the version"


async def test_an_id_that_has_the_version_does_not_speak_for_the_others(space):
    async with identities(space, "p", max_age=600.0) as p, identities(space, "q", max_age=600.0) as q:
        await together(p, q)
        await q.track(view(visitor="laptop"))
        taken = await q.track(view(visitor="phone"))
        version = read_version(taken["phone"].version)
        await p.process.profiles.get("phone", version)  # as a page of the phone alone would have done
        assert p.people.cached("phone", version) is None
        assert await p.views("phone", version) == 2


async def test_the_processs_own_writes_are_seen_without_reading_anew(space):
    async with identities(space, "p", max_age=600.0) as p:
        await together(p)
        await p.people.get("ann")
        await p.track(view(visitor="laptop"))
        taken = await p.track(view(visitor="phone"))
        version = read_version(taken["phone"].version)
        assert p.people.cached("ann", version).memory.page_views == 2


async def test_a_device_joined_to_a_person_elsewhere_is_among_its_members_at_once(space):
    async with identities(space, "p", max_age=600.0) as p, identities(space, "q", max_age=600.0) as q:
        await together(p, q)
        await q.join("pad", "ann")
        assert await p.people.members_of("ann") == ("ann", "laptop", "pad", "phone")
        assert await p.people.members_of("stranger") == ("stranger",)


async def test_the_log_of_an_id_tells_whom_it_was_joined_to_and_parted_from(space):
    async with identities(space) as p:
        await p.join("phone", "ann")
        await p.join("pad", "ann")
        await p.part("phone", "ann")
        log = await p.people.log("ann")
        assert [(who, joined) for _, who, joined in log] == [("phone", False), ("pad", True)]
        assert await p.people.log("phone") == [Entry(log[0].at, "ann", False)]


async def test_what_is_withdrawn_on_one_device_is_unlearned_on_all_and_stays_so(space):
    async with identities(space) as p:
        await p.track(view(visitor="phone", block="travel"), view(visitor="laptop", block="city"))
        await together(p)
        said = replace(
            blank(LEARNING), unlearned=NOW + 5, consents=answered([Purpose.PERSONALIZATION], False, NOW + 5)
        )
        moves = await p.people.spread({"phone": said})
        assert moves.keys() == set(SEEN)
        await p.process.intake.submit((), extra=moves)
        again = replace(blank(LEARNING), consents=answered([Purpose.PERSONALIZATION], True, NOW + 6))
        assert await p.people.spread({"phone": again}) == {"phone": again}
        await p.process.intake.submit((), extra={"phone": again})
        await p.track(view(visitor="laptop", block="water", at=NOW + 7))
        for visitor in SEEN:
            assert (await p.people.get(visitor)).usual.keys() == {"water"}


async def test_a_refusal_on_one_device_holds_for_events_of_another(space):
    async with identities(space) as p:
        await together(p)
        refused = replace(blank(LEARNING), consents=answered(list(Purpose), False, NOW))
        await p.process.intake.submit((), extra={"ann": refused})
        taken = await p.process.track(view(1, visitor="phone"))
        assert taken.refused["e1"].code == "CONSENT_REQUIRED"


async def woken(watch, move) -> None:
    waiting = asyncio.ensure_future(watch.change(within=20.0))
    await asyncio.sleep(0)
    start = asyncio.get_running_loop().time()
    await move
    await waiting
    assert asyncio.get_running_loop().time() - start < 10.0


@pytest.mark.parametrize("visitor", SEEN)
async def test_whoever_watches_one_id_is_told_of_all(space, visitor):
    async with identities(space, alone=True) as p:
        await together(p)
        with p.people.watch(visitor) as watch:
            await p.people.get(visitor)
            for moved in SEEN:
                await woken(watch, p.track(view(visitor=moved)))


async def test_the_view_of_who_is_watched_is_not_dropped(space):
    async with identities(space, alone=True, kept=1) as p:
        await together(p)
        await p.join("other", "bob")
        with p.people.watch("phone") as watch:
            await p.people.get("phone")
            for visitor in ("bob", "other", "bob"):
                await p.people.get(visitor)
            await woken(watch, p.track(view(visitor="laptop")))
        for visitor in ("bob", "other", "bob"):
            await p.people.get(visitor)
        assert p.people.audience(["laptop"]) == {"laptop"}


@pytest.mark.parametrize("seed", range(4))
async def test_four_processes_that_join_part_and_count_at_once_see_the_same(space, seed):
    """... as one process in the end, whatever came first: links have times, and events are only added."""
    chance = random.Random(seed)
    visitors = ["a", "b", "c", "k", "l"]
    async with AsyncExitStack() as stack:
        four = [
            await stack.enter_async_context(identities(space, name, max_age=chance.choice([0.0, 600.0])))
            for name in ("p", "q", "r", "s")
        ]

        async def deed(number: int) -> None:
            each, (one, other) = chance.choice(four), chance.sample(visitors, 2)
            kind = chance.choice(["track", "track", "join", "part"])
            if kind == "track":
                await each.track(view(number, visitor=one, block=other, at=NOW + number))
            elif kind == "join":
                await each.join(one, other)
            elif other in {entry.who for entry in await each.people.log(one) if entry.joined}:
                await each.joining.part(one, other)

        for start in range(0, 48, 8):
            deeds = (deed(number) for number in range(start, start + 8))
            failed = filter(None, await asyncio.gather(*deeds, return_exceptions=True))
            assert {type(error) for error in failed} <= {NotFound}, "of two partings the second"
            if chance.random() < 0.5:
                await chance.choice(four).process.profiles.fold()
        for each in four:
            await each.process.profiles.fold()
        async with identities(space, "z") as fresh:
            for visitor in visitors:
                whole = await fresh.people.get(visitor)
                for each in four:
                    assert await each.people.members_of(visitor) == await fresh.people.members_of(visitor)
                    seen = await each.people.get(visitor, whole.clock)
                    assert same(seen.memory, whole.memory)
                    assert seen.origin == whole.origin
