"""`blockloom schema`: the contract as GraphQL's own language has it."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.api.schema import Schemas, build_schema
from gateway.commands.terminal import Data, Url, err, opened, run, settings_of
from gateway.errors import BadInput
from gateway.settings import Settings
from schemas.json_schemas import builtin_block_types


def schema(
    space: Annotated[
        str | None, typer.Option("--space", help="With this space's block types; else the built-in ones.")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Print the GraphQL schema; without --space no store is opened."""
    if space is None:
        _put(builtin_sdl(), write)
    else:
        settings = settings_of(data=data, mongodb_url=mongodb)
        run(_of_space(settings, space, write), settings, "warning")


def builtin_sdl() -> str:
    types = {document["name"]: document["schema"] for document in builtin_block_types()}
    return build_schema(types).schema.as_str() + "\n"


async def _of_space(settings: Settings, name: str, write: Path | None) -> None:
    async with opened(settings, name) as space:
        _put(Schemas().of(space.shelf.edition.catalogue).schema.as_str() + "\n", write)


def _put(sdl: str, write: Path | None) -> None:
    if write is None:
        typer.echo(sdl, nl=False)
        return
    try:
        write.write_text(sdl)
    except OSError as error:
        raise BadInput(f"{write} cannot be written ({error.strerror}); choose another --write") from error
    err.print(f"Wrote {write}.", soft_wrap=True)
