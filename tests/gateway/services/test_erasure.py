"""Erasure and sealing where several processes are at work."""

import time
from datetime import timedelta

from gateway.core.keys import Keys
from gateway.core.traits import opened
from gateway.services.audit import Audit
from gateway.services.deliver import Asked, record_of
from gateway.services.space import Space
from gateway.settings import Settings
from tests.gateway.core.logs import KEYS
from tests.gateway.core.made import card, context, fixed, page
from tests.gateway.services.processes import bundle, process, view, working

SHOP = bundle(block=[card("hero"), card("sea", tags={"sea": 1.0})], page=[page(fixed("top", "hero"))])
FIRST, SECOND = "a secret that is long enough to be one", "another secret that is long enough as well"


def now_view(**fields):
    return view(at=time.time(), block="sea", **fields)


async def decided(space: Space) -> str:
    asked = Asked(context(time.time()), space.key("ann"), called="ann")
    answer = await space.delivery.page(space.shelf.edition, "home", asked)
    return space.decisions.record(record_of(answer)) + ".0.0"


async def test_what_another_process_had_decided_is_erased_once_it_is_stored(storage):
    async with working(storage, "p", alone=False) as here, working(storage, "q", alone=False) as there:
        await here.authoring.load(SHOP, "eve")
        await there.shelf.refresh()
        key = here.key("ann")
        await here.intake.submit([here.keyed(now_view())])
        decision = await decided(there)  # kept in its memory yet
        assert (await here.privacy.forget(key)).erased.decisions == 0
        await there.decisions.flush()
        assert await here.replays.replay(decision) is None
        assert await storage.space("main").decisions.of_visitor(key) != []
        await here.privacy.sweep(time.monotonic() + 60)
        assert await storage.space("main").decisions.of_visitor(key) == []
        assert here.privacy._late == {}


async def test_a_sweep_leaves_what_was_decided_since(storage):
    async with working(storage, "p") as space:
        await space.authoring.load(SHOP, "eve")
        key = space.key("ann")
        await space.privacy.forget(key)
        decision = await decided(space)
        await space.decisions.flush()
        await space.intake.submit([space.keyed(now_view())])
        await space.privacy.sweep(time.monotonic() + 60)
        assert (await space.replays.replay(decision)).same
        assert (await space.profiles.get(key)).memory.page_views == 1
        assert len(await storage.space("main").events.of_visitor(key)) == 1


async def test_an_event_that_a_process_took_before_it_heard_is_void_and_swept(storage):
    async with (
        working(storage, "p", alone=False) as here,
        process(storage.space("main"), "q", max_age=600.0) as late,
    ):
        await here.authoring.load(SHOP, "eve")
        key = here.key("ann")
        old = now_view(visitor=key)
        await late.profiles.get(key)  # which it now believes
        await here.privacy.forget(key)
        await late.track(old)
        for _ in range(2):  # the first finds that the profile has moved
            await late.profiles.fold()
        assert (await here.profiles.get(key)).memory.page_views == 0
        await here.privacy.sweep(time.monotonic() + 60)
        assert await storage.space("main").events.of_visitor(key) == []
        found = await here.personal_data.of(key, "ann")
        assert (found["events"], found["profile"]["forgotten"] > 0) == ([], True)


async def reopened(storage, process_name: str, keys: Keys, work) -> None:
    audit = Audit(storage.audit, process_name, keys, timedelta(days=1))
    space = Space("main", storage.space("main"), Settings(fold_seconds=60), process_name, True, keys, audit)
    await space.open()
    try:
        await work(space)
    finally:
        await space.close()


async def test_traits_are_sealed_anew_when_they_are_folded_under_a_new_key(storage):
    old, both, new = (Keys.of(secrets, b"s") for secrets in ([FIRST], [SECOND, FIRST], [SECOND]))
    key = KEYS.pseudonyms("main").of("ann")

    async def identify(space: Space) -> None:
        await space.privacy.identify(key, {"email": "ann@example.org"})

    async def again(space: Space) -> None:
        await space.privacy.identify(key, {"plan": "gold"})

    async def read(space: Space) -> None:
        found = await space.personal_data.of(key, "ann")
        assert found["traits"] == {"email": "ann@example.org", "plan": "gold"}

    async def closed(space: Space) -> None:
        found = await space.personal_data.of(key, "ann")
        assert (found["traits"], found["sealedTraits"]) == ({"plan": "gold"}, ["email"])

    await reopened(storage, "a", old, identify)
    await reopened(storage, "b", both, again)
    await reopened(storage, "c", new, read)
    await reopened(storage, "d", old, closed)


async def test_what_is_sealed_is_opened_by_nobody_without_a_key(storage):
    async with working(storage) as space:
        profile = await space.privacy.identify(space.key("ann"), {"email": "ann@example.org"})
        values = {name: trait.value for name, trait in profile.memory.traits.items()}
        assert opened(values, Keys.of([SECOND], b"s").sealer) == ({}, ["email"])
