"""`blockloom demo`: both spaces, served openly on loopback, and a walk through them."""

import ipaddress

import httpx
from rich.console import Console

from gateway.app import build_app
from gateway.commands.serve import until_stopped
from gateway.commands.terminal import out, progress
from gateway.demo.spaces import load, replay
from gateway.demo.walk import Walk
from gateway.errors import BadInput
from gateway.server import serving
from gateway.services.running import running
from gateway.settings import Settings


async def run_demo(settings: Settings, *, once: bool, visitors: int | None) -> None:
    """`once`: stop after the walk. `visitors`: replay so many of the data set, all when None."""
    if not _is_loopback(settings.host):
        raise BadInput(
            f"the demo asks nobody for a token, so it listens on loopback only, not on {settings.host}"
        )
    settings = settings.model_copy(update={"consent": "opt-out", "mongodb_url": None})
    async with running(settings) as gateway:
        _, visited = await load(gateway)
        app = build_app(gateway, open_access=True)
        async with serving(app, settings.host, settings.port) as address:
            out.print(f"The demo is served at [bold]{address}/[/]")
            with progress("Replaying visits") as (advance,):
                replayed = await replay(visited, visitors, advance)
            out.print(f"{replayed:,} visits replayed." if replayed else "The visits are here from last time.")
            async with httpx.AsyncClient(base_url=address, timeout=30) as http:
                await Walk(http, Console(width=None if out.is_terminal else 160)).go()
            if once:
                return
            out.print(
                f"\nOpen [bold]{address}/[/] in a browser, or ask [bold]{address}/graphql[/]. Ctrl-C stops."
            )
            await until_stopped()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
