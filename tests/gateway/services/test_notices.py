import asyncio
from contextlib import aclosing

from gateway.services.notices import Notices


async def looked(notices: Notices, visitor: str, times: int) -> int:
    seen = 0
    async with aclosing(notices.watch(visitor)) as watching:
        async for _ in watching:
            seen += 1
            if seen == times:
                break
    return seen


async def test_a_watcher_looks_at_once_and_after_each_change() -> None:
    notices = Notices(None)
    watching = asyncio.create_task(looked(notices, "v", 3))
    while not watching.done():
        await asyncio.sleep(0)
        notices.moved("v")
    assert watching.result() == 3


async def test_many_changes_during_one_look_are_one_notice() -> None:
    notices = Notices(None)
    watch = notices.watch("v")
    await anext(watch)
    for _ in range(100):
        notices.moved("v")
    await anext(watch)
    again = asyncio.ensure_future(anext(watch))
    done, _ = await asyncio.wait({again}, timeout=0.05)
    assert not done
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    await watch.aclose()


async def test_somebody_elses_change_wakes_nobody_but_a_publication_wakes_all() -> None:
    notices = Notices(None)
    watch = notices.watch("v")
    await anext(watch)
    waiting = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0)
    notices.moved("w")
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    notices.published()
    await waiting
    await watch.aclose()


async def test_where_others_write_too_watchers_look_again_by_themselves() -> None:
    assert await asyncio.wait_for(looked(Notices(0.01), "v", 3), 5) == 3


async def test_who_stops_watching_leaves_nothing_behind() -> None:
    notices = Notices(None)
    await looked(notices, "v", 1)
    assert notices.watching == 0
