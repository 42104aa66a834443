"""`blockloom spaces`: sites, tenants or environments, each with a database of its own."""

from typing import Annotated

import typer

from gateway.commands.terminal import Data, Url, out, run, settings_of
from gateway.services.running import running
from gateway.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Make and list spaces.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and -.", show_default=False)],
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Make a space; one that is there stays as it is."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    run(_create(settings, name), settings, "warning")


@app.command("list")
def list_(data: Data = None, mongodb: Url = None) -> None:
    """The names of all spaces."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    run(_list(settings), settings, "warning")


async def _create(settings: Settings, name: str) -> None:
    async with running(settings) as gateway:
        await gateway.create_space(name)
    out.print(f"The space {name} is there; `blockloom tokens create` with --space {name} gives access to it.")


async def _list(settings: Settings) -> None:
    async with running(settings) as gateway:
        for space in await gateway.storage.control.spaces():
            typer.echo(space.name)
