"""`blockloom tokens`: who may do what."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from gateway.commands.terminal import MAIN, Data, SpaceName, Url, err, out, run, settings_of
from gateway.services.running import running
from gateway.settings import Settings
from gateway.storage.control import StoredToken
from schemas.vocabulary import Scope

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke the tokens of a space.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Tells it apart in lists and records.", show_default=False)],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat for several.")],
    publishable: Annotated[
        bool, typer.Option("--publishable", help="May live in a browser: delivery and events only.")
    ] = False,
    days: Annotated[int | None, typer.Option(min=1, max=3660, help="Days until it expires.")] = None,
    space: SpaceName = MAIN,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Make a token and print it, this once."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    lives = timedelta(days=days) if days else None
    run(_create(settings, space, name, set(scope), publishable, lives), settings, "warning")


@app.command("list")
def list_(space: SpaceName = MAIN, data: Data = None, mongodb: Url = None) -> None:
    """The valid tokens of a space, without the tokens themselves."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    run(_list(settings, space), settings, "warning")


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="As `tokens list` shows it.", show_default=False)],  # noqa: A002
    space: SpaceName = MAIN,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Make a token worthless, within seconds in every process."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    run(_revoke(settings, space, id), settings, "warning")


async def _create(
    settings: Settings, space: str, name: str, scopes: set[Scope], publishable: bool, lives: timedelta | None
) -> None:
    async with running(settings) as gateway:
        await gateway.space(space)  # a token for no space would never be of use
        token, _ = await gateway.tokens.create(space, scopes, name, publishable, lives)
    err.print(f"A token for the space {space}; it is shown this once:", soft_wrap=True)
    typer.echo(token)


async def _list(settings: Settings, space: str) -> None:
    async with running(settings) as gateway:
        await gateway.space(space)
        found = await gateway.tokens.of_space(space)
    table = Table("id", "name", "scopes", "ends in", "created", "expires", box=None)
    for token in found:
        table.add_row(*_row(token))
    out.print(table)


def _row(token: StoredToken) -> tuple[str, ...]:
    scopes = ", ".join(token.scopes) + (" (publishable)" if token.publishable else "")
    expires = f"{token.expires:%Y-%m-%d}" if token.expires else "never"
    return token.digest[:16], token.name, scopes, token.last_four, f"{token.created:%Y-%m-%d}", expires


async def _revoke(settings: Settings, space: str, id_: str) -> None:
    async with running(settings) as gateway:
        await gateway.tokens.revoke(id_, space)
    out.print("Revoked.")
