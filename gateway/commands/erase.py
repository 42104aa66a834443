"""`blockloom erase`: answering a privacy request by law."""

from typing import Annotated

import typer

from gateway.commands.terminal import MAIN, Data, SpaceName, Url, opened, out, run, settings_of
from gateway.settings import Settings


def erase(
    visitor: Annotated[str, typer.Argument(help="The visitor's id.", show_default=False)],
    space: SpaceName = MAIN,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Erase everything about a visitor: profile, events, decisions. It cannot be undone."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    run(_erase(settings, space, visitor), settings, "warning")


async def _erase(settings: Settings, name: str, visitor: str) -> None:
    async with opened(settings, name) as space:
        gone = await space.privacy.forget(visitor)
    what = f"{gone.profiles} profile, {gone.events:,} events, {gone.decisions:,} decisions"
    out.print(f"Erased {what}." if any((gone.profiles, gone.events, gone.decisions)) else "Nothing was kept.")
