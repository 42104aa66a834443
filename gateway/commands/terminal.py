"""What all commands share: where they write, their settings, the store they open, their progress bars."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.services.gateway import MAIN
from gateway.services.running import running
from gateway.services.space import Space
from gateway.settings import Settings

out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)  # and progress, so that what is asked for can be piped

Data = Annotated[Path | None, typer.Option(help="Folder of the embedded engine's data.")]
Url = Annotated[
    str | None, typer.Option("--mongodb", help="Use this MongoDB instead of the embedded engine.")
]
SpaceName = Annotated[str, typer.Option("--space", help="The space that is meant.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")]

Advance = Callable[[int, int], None]  # done, total

__all__ = [
    "MAIN",
    "Advance",
    "Data",
    "Host",
    "Port",
    "SpaceName",
    "Url",
    "err",
    "opened",
    "out",
    "progress",
    "run",
    "settings_of",
]


def settings_of(**given: Any) -> Settings:
    """Options win over the environment."""
    return Settings(**{name: value for name, value in given.items() if value is not None})


def run(work: Coroutine[Any, Any, None], settings: Settings, log_level: str | None = None) -> None:
    """`log_level` holds unless the settings name one."""
    said = "log_level" in settings.model_fields_set or log_level is None
    level = settings.log_level if said else log_level
    logging.basicConfig(level=str(level).upper(), format="%(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


@asynccontextmanager
async def opened(settings: Settings, space: str) -> AsyncIterator[Space]:
    async with running(settings) as gateway:
        yield await gateway.space(space)


@contextmanager
def progress(*titles: str) -> Iterator[list[Advance]]:
    """One bar for each title; it appears with its first step, and may be moved from any thread."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bars:
        yield [_bar(bars, title) for title in titles]


def _bar(bars: Progress, title: str) -> Advance:
    task = bars.add_task(title, total=None, visible=False)

    def advance(done: int, total: int) -> None:
        bars.update(task, completed=done, total=total, visible=done > 0)

    return advance
