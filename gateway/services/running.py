"""A gateway with its store under it: the embedded engine's, or the one that is named by URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.services.gateway import Gateway
from gateway.settings import Settings
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine


@asynccontextmanager
async def store(settings: Settings) -> AsyncIterator[str]:
    """Its URL, while it answers: of the embedded engine, which stops on exit, where the settings name none."""
    if settings.mongodb_url is not None:
        yield settings.mongodb_url.get_secret_value()
        return
    engine = EmbeddedEngine(settings.data)
    url = await engine.start()
    try:
        yield url
    finally:
        await engine.stop()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Gateway]:
    """Opened on entry; on exit everything acknowledged is folded, and the engine stops."""
    async with store(settings) as url:
        gateway = Gateway(connect(url, settings.database), settings, alone=settings.mongodb_url is None)
        try:
            await gateway.open()
            yield gateway
        finally:
            await gateway.close()
