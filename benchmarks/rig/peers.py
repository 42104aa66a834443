"""Servers of others that answer the same pages, installed from npm into benchmarks/peers."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rig.processes import Server, server

FOLDER = Path(__file__).parent.parent / "peers"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
LOCK = FOLDER / "package-lock.json"
PEERS: Mapping[str, str] = {
    "mercurius-jit": "Mercurius with JIT",
    "mercurius": "Mercurius",
    "apollo": "Apollo Server",
    "yoga": "Yoga",
    "fastify": "Fastify + JSON.stringify, no GraphQL",
}
PACKAGES = ("mercurius", "graphql-jit", "@apollo/server", "graphql-yoga", "fastify", "graphql")


def require() -> None:
    """Install what package-lock.json names, where it is not there yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SystemExit("the peers need node: apt-get install nodejs npm, or leave them out with --only")
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        print("installing the peers from npm", file=sys.stderr)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True)
        INSTALLED.touch()


@contextmanager
def peer(name: str, pages: Path) -> Iterator[Server]:
    command: list[str | Path] = ["node", FOLDER / "serve.mjs", name, pages]
    with server(name, command, {"NODE_ENV": "production"}) as process:
        yield process


@contextmanager
def floor(pages: Path) -> Iterator[Server]:
    with server("floor", [sys.executable, Path(__file__).with_name("floor.py"), pages]) as process:
        yield process


def versions() -> dict[str, str]:
    """Of what is installed."""
    packages = json.loads(LOCK.read_text())["packages"]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    found = {name: packages[f"node_modules/{name}"]["version"] for name in PACKAGES}
    return {"Node": node.removeprefix("v"), **found}
