from datetime import UTC, datetime

from gateway.storage.decisions import DecisionBucket

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
BUCKET = DecisionBucket("p-1", NOON, ("ann", "bob"), b"choices")


async def test_a_decision_is_found_again(space):
    await space.decisions.append(BUCKET)
    assert await space.decisions.get("p-1") == BUCKET
    assert await space.decisions.get("p-2") is None


async def test_the_same_bucket_again_changes_nothing(space):
    await space.decisions.append(BUCKET)
    await space.decisions.append(BUCKET)
    assert await space.decisions.of_visitor("bob") == ["p-1"]


async def test_a_visitor_can_be_taken_out(space):
    await space.decisions.append(BUCKET)
    assert await space.decisions.replace(BUCKET, b"less", ["bob"])
    assert not await space.decisions.replace(BUCKET, b"both", ["ann"])
    assert await space.decisions.of_visitor("ann") == []
    assert await space.decisions.get("p-1") == DecisionBucket("p-1", NOON, ("bob",), b"less")
    assert await space.decisions.delete(["p-1", "p-2"]) == 1
    assert await space.decisions.get("p-1") is None
