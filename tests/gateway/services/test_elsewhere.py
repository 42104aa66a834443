from datetime import UTC, datetime, timedelta

from gateway.core.memory import Learning
from gateway.services.elsewhere import Elsewhere
from gateway.services.profiles import Profiles
from gateway.storage.client import SpaceStore
from gateway.storage.events import Bucket, LoggedEvent


def elsewhere_of(space: SpaceStore) -> Elsewhere:
    profiles = Profiles(space.events, space.profiles, "here", Learning(), 100, 0.75)
    return Elsewhere(space.events, profiles, "here")


def bucket(process: str, seq: int, *visitors: str, late: float = 0.0) -> Bucket:
    """Written now, by a clock that is so many seconds behind."""
    events = tuple(LoggedEvent(f"{process}{seq}{visitor}", visitor, b"{}") for visitor in visitors)
    return Bucket(process, seq, datetime.now(UTC) - timedelta(seconds=late), events)


async def test_visitors_of_other_processes_are_named_once(space: SpaceStore) -> None:
    elsewhere = elsewhere_of(space)
    assert await elsewhere.changed() == set()
    await space.events.append(bucket("there", 1, "v", "w"))
    await space.events.append(bucket("here", 1, "x"))
    assert await elsewhere.changed() == {"v", "w"}
    assert await elsewhere.changed() == set()
    await space.events.append(bucket("there", 2, "v"))
    assert await elsewhere.changed() == {"v"}


async def test_a_clock_that_is_a_little_behind_hides_nothing(space: SpaceStore) -> None:
    elsewhere = elsewhere_of(space)
    assert await elsewhere.changed() == set()
    await space.events.append(bucket("there", 1, "v", late=3.0))
    assert await elsewhere.changed() == {"v"}


async def test_what_was_long_ago_is_not_read_again(space: SpaceStore) -> None:
    await space.events.append(bucket("there", 1, "v", late=300.0))
    assert await elsewhere_of(space).changed() == set()
