from collections.abc import AsyncIterator

import pytest_asyncio

from tests.gateway.collect.made import Collecting, collecting


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def found(engine_url: str) -> AsyncIterator[Collecting]:
    """One gateway for the tests of this folder; each uses visitors of its own."""
    async with collecting(engine_url, "collecting") as running:
        yield running
