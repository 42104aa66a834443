"""`blockloom serve`."""

import asyncio
import signal

from gateway.app import build_app
from gateway.commands.terminal import Data, Host, Port, Url, out, run, settings_of
from gateway.server import serving, settle
from gateway.services.running import running
from gateway.settings import Settings


def serve(host: Host = None, port: Port = None, data: Data = None, mongodb: Url = None) -> None:
    """Serve GraphQL until stopped."""
    settings = settings_of(host=host, port=port, data=data, mongodb_url=mongodb)
    run(_serve(settings), settings)


async def _serve(settings: Settings) -> None:
    async with running(settings) as gateway:
        app = build_app(gateway)
        await app.ready()
        token = await gateway.first_token()
        settle()
        async with serving(app, settings.host, settings.port, settings.log_level) as address:
            out.print(f"Blockloom serves GraphQL at [bold]{address}/graphql[/]")
            if token:
                out.print(f"The administrator's token, shown this once: [bold]{token}[/]", soft_wrap=True)
            await until_stopped()
            out.print("Stopping; acknowledged events are being folded into their profiles.")


async def until_stopped() -> None:
    """Returns at Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
