"""`blockloom erase`: answering a privacy request by law."""

from dataclasses import astuple
from typing import Annotated

import typer

from gateway.commands.terminal import MAIN, Data, SpaceName, Url, err, opened, run, settings_of
from gateway.settings import Settings


def erase(
    visitor: Annotated[str, typer.Argument(help="The visitor's id.", show_default=False)],
    space: SpaceName = MAIN,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Erase everything about a visitor: profile, events, decisions. It cannot be undone. Prints a receipt."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    run(_erase(settings, space, visitor), settings, "warning")


async def _erase(settings: Settings, name: str, visitor: str) -> None:
    async with opened(settings, name) as space:
        forgotten = await space.privacy.forget(space.key(visitor))
    gone = forgotten.erased
    what = f"{gone.profiles} profile, {gone.events:,} events, {gone.decisions:,} decisions"
    err.print(f"Erased {what}." if any(astuple(gone)) else "Nothing was kept.", soft_wrap=True)
    err.print("The receipt, to be verified with `blockloom audit receipt`:", soft_wrap=True)
    typer.echo(forgotten.receipt)
