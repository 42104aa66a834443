"""`blockloom demo`: a shop and a web site to walk through, in the terminal and in a browser."""

import asyncio
import ipaddress
import time
from collections.abc import Mapping
from typing import Any

import httpx

from gateway.app import build_app
from gateway.commands.serve import until_stopped
from gateway.commands.terminal import out, progress
from gateway.demo.asking import Frontend
from gateway.demo.contents import open_space, tell_stories
from gateway.demo.stages import stages
from gateway.demo.visits import replay
from gateway.demo.walk import Walk
from gateway.errors import BadInput
from gateway.server import serving
from gateway.services.gateway import Gateway
from gateway.services.running import running
from gateway.services.space import Space
from gateway.settings import Settings

DEFAULTS: Mapping[str, Any] = {
    "database": "blockloom_demo",  # beside whatever else is in a MongoDB that is named by URL
    "profile_cache": 2_000,  # few of the visitors that are replayed come back
}


async def run_demo(settings: Settings, *, once: bool, visitors: int | None) -> None:
    """Returns when stopped, or after the walk. `visitors`: how many of the data set are replayed; None: all."""
    _check_loopback(settings.host)
    defaults = {name: value for name, value in DEFAULTS.items() if name not in settings.model_fields_set}
    changed = {**defaults, "consent": "opt-out"}  # the personas were asked, so to speak
    show = asyncio.create_task(_show(settings.model_copy(update=changed), once, visitors))
    stopped = asyncio.create_task(until_stopped())
    await asyncio.wait({show, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if stopped.done():
        out.print("Stopping; acknowledged events are being folded into their profiles.")
    for task in (show, stopped):
        task.cancel()
    ended, _ = await asyncio.gather(show, stopped, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


async def _show(settings: Settings, once: bool, visitors: int | None) -> None:
    async with running(settings) as gateway:
        opened = time.perf_counter()
        site = await _open(gateway)
        app = build_app(gateway, open_access=True, stages=stages())
        async with serving(app, settings.host, settings.port) as address:
            ready = time.perf_counter() - opened
            out.print(f"Blockloom's demo is at [bold]{address}/[/], {ready:.1f} s after its store.\n")
            await _replay(site, visitors)
            async with httpx.AsyncClient(base_url=address, timeout=30.0) as http:
                await Walk(Frontend(http), out, stages()).run()
            if not once:
                out.print(f"Open [bold]{address}/[/] in a browser. Ctrl-C stops.")
                await asyncio.Event().wait()


async def _open(gateway: Gateway) -> Space:
    """Both spaces, ready to be served; returns the one that the visits go to."""
    shop, site = await asyncio.gather(*(open_space(gateway, stage.space) for stage in stages()))
    await tell_stories(shop, stages()[0])
    return site


async def _replay(site: Space, visitors: int | None) -> None:
    started = time.perf_counter()
    with progress("Replaying visits") as (bar,):
        events = await replay(site, visitors, bar)
    took = time.perf_counter() - started
    if events:
        out.print(f"{events:,} events of real visits in {took:.1f} s: {events / took:,.0f} a second.\n")


def _check_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise BadInput(
            f"the demo asks nobody for a token, so it listens on loopback only, not on {host}; "
            "leave --host out, or use `blockloom serve`"
        )
