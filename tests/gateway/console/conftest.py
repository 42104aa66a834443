from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.app import build_app
from gateway.demo.contents import open_space, tell_stories
from gateway.demo.stages import stages
from gateway.services.gateway import Gateway
from gateway.settings import Settings
from gateway.storage.client import connect


@pytest.fixture
async def gateway(engine_url: str, prefix: str) -> AsyncIterator[Gateway]:
    """The demo's shop, with the stories of its personas."""
    settings = Settings(database=prefix, consent="opt-out", fold_seconds=0.2)
    gateway = Gateway(connect(engine_url, prefix), settings, alone=True)
    try:
        await gateway.open()
        await tell_stories(await open_space(gateway, "shop"), stages()[0])
        yield gateway
    finally:
        await gateway.close()


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(gateway, open_access=True, stages=stages())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers={"user-agent": DESKTOP}
    ) as client:
        yield client


DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
