import pytest

from gateway.core.people import MOST_MEMBERS
from gateway.core.terms import Terms
from gateway.errors import ConsentRequired, IdentityLimit, NotFound
from schemas.vocabulary import Purpose
from tests.gateway.services.identities import identities
from tests.gateway.services.processes import view


async def clocks(p, *visitors):
    found = await p.process.profiles.get_many(visitors)
    return [profile.clock for profile in found.values()]


async def test_to_join_again_what_is_joined_writes_nothing(space):
    async with identities(space) as p:
        assert await p.join("phone", "ann")
        before = await clocks(p, "phone", "ann")
        assert before == [{"p": 1}, {"p": 1}], "both sides are written at once"
        assert await p.join("phone", "ann")
        assert await p.join("ann", "phone"), "the other way round they are one person already"
        assert await p.join("ann", "ann")
        assert await clocks(p, "phone", "ann") == before


async def test_a_person_has_at_most_so_many_devices_and_a_shared_one_is_none(space):
    async with identities(space, alone=True) as p:
        for place in range(MOST_MEMBERS):
            await p.join(f"d{place}", "ann")
        with pytest.raises(IdentityLimit):
            await p.join("one-more", "ann")
        assert await p.people.members_of("one-more") == ("one-more",)
        for person in ("bob", "cem", "dee"):
            await p.join("tablet", person)
        assert not await p.join("tablet", "ann"), "it is the fourth person's, so nobody's"
        await p.part("d0", "ann")
        assert await p.join("one-more", "ann")


async def test_a_shared_device_is_not_even_written_about(space):
    async with identities(space, alone=True) as p:
        for person in ("ann", "bob", "cem", "dee"):
            await p.join("tablet", person)
        before = await clocks(p, "tablet", "eve")
        assert not await p.join("tablet", "eve")
        assert await clocks(p, "tablet", "eve") == before


async def test_ids_of_who_lets_nothing_be_kept_are_not_joined(space):
    async with identities(space) as p:
        with pytest.raises(ConsentRequired):
            await p.join("phone", "ann", Terms(default=False))
        with pytest.raises(ConsentRequired):
            await p.join("phone", "ann", Terms(default=True, gpc=True))
        assert await clocks(p, "phone", "ann") == [{}, {}]
        assert await p.join("phone", "ann", Terms(default=False, said={Purpose.ANALYTICS: True}))


async def test_what_is_not_joined_cannot_be_parted(space):
    async with identities(space) as p:
        with pytest.raises(NotFound):
            await p.part("phone", "ann")
        await p.join("phone", "ann")
        with pytest.raises(NotFound):
            await p.part("ann", "phone")
        await p.part("phone", "ann")
        with pytest.raises(NotFound):
            await p.part("phone", "ann")


async def test_links_are_folded_and_found_by_another_process(space):
    async with identities(space, "p") as p, identities(space, "q") as q:
        await p.track(view(visitor="phone"))
        await p.join("phone", "ann")
        await p.process.profiles.fold()
        assert await q.people.members_of("phone") == ("ann", "phone")
        await q.part("phone", "ann")
        assert await p.views("ann") == 0
