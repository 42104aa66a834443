"""`blockloom load`: files, checked whole, then published; their events go through the intake like any others."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.terminal import (
    MAIN,
    Advance,
    Data,
    SpaceName,
    Url,
    err,
    opened,
    out,
    progress,
    run,
    settings_of,
)
from gateway.core.bundles import Bundle, merge_bundles, read_bundle
from gateway.core.bundles.event_documents import events_of, time_problems
from gateway.core.events import Event
from gateway.errors import BadInput, BlockloomError, InvalidContent, Problem
from gateway.services.author import Published
from gateway.services.ingest import MOST_EVENTS, Intake, Taken
from gateway.settings import Settings

BY = "blockloom load"
PATIENCE = 30  # seconds that a store in trouble is waited for


def load(
    files: Annotated[list[Path], typer.Argument(help="JSON, YAML or NDJSON.", show_default=False)],
    space: SpaceName = MAIN,
    drafts: Annotated[bool, typer.Option("--drafts", help="Save as drafts instead of publishing.")] = False,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Check files together, publish their content, and take in their events."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    bundle = read_files(files)
    run(_load(settings, space, bundle, drafts), settings, "warning")


def read_files(files: Sequence[Path]) -> Bundle:
    """One bundle of them all. Raises InvalidContent with every place that cannot be read."""
    parts: list[Bundle] = []
    problems: list[Problem] = []
    for file in files:
        try:
            part, wrong = read_bundle(file.read_bytes(), str(file))
        except OSError as error:
            wrong = [Problem(str(file), f"cannot be opened: {error.strerror}")]
        else:
            parts.append(part)
        problems += wrong
    if problems:
        raise InvalidContent("nothing was loaded, since not everything can be read", problems)
    return merge_bundles(parts)


async def _load(settings: Settings, name: str, bundle: Bundle, drafts: bool) -> None:
    now = time.time()
    documents = bundle.documents["event"]
    future = list(time_problems(zip(documents, bundle.places["event"], strict=True), now))
    async with opened(settings, name) as space:
        with progress("Checking", "Publishing", "Taking events") as (checking, publishing, taking):
            before = space.shelf.edition.catalogue.revision
            published = await space.authoring.load(
                bundle, BY, publishing, checking=checking, wrong=future, drafts_only=drafts
            )
            events = [space.keyed(event) for event in events_of(documents, now)]
            taken, refused = await take_all(space.intake, events, taking)
        _tell(bundle, published, before, drafts)
        if documents:
            _tell_events(taken, refused)


async def take_all(
    intake: Intake, events: Sequence[Event], advance: Advance
) -> tuple[Counter[str], Counter[str]]:
    """How many were `new` and `known`; and the reasons of those that were refused."""
    taken: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for start in range(0, len(events), MOST_EVENTS):
        batch = events[start : start + MOST_EVENTS]
        found = await _take(intake, batch)
        taken.update(new=found.accepted, known=found.duplicates)
        refused.update(refusal.message for refusal in found.refused.values())
        advance(start + len(batch), len(events))
    return taken, refused


async def _take(intake: Intake, events: Sequence[Event]) -> Taken:
    """Patient with a store that is away or behind; the same events again change nothing."""
    for _ in range(PATIENCE):
        try:
            return await intake.submit(events)
        except BlockloomError as error:
            if not error.retryable:
                raise
            await asyncio.sleep(1.0)
    return await intake.submit(events)


def _tell(bundle: Bundle, published: Published, before: int, drafts: bool) -> None:
    for warning in published.warnings:
        err.print(f"[yellow]warning[/] {warning.path}: {warning.message}", soft_wrap=True)
    count = len(bundle) - len(bundle.documents["event"])
    if drafts:
        out.print(f"Saved {count:,} documents as drafts; publish them with the mutation `publish`.")
    elif count and published.revision == before:
        out.print(f"Nothing is new: all {count:,} documents are published already, at revision {before}.")
    elif count:
        out.print(f"Published {count:,} documents, as revision {published.revision}.")


def _tell_events(taken: Counter[str], refused: Counter[str]) -> None:
    out.print(f"Took {taken['new']:,} events; {taken['known']:,} were known already.")
    if refused:
        why = "; ".join(f"{count:,} because {message}" for message, count in refused.items())
        raise BadInput(f"{refused.total():,} events were refused: {why}")
