import asyncio

from gateway.core.memory import remember
from gateway.core.profiles import CLOCK_ENTRIES
from gateway.services.recovery import recover
from tests.gateway.services.processes import AT_ONCE, LEARNING, process, view


async def died(
    space, name: str = "dead", buckets: int = 3, visitors: tuple[str, ...] = ("ann", "bob")
) -> None:
    """A process that wrote buckets and was gone before it folded any."""
    async with process(space, name) as gone:
        for _ in range(buckets):
            await gone.track(*(view(visitor=visitor, block=name) for visitor in visitors))


async def test_what_a_dead_process_left_is_folded_once(space):
    await died(space)
    async with process(space, "heir") as heir:
        assert await recover(space.events, heir.profiles, "heir", AT_ONCE) == 3
        assert await recover(space.events, heir.profiles, "heir", AT_ONCE) == 0
    assert await space.events.open_moves(["ann", "bob"]) == {}
    stored = await space.profiles.get_many(["ann", "bob"])
    assert [stored[visitor].clock for visitor in ("ann", "bob")] == [{"dead": 3}, {"dead": 3}]
    async with process(space, "reader") as reader:
        assert [await reader.views("ann"), await reader.views("bob")] == [3, 3]


async def test_a_process_that_wrote_lately_is_left_alone(space):
    await died(space)
    async with process(space, "heir") as heir:
        assert await recover(space.events, heir.profiles, "heir") == 0
        assert await heir.views() == 3  # it is seen all the same


async def test_nobody_recovers_from_himself(space):
    await died(space, "heir")
    async with process(space, "heir") as heir:
        assert await recover(space.events, heir.profiles, "heir", AT_ONCE) == 0


async def test_two_heirs_at_once_count_nothing_twice(space):
    await died(space, "dead")
    await died(space, "gone")
    async with process(space, "one") as one, process(space, "two") as two:
        await asyncio.gather(
            recover(space.events, one.profiles, "one", AT_ONCE),
            recover(space.events, two.profiles, "two", AT_ONCE),
        )
        assert await recover(space.events, one.profiles, "one", AT_ONCE) == 0
        assert await one.views() == await two.views() == 6
    assert (await space.profiles.get_many(["ann"]))["ann"].clock == {"dead": 3, "gone": 3}


async def test_recovering_from_a_process_that_lives_is_harmless(space):
    async with process(space, "alive") as alive, process(space, "heir") as heir:
        for round_ in range(6):
            await alive.track(view(visitor="ann"), view(visitor="bob"))
            await asyncio.gather(
                alive.track(view(visitor="ann")),
                alive.profiles.fold(),
                recover(space.events, heir.profiles, "heir", AT_ONCE),
            )
            assert [await one.views() for one in (alive, heir)] == [2 * round_ + 2] * 2
        for _ in range(3):
            await alive.profiles.fold()
        assert alive.profiles.backlog == 0
    async with process(space, "reader") as reader:
        assert [await reader.views("ann"), await reader.views("bob")] == [12, 6]


async def test_buckets_without_visitors_left_are_closed_too(space):
    await died(space)
    await space.events.erase("ann")
    await space.events.erase("bob")
    async with process(space, "heir") as heir:
        await recover(space.events, heir.profiles, "heir", AT_ONCE)
        assert await heir.views() == 0


async def test_however_many_processes_die_everything_counts_once(space):
    """More than a clock has entries: none may be cut while its moves could be met again."""
    names = [f"dead{n:02}" for n in range(CLOCK_ENTRIES + 8)]
    for name in names:
        await died(space, name, buckets=1, visitors=("ann",))
    async with process(space, "heir1") as one, process(space, "heir2") as two:
        await asyncio.gather(
            *(recover(space.events, heir.profiles, heir.name, AT_ONCE) for heir in (one, two)),
        )
        assert await recover(space.events, one.profiles, "heir1", AT_ONCE) == 0
        assert await one.views() == len(names)
        await one.track(view())
        await one.profiles.fold()
        stored = (await space.profiles.get_many(["ann"]))["ann"]
        assert len(stored.clock) == CLOCK_ENTRIES
        late = {"ann": [(1, remember([(view(), None)], LEARNING))]}
        assert await two.profiles.take_over(names[0], late)  # who had read it before it was closed
        assert await two.views() == len(names) + 1
        assert (await space.profiles.get_many(["ann"]))["ann"] == stored


async def test_restarting_for_ever_keeps_the_clock_small_and_the_counts_right(space):
    for n in range(2 * CLOCK_ENTRIES):
        async with process(space, f"life{n:03}") as one:
            await one.track(view())
            if n % 3:
                await one.profiles.fold()
            else:  # it dies; the next but one finds what it left
                await recover(space.events, one.profiles, one.name, AT_ONCE)
    async with process(space, "z") as last:
        await recover(space.events, last.profiles, "z", AT_ONCE)
        await last.track(view())
        await last.profiles.fold()
        assert await last.views() == 2 * CLOCK_ENTRIES + 1
    assert len((await space.profiles.get_many(["ann"]))["ann"].clock) == CLOCK_ENTRIES
