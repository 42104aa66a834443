"""Clients from npm, installed once into tests/node and run by node against a live gateway."""

import asyncio
import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "node"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
LOCK = FOLDER / "package-lock.json"
PATIENCE = 120  # seconds for npm


@cache
def require_packages() -> None:
    """Install what package-lock.json names. Without node the test is skipped, but not in CI."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("node is missing: apt-get install nodejs npm")
        pytest.skip("node is missing, so no client from npm was tried: apt-get install nodejs npm")
    with (FOLDER / ".installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one at a time, when several runs share this folder
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=FOLDER, check=True, timeout=PATIENCE)
            INSTALLED.touch()


async def run_node(script: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What the script of tests/node prints; it must end well."""
    process = await asyncio.create_subprocess_exec(
        "node", script, *arguments, cwd=FOLDER, env={**os.environ, **(env or {})},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode() or out.decode()
    return out.decode()
