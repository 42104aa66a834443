import asyncio

import pytest

from gateway.core.keys import Keys
from gateway.errors import BadInput
from gateway.services.keys import MADE, PSEUDONYMS, check_keys, made_key, open_keys
from gateway.settings import Settings
from gateway.storage.client import Storage

OLD, NEW, WRONG = (f"{name} secret, long enough to be a key" for name in ("old", "new", "wrong"))


async def opened(storage: Storage, *keys: str) -> Keys:
    return await open_keys(storage.control, Settings(keys=list(keys)))


def same(one: Keys, other: Keys) -> bool:
    return (
        one.signing.id == other.signing.id
        and one.pseudonyms("main").of("ann") == other.pseudonyms("main").of("ann")
        and one.sealer.open(other.sealer.seal("ann")) == "ann"
    )


async def test_without_keys_one_is_made_and_kept_for_all_processes(storage: Storage) -> None:
    first, *others = await asyncio.gather(*(opened(storage) for _ in range(5)))
    assert all(same(first, other) for other in others)
    assert same(first, await opened(storage))


async def test_keys_that_are_given_are_not_kept(storage: Storage) -> None:
    first = await opened(storage, OLD)
    assert same(first, await opened(storage, OLD))
    assert await made_key(storage.control) is None
    assert OLD.encode() not in (await storage.control.find_secret(PSEUDONYMS) or b"")


async def test_a_rotation_keeps_pseudonyms_and_lets_the_old_key_go(storage: Storage) -> None:
    before = await opened(storage, OLD)
    both = await opened(storage, NEW, OLD)
    assert both.pseudonyms("main").of("ann") == before.pseudonyms("main").of("ann")
    assert both.signing.id != before.signing.id
    assert set(both.public) == {both.signing.id, before.signing.id}
    after = await opened(storage, NEW)  # the secret of pseudonyms was sealed anew
    assert same(after, both)


async def test_wrong_keys_are_refused_before_anything_is_done_with_them(storage: Storage) -> None:
    before = await opened(storage, OLD)
    for wrong in ([WRONG], []):
        with pytest.raises(BadInput, match="BLOCKLOOM_KEYS"):
            await opened(storage, *wrong)
    assert await made_key(storage.control) is None
    assert same(before, await opened(storage, OLD))


async def test_a_made_key_that_moves_to_the_setting_leaves_the_database(storage: Storage) -> None:
    before = await opened(storage)
    made = await made_key(storage.control)
    assert made is not None
    with pytest.raises(BadInput, match="blockloom audit key"):
        await opened(storage, NEW)
    after = await opened(storage, NEW, made)
    assert after.sealer.open(before.sealer.seal("ann")) == "ann"
    assert after.pseudonyms("main").of("ann") == before.pseudonyms("main").of("ann")
    assert await storage.control.find_secret(MADE) is None
    assert same(after, await opened(storage, NEW, made))


async def test_a_check_makes_nothing(storage: Storage) -> None:
    await check_keys(storage.control, [OLD])
    assert await storage.control.find_secret(PSEUDONYMS) is None
    await opened(storage, OLD)
    await check_keys(storage.control, [NEW, OLD])
    with pytest.raises(BadInput, match="none of the keys"):
        await check_keys(storage.control, [WRONG])
