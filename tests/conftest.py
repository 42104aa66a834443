import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from gateway.storage.client import SpaceStore, Storage, connect
from tests.engine import OTHER_SERVER, running_engine


@pytest.fixture(scope="session")
def engine_url() -> Iterator[str]:
    with running_engine() as url:
        yield url


@pytest.fixture
def prefix() -> str:
    """What the databases of one test begin with."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def storage(engine_url: str, prefix: str) -> AsyncIterator[Storage]:
    storage = connect(engine_url, prefix)
    await storage.prepare()
    yield storage
    storage.close()
    if OTHER_SERVER:
        await _drop(engine_url, prefix)


@pytest.fixture
async def space(storage: Storage) -> SpaceStore:
    space = storage.space("main")
    await space.prepare()
    return space


async def _drop(url: str, prefix: str) -> None:
    client = AsyncIOMotorClient(url)
    for name in await client.list_database_names():
        if name.startswith(prefix):
            await client.drop_database(name)
    client.close()
