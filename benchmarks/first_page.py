"""From an engine that answers to the demo's first page, on an empty folder and on one that is there.

python -m benchmarks.first_page
"""

import asyncio
import tempfile
import time
from importlib import resources
from pathlib import Path

import httpx

from gateway.app import build_app
from gateway.core.bundles import read_bundle
from gateway.server import serving
from gateway.services.gateway import Gateway
from gateway.settings import Settings
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine

TARGET = 3.0  # seconds
QUERY = '{ page(slug: "home") { slots { name blocks { key variant data } } } }'


async def start(folder: Path, load: bool) -> tuple[float, float]:
    """(seconds until the engine answers, seconds from there to the first page)."""
    began = time.perf_counter()
    engine = EmbeddedEngine(folder)
    url = await engine.start()
    up = time.perf_counter()
    gateway = Gateway(connect(url), Settings(consent="opt-out"), alone=True)
    try:
        await gateway.open()
        shop = await gateway.create_space("shop")
        if load:
            text = resources.files("gateway.demo").joinpath("shop.yaml").read_bytes()
            bundle, problems = read_bundle(text, "shop.yaml")
            assert not problems
            await shop.authoring.load(bundle, "benchmark")
        async with serving(build_app(gateway, open_access=True), "127.0.0.1", 0) as address:
            await first_page(address)
            return up - began, time.perf_counter() - up
    finally:
        await gateway.close()
        await engine.stop()


async def first_page(address: str) -> None:
    async with httpx.AsyncClient(base_url=address, headers={"blockloom-space": "shop"}) as client:
        answer = (await client.post("/graphql", json={"query": QUERY})).json()
    assert len(answer["data"]["page"]["slots"]) == 8


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for what, load in (("empty folder, content loaded", True), ("folder that is there", False)):
            engine, page = asyncio.run(start(Path(folder), load))
            print(
                f"{what}: engine up in {engine:.2f} s, first page {page:.2f} s later (target {TARGET:.0f} s)"
            )


if __name__ == "__main__":
    main()
