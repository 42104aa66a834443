"""What the figures were measured on."""

import os
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rig import peers

PACKAGES = (
    "uvicorn", "uvloop", "httptools", "starlette", "orjson", "strawberry-graphql", "graphql-core",
)  # fmt: skip


def described(with_peers: bool) -> Iterator[str]:
    yield f"{datetime.now(UTC):%d %B %Y}, {_processor()}, {os.cpu_count()} cores, {platform.platform()}"
    yield f"Python {platform.python_version()}: " + ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    if with_peers:
        found = peers.versions()
        yield f"Node {found.pop('Node')}: " + ", ".join(f"{name} {number}" for name, number in found.items())


def _processor() -> str:
    told = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return told[1] if told else platform.machine()
