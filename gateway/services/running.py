"""A gateway with its store under it: the embedded engine's, or the one that is named by URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.services.gateway import Gateway
from gateway.settings import Settings
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Gateway]:
    """Opened on entry; on exit everything acknowledged is folded, and the engine stops."""
    if settings.mongodb_url is not None:
        async with _opened(settings, settings.mongodb_url.get_secret_value(), alone=False) as gateway:
            yield gateway
        return
    engine = EmbeddedEngine(settings.data)
    url = await engine.start()
    try:
        async with _opened(settings, url, alone=True) as gateway:
            yield gateway
    finally:
        await engine.stop()


@asynccontextmanager
async def _opened(settings: Settings, url: str, alone: bool) -> AsyncIterator[Gateway]:
    gateway = Gateway(connect(url, settings.database), settings, alone)
    try:
        await gateway.open()
        yield gateway
    finally:
        await gateway.close()
