"""One real store for the whole test run: the embedded engine, or the server that is named by URL."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.storage.embedded import EmbeddedEngine

OTHER_SERVER = os.environ.get("BLOCKLOOM_TEST_MONGODB_URL")


@contextmanager
def running_engine() -> Iterator[str]:
    """The URL. What the tests wrote goes away with the folder: dropping it would take the engine longer."""
    if OTHER_SERVER:
        yield OTHER_SERVER
        return
    with tempfile.TemporaryDirectory(prefix="blockloom-tests-") as folder, asyncio.Runner() as runner:
        engine = EmbeddedEngine(Path(folder))
        try:
            yield runner.run(engine.start())
        finally:
            runner.run(engine.stop())
