"""`blockloom doctor`: is everything here that a gateway needs, and what mends what is not."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import typer
from pydantic import SecretStr

from gateway.api.documents import read_documents
from gateway.commands.terminal import Data, Url, out, run, settings_of
from gateway.core.context import COUNTRY_DATABASE
from gateway.core.context.database import CountryDatabase
from gateway.errors import BadInput, BlockloomError
from gateway.services.keys import check_keys, given_keys
from gateway.settings import Settings
from gateway.storage.client import Storage, connect
from gateway.storage.embedded import EmbeddedEngine

COLORS = {"ok": "green", "warn": "yellow", "fail": "red", "set": "cyan"}
LITTLE, TOO_LITTLE = 2 << 30, 200 << 20  # bytes of free disk
KNOWN_ADDRESS, ITS_COUNTRY = "193.0.6.139", "NL"  # of the RIPE NCC in Amsterdam
OTHERS = {"BLOCKLOOM_TEST_MONGODB_URL"}  # read by the tests


class Finding(NamedTuple):
    state: str  # ok, warn, fail, or set: a setting in force
    what: str


def doctor(data: Data = None, mongodb: Url = None) -> None:
    """Look at everything that a gateway needs; what is wrong is said with its mend."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    failed: list[Finding] = []
    run(_doctor(settings, failed), settings, "error")
    if failed:
        raise typer.Exit(1)


async def _doctor(settings: Settings, failed: list[Finding]) -> None:
    async for finding in findings(settings):
        color = COLORS[finding.state]
        out.print(f"[{color}]{finding.state:>4}[/]  {finding.what}", soft_wrap=True)
        if finding.state == "fail":
            failed.append(finding)


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    here = (python(), *disk(settings), country_database(settings), *documents(settings))
    for finding in (*here, *strangers(os.environ)):
        yield finding
    async for finding in store(settings):
        yield finding
    for finding in in_force(settings):
        yield finding


def python() -> Finding:
    here = f"Python {platform.python_version()}, blockloom {version('blockloom')}"
    return (
        Finding("ok", here) if sys.version_info >= (3, 11) else Finding("fail", f"{here}: use 3.11 or newer")
    )


def disk(settings: Settings) -> Iterator[Finding]:
    """Where the embedded engine writes; a MongoDB has its own."""
    if settings.mongodb_url is not None:
        return
    folder = settings.data.absolute()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Finding("fail", f"data folder {folder} cannot be written; choose another --data")
        return
    yield Finding("ok", f"data folder {folder}" + ("" if there == folder else ", made at the first start"))
    free = shutil.disk_usage(there).free
    state = "fail" if free < TOO_LITTLE else "warn" if free < LITTLE else "ok"
    mend = "" if state == "ok" else "; free some, or choose a --data on another disk"
    yield Finding(state, f"{free / (1 << 30):,.1f} GB free there{mend}")


def country_database(settings: Settings) -> Finding:
    path = settings.country_database or COUNTRY_DATABASE
    try:
        found = CountryDatabase(path).find(KNOWN_ADDRESS)
    except BlockloomError as error:
        return Finding("fail", error.message)
    if found.facts.get("country") != ITS_COUNTRY:
        return Finding(
            "warn", f"country database {path} does not know {KNOWN_ADDRESS}; is it one of countries?"
        )
    return Finding("ok", f"country database {path}")


def documents(settings: Settings) -> Iterator[Finding]:
    """Trusted documents; whether they fit a space's schema is said when it is served."""
    path = settings.trusted_documents
    if path is None:
        return
    try:
        yield Finding("ok", f"{len(read_documents(path))} trusted documents in {path}")
    except BlockloomError as error:
        yield Finding("fail", error.message)


def strangers(environment: "os._Environ[str] | dict[str, str]") -> Iterator[Finding]:
    """Variables that look like settings and are none: a typing error would go unnoticed."""
    known = [f"BLOCKLOOM_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(environment):
        if name.upper().startswith("BLOCKLOOM_") and name.upper() not in {*known, *OTHERS}:
            close = get_close_matches(name.upper(), known, n=1)
            mend = f"did you mean {close[0]}?" if close else "docs/settings.md lists those that are"
            yield Finding("warn", f"{name} is no setting; {mend}")


async def store(settings: Settings) -> AsyncIterator[Finding]:
    if settings.mongodb_url is not None:
        async for finding in _asked(
            connect(settings.mongodb_url.get_secret_value(), settings.database), settings
        ):
            yield finding
        return
    with tempfile.TemporaryDirectory(prefix="blockloom-doctor-") as empty:
        used = settings.data.exists()
        engine = EmbeddedEngine(settings.data if used else Path(empty))
        try:
            url = await engine.start()
        except BlockloomError as error:
            yield Finding("fail", error.message)
            return
        try:
            yield Finding("ok", "the embedded engine starts")
            if used:
                async for finding in _asked(connect(url, settings.database), settings):
                    yield finding
        finally:
            await engine.stop()


async def _asked(storage: Storage, settings: Settings) -> AsyncIterator[Finding]:
    try:
        await storage.ping()
        yield Finding("ok", "the store answers")
        yield await keys(storage, settings)
        for space in await storage.control.spaces():
            missing = await storage.space(space.name).missing_indexes()
            gaps = f"lacks the indexes {', '.join(missing)}; the next start of `blockloom serve` makes them"
            yield Finding(
                "warn" if missing else "ok",
                f"space {space.name} " + (gaps if missing else "has all of its indexes"),
            )
    except BlockloomError as error:
        yield Finding("fail", error.message)
    finally:
        storage.close()


async def keys(storage: Storage, settings: Settings) -> Finding:
    given = given_keys(settings)
    if not given:
        return Finding(
            "warn",
            "the key that seals and signs is kept in the database, beside what it protects; "
            "move it to BLOCKLOOM_KEYS, `blockloom audit key` prints it",
        )
    try:
        await check_keys(storage.control, given)
    except BadInput as error:
        return Finding("fail", error.message)
    return Finding("ok", f"BLOCKLOOM_KEYS fits ({len(given)}); the first seals and signs")


def in_force(settings: Settings) -> Iterator[Finding]:
    """What differs from the defaults, without the secrets."""
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        secret = isinstance(value, SecretStr) or name == "keys"
        shown = "(hidden)" if secret else value
        yield Finding("set", f"BLOCKLOOM_{name.upper()}={shown}")
