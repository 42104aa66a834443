"""The command `blockloom`."""

import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.markup import escape

from gateway.commands import audit, spaces, tokens
from gateway.commands.doctor import doctor
from gateway.commands.erase import erase
from gateway.commands.export import export
from gateway.commands.load import load
from gateway.commands.schema import schema
from gateway.commands.serve import serve
from gateway.commands.terminal import Host, Port, err, run, settings_of
from gateway.errors import BlockloomError

log = logging.getLogger(__name__)

DEMO_DATA = Path(".blockloom") / "demo"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Every refusal is one red sentence that says what to do, and exit code 1."""
    try:
        app(arguments)
    except BlockloomError as error:
        _refuse(error)
    except ValidationError as error:
        for wrong in error.errors():
            name = str(wrong["loc"][0])
            option = f" (--{name})" if name in {"host", "port", "data"} else ""
            _say("SETTING", f"BLOCKLOOM_{name.upper()}{option}: {wrong['msg'].removeprefix('Value error, ')}")
    except SettingsError as error:
        _say("SETTING", f"{error}: it is written as JSON, see docs/settings.md")
    except Exception as error:
        log.debug("what happened", exc_info=error)
        _say("INTERNAL", f"{type(error).__name__}: {error}; BLOCKLOOM_LOG_LEVEL=debug tells where")
    else:
        return
    sys.exit(1)


def _refuse(error: BlockloomError) -> None:
    # A message that is followed by its problems may name the first of them, for those who see no more of it.
    _say(error.code, error.message.partition(": ")[0] if error.problems else error.message)
    for problem in error.problems:
        err.print(f"  {problem}", markup=False, soft_wrap=True)


def _say(code: str, message: str) -> None:
    err.print(f"[bold red]{code}[/] {escape(message)}", soft_wrap=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"blockloom {version('blockloom')}")
        raise typer.Exit


@app.callback()
def blockloom(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Content blocks, woven into a page for each visitor."""


@app.command()
def demo(
    host: Host = None,
    port: Port = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the demo's data.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop after the walk.")] = False,
    visitors: Annotated[
        int | None, typer.Option(min=0, help="Replay so many visitors of the data set; else all.")
    ] = None,
) -> None:
    """Load a shop and a data set of real visits, walk through them, and serve them on loopback."""
    from gateway.commands.demo import run_demo  # noqa: PLC0415 - others do without its data

    settings = settings_of(host=host, port=port, data=data or DEMO_DATA)
    run(run_demo(settings, once=once, visitors=visitors), settings, "warning")


app.command()(serve)
app.command()(load)
app.command()(export)
app.command()(schema)
app.add_typer(tokens.app, name="tokens")
app.add_typer(spaces.app, name="spaces")
app.add_typer(audit.app, name="audit")
app.command()(erase)
app.command()(doctor)

if __name__ == "__main__":
    main()
