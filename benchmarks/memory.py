"""Where the memory of a gateway goes: the demo, step by step, and then a cached profile.

    python benchmarks/memory.py [VISITORS]

Resident memory of this process alone: the engine is another. So many VISITORS of the data set are replayed, by
default all. What a variant takes, deciding.py prints.
"""

import asyncio
import gc
import random
import resource
import sys
import tempfile
import tracemalloc
from pathlib import Path

import httpx

from gateway.app import build_app
from gateway.commands.demo import DEFAULTS
from gateway.core.events import Event
from gateway.core.memory import Learning, from_bytes, remember, to_bytes
from gateway.core.profiles import Profile, moved, stranger
from gateway.demo.asking import PAGE
from gateway.demo.contents import open_space, tell_stories
from gateway.demo.stages import stages
from gateway.demo.visits import replay
from gateway.server import serving
from gateway.services.running import running
from gateway.settings import Settings

TARGET = 150.0  # MB
PAGES = 500
PROFILES = 200


async def demo(visitors: int | None) -> None:
    report("the modules")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), **DEFAULTS, consent="opt-out")
        async with running(settings) as gateway:
            report("the space main, and what reads contexts")
            shop, site = await asyncio.gather(*(open_space(gateway, stage.space) for stage in stages()))
            await tell_stories(shop, stages()[0])
            report("both spaces with their content")
            app = build_app(gateway, open_access=True, stages=stages())
            async with serving(app, "127.0.0.1", 0) as address:
                report("their GraphQL schemas")
                await pages(address)
                report(f"{PAGES} pages with reasons")
                await replay(site, visitors, lambda done, total: None)
                report("the replay")
                gc.collect()
                report("everything, settled", TARGET)


async def pages(address: str) -> None:
    personas = stages()[0].personas
    async with httpx.AsyncClient(base_url=address, headers={"blockloom-space": "shop"}) as http:
        for number in range(PAGES):
            persona = personas[number % len(personas)]
            asked = {"slug": "home", "visitor": persona.visitor, "context": persona.context}
            answer = await http.post("/graphql", json={"query": PAGE, "variables": asked})
            assert "errors" not in answer.json(), answer.text


def report(what: str, target: float | None = None) -> None:
    megabytes = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    aim = f"   target {target:.0f}" if target else ""
    print(f"{what:44}{megabytes:8.1f} MB{aim}", flush=True)


def cached_profiles() -> None:
    """Of 256 names in both vectors, as they come from the store."""
    rng, learning = random.Random(7), Learning()
    bodies = [to_bytes(learned(rng, learning).memory) for _ in range(PROFILES)]
    gc.collect()
    tracemalloc.start()
    kept = [Profile(f"v{number}", from_bytes(body), {"p": 1}, learning) for number, body in enumerate(bodies)]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    names = sum(len(profile.memory.usual.sums) for profile in kept) / PROFILES
    print(f"{f'a cached profile of {names:.0f} names':44}{held / PROFILES / 1e3:8.1f} kB", flush=True)


def learned(rng: random.Random, learning: Learning) -> Profile:
    profile = stranger("v", learning)
    for number in range(1, 60):
        features = {f"text:word{rng.randrange(5_000)}": rng.random() for _ in range(20)}
        move = remember([(Event(f"e{number}", "view", "v", 1.79e9 + number, "b"), features)], learning)
        profile = moved(profile, "p", [(number, move)])
    return profile


if __name__ == "__main__":
    asyncio.run(demo(int(sys.argv[1]) if len(sys.argv) > 1 else None))
    cached_profiles()
