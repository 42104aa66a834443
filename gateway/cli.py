"""The command `blockloom`."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from pydantic import ValidationError
from rich.console import Console

from gateway.app import build_app
from gateway.errors import BlockloomError
from gateway.server import serving
from gateway.services.running import running
from gateway.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
out = Console()
err = Console(stderr=True)

Data = Annotated[Path | None, typer.Option(help="Folder of the embedded engine's data.")]
Url = Annotated[
    str | None, typer.Option("--mongodb", help="Use this MongoDB instead of the embedded engine.")
]


def main() -> None:
    """Every refusal is one red sentence that says what to do, and exit code 1."""
    try:
        app()
    except BlockloomError as error:
        err.print(f"[bold red]{error.code}[/] {error.message}", highlight=False)
        for problem in error.problems:
            err.print(f"  {problem.path}: {problem.message}", highlight=False, markup=False)
        sys.exit(1)
    except ValidationError as error:
        for wrong in error.errors():
            name = "BLOCKLOOM_" + "_".join(map(str, wrong["loc"])).upper()
            err.print(f"[bold red]SETTING[/] {name}: {wrong['msg']}", highlight=False)
        sys.exit(1)


def settings_of(**given: Any) -> Settings:
    """Options win over the environment."""
    return Settings(**{name: value for name, value in given.items() if value is not None})


def run(work: Coroutine[Any, Any, None], settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def until_stopped() -> None:
    """Returns at Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


@app.callback()
def blockloom() -> None:
    """Content blocks, woven into a page for each visitor."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Serve GraphQL until stopped."""
    settings = settings_of(host=host, port=port, data=data, mongodb_url=mongodb)
    run(_serve(settings), settings)


async def _serve(settings: Settings) -> None:
    async with running(settings) as gateway:
        token = await gateway.first_token()
        async with serving(build_app(gateway), settings.host, settings.port, settings.log_level) as address:
            out.print(f"Blockloom serves GraphQL at [bold]{address}/graphql[/]")
            if token:
                out.print(f"The administrator's token, shown this once: [bold]{token}[/]")
            await until_stopped()
            out.print("Stopping; acknowledged events are being folded into their profiles.")


if __name__ == "__main__":
    main()
