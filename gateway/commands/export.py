"""`blockloom export`: what `load` reads again, or everything that is kept of one person."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import orjson
import typer

from gateway.commands.terminal import MAIN, Data, SpaceName, Url, err, run, settings_of
from gateway.core.bundles import format_of, write_bundle
from gateway.core.bundles.event_documents import event_document
from gateway.core.events import Event
from gateway.errors import BadInput
from gateway.services.running import running
from gateway.settings import Settings
from gateway.storage.events import EventStore

BUCKETS = 50  # read at once: some tens of megabytes at most

Format = Literal["yaml", "json", "ndjson"]


def export(
    space: SpaceName = MAIN,
    format: Annotated[  # noqa: A002 - the option's name
        Format | None, typer.Option(help="Else by the suffix of --out, else yaml; ndjson with --events.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Write to this file.")] = None,
    events: Annotated[bool, typer.Option("--events", help="The events too, as NDJSON.")] = False,
    visitor: Annotated[
        str | None, typer.Option(help="Instead: everything that is kept of this visitor, as JSON.")
    ] = None,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Write what is published, and the events if wanted, as a bundle that `load` reads. Or a visitor's data."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    if visitor is not None:
        if events or (format or "json") != "json":
            raise BadInput(
                "a visitor's data is written as JSON, events and all; leave --events and --format out"
            )
        run(_export_person(settings, space, visitor, to), settings, "warning")
        return
    chosen = format or (format_of(to.name) if to else None) or ("ndjson" if events else "yaml")
    if events and chosen != "ndjson":
        raise BadInput(
            "events are exported as NDJSON, one a line; use --format ndjson, or leave --events out"
        )
    run(_export(settings, space, chosen, to, events), settings, "warning")


async def _export(settings: Settings, space: str, format: str, to: Path | None, events: bool) -> None:  # noqa: A002
    async with running(settings) as gateway:
        bundle = (await gateway.space(space)).authoring.export()
        count = 0
        with _target(to) as file:
            file.write(write_bundle(bundle, format))
            if events:
                async for event in logged(gateway.storage.space(space).events):
                    file.write(orjson.dumps({"kind": "event", **event_document(event)}) + b"\n")
                    count += 1
    told = f" and {count:,} events" if events else ""
    err.print(f"Exported {len(bundle):,} documents{told}{f' to {to}' if to else ''}.", soft_wrap=True)


async def _export_person(settings: Settings, name: str, visitor: str, to: Path | None) -> None:
    async with running(settings) as gateway:
        space = await gateway.space(name)
        found = await space.personal_data.of(space.key(visitor), visitor)
    with _target(to) as file:
        file.write(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")


async def logged(log: EventStore) -> AsyncIterator[Event]:
    """Every event in the log, oldest bucket first, with what arrives meanwhile."""
    at = datetime.fromtimestamp(0, UTC)
    seen: set[str] = set()  # of the buckets received in the last millisecond that was read
    while True:
        buckets = await log.since(at, datetime.now(UTC) + timedelta(hours=1), BUCKETS + len(seen))
        fresh = [bucket for bucket in buckets if bucket.id not in seen]
        if not fresh:
            return
        for bucket in fresh:
            for event in bucket.events:
                yield Event.from_bytes(event.id, event.visitor, event.body)
        at = fresh[-1].at
        seen = {bucket.id for bucket in buckets if bucket.at == at}


@contextmanager
def _target(to: Path | None) -> Iterator[BinaryIO]:
    """A file is complete or not there."""
    if to is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = to.with_name(to.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(to)
    except OSError as error:
        raise BadInput(f"{to} cannot be written ({error.strerror}); choose another --out") from error
