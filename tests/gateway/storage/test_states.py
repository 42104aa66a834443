from gateway.storage.states import State


async def test_a_state_moves_by_compare_and_set(space):
    assert await space.states.get("popularity") is None
    assert await space.states.put("popularity", b"1", 0)
    assert await space.states.put("popularity", b"2", 1)
    assert await space.states.get("popularity") == State(2, b"2")


async def test_whoever_was_slower_changes_nothing(space):
    assert await space.states.put("popularity", b"1", 0)
    assert not await space.states.put("popularity", b"other", 0)
    assert not await space.states.put("popularity", b"other", 5)
    assert await space.states.get("popularity") == State(1, b"1")
