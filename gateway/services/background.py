"""Work that goes on beside the requests."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.errors import StoreUnavailable

log = logging.getLogger(__name__)


async def every(seconds: float, work: Callable[[], Awaitable[object]], name: str) -> None:
    """Do `work` again and again until cancelled; what fails is logged and tried the next time."""
    failing = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
            if failing:
                log.info("%s works again", name)
            failing = False
        except StoreUnavailable as error:
            if not failing:
                log.warning("%s waits for the store: %s", name, error)
            failing = True
        except Exception:
            log.exception("%s failed; it is tried again in %g s", name, seconds)
