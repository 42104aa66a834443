"""`blockloom audit`: what was done with personal data and by whom, and the proof that nothing of it is missing."""

import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gateway.commands.terminal import MAIN, Data, SpaceName, Url, err, out, progress, run, settings_of
from gateway.core.chains import Named, read, written
from gateway.core.keys import Keys, PublicKeys, key_set
from gateway.core.proofs import Proof
from gateway.core.receipts import public_keys, verify
from gateway.errors import BadInput
from gateway.services.evidence import MOST, Recorded, Wanted, page, prove
from gateway.services.keys import made_key, open_keys
from gateway.services.running import running
from gateway.settings import Settings
from gateway.storage.audit import AuditStore
from schemas.vocabulary import AuditKind

app = typer.Typer(no_args_is_help=True, help="Read the audit log, prove it, verify receipts.")

BROKEN = 3  # exit code: it was looked at, and proves nothing
UNITS = {"m": 60, "h": 3_600, "d": 86_400}
LONGEST_NAME = 250  # every receipt is longer than a file's name can be

Work = Callable[[AuditStore, Keys], Coroutine[Any, Any, None]]


@app.command("verify")
def verify_(
    expect: Annotated[
        Path | None, typer.Option(help="Heads that were kept elsewhere, as `audit heads` printed them.")
    ] = None,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Prove that nothing was changed, added or taken away. Exit code 3: something was."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    proof = _proven(settings, _heads(expect) if expect else [])
    if proof.broken:
        err.print(f"Broken in {proof.broken:,} places.", style="bold red")
        raise typer.Exit(BROKEN)
    out.print(f"Whole: {_told(proof)}.")


@app.command()
def heads(data: Data = None, mongodb: Url = None) -> None:
    """Prove the log, and print where its chains stand: a few lines to be kept elsewhere for `--expect`."""
    proof = _proven(settings_of(data=data, mongodb_url=mongodb), [])
    if proof.broken:
        raise typer.Exit(BROKEN)
    for head in proof.heads():
        typer.echo(written(head))


@app.command()
def show(
    kind: Annotated[list[AuditKind] | None, typer.Option(help="Only this; repeat for several.")] = None,
    since: Annotated[
        str | None, typer.Option(help="A time like 2026-11-01, or an age like 30m, 24h, 7d.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="As NDJSON.")] = False,
    space: Annotated[str | None, typer.Option(help="Only of this space.")] = None,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """What is recorded, newest first."""
    start = _moment(since, datetime.now(UTC)) if since else None
    wanted = Wanted((space,) if space else (), tuple(kind or ()), start)

    async def work(store: AuditStore, keys: Keys) -> None:
        left, cursor = last, None
        while left:
            found = await page(store, keys.public, wanted, min(left, MOST), cursor)
            for entry in found.entries:
                typer.echo(_json(entry) if json else _line(entry))
            for bucket in found.doubtful:
                err.print(
                    f"{bucket} was changed and is not shown; see `blockloom audit verify`", soft_wrap=True
                )
            left = left - len(found.entries) if found.more else 0
            cursor = found.entries[-1].cursor if found.entries else None

    _run(settings_of(data=data, mongodb_url=mongodb), work)


@app.command()
def receipt(
    text: Annotated[str, typer.Argument(help="The receipt, or a file with it.", show_default=False)],
    jwks: Annotated[
        Path | None, typer.Option(help="Public keys, as `audit jwks` prints them; else the store's.")
    ] = None,
    visitor: Annotated[str | None, typer.Option(help="Whether it is this visitor's.")] = None,
    space: SpaceName = MAIN,
    data: Data = None,
    mongodb: Url = None,
) -> None:
    """Verify the receipt of an erasure, and print what it says."""
    settings = settings_of(data=data, mongodb_url=mongodb)
    given = _read(Path(text)).strip() if len(text) < LONGEST_NAME and Path(text).is_file() else text.strip()
    if jwks is not None and visitor is None:
        claims = verify(_keys_of(jwks), given)
    else:
        keys = _keys(settings)
        claims = verify(_keys_of(jwks) if jwks else keys.public, given)
        if visitor is not None and claims["sub"] != keys.pseudonyms(space).of(visitor):
            raise BadInput(f"the receipt is genuine, but not of this visitor of the space {space}")
    typer.echo(orjson.dumps(claims, option=orjson.OPT_INDENT_2))


@app.command()
def jwks(data: Data = None, mongodb: Url = None) -> None:
    """Print the public keys that verify receipts, as a JSON Web Key Set."""
    keys = _keys(settings_of(data=data, mongodb_url=mongodb))
    typer.echo(orjson.dumps(key_set(keys.public), option=orjson.OPT_INDENT_2))


@app.command()
def key(data: Data = None, mongodb: Url = None) -> None:
    """Print the secret that was made at the first start, to be moved to BLOCKLOOM_KEYS."""
    settings = settings_of(data=data, mongodb_url=mongodb).model_copy(update={"keys": []})

    async def work() -> None:
        async with running(settings) as gateway:
            await open_keys(gateway.storage.control, settings)
            typer.echo(await made_key(gateway.storage.control))

    run(work(), settings, "warning")


def _proven(settings: Settings, expected: list[Named]) -> Proof:
    """With every break printed."""
    found: list[Proof] = []

    async def work(store: AuditStore, keys: Keys) -> None:
        with progress("buckets") as (advance,):
            kept = timedelta(days=settings.audit_days)
            found.append(await prove(store, keys.public, kept, expected, advance))

    _run(settings, work)
    for one in found[0].breaks:
        out.print(str(one), markup=False, soft_wrap=True)
    return found[0]


def _told(proof: Proof) -> str:
    parts = [f"{proof.entries:,} entries in {proof.buckets:,} buckets of {proof.chains:,} chains"]
    if proof.expired:
        parts.append(f"the beginning of {proof.expired:,} has expired")
    if proof.lost:
        parts.append(f"{proof.lost:,} entries were let go while the store was away or too slow, and counted")
    return "; ".join(parts)


def _keys(settings: Settings) -> Keys:
    found: list[Keys] = []

    async def work(store: AuditStore, keys: Keys) -> None:
        found.append(keys)

    _run(settings, work)
    return found[0]


def _run(settings: Settings, work: Work) -> None:
    async def opened() -> None:
        async with running(settings) as gateway:
            await work(gateway.storage.audit, await open_keys(gateway.storage.control, settings))

    run(opened(), settings, "warning")


def _moment(text: str, now: datetime) -> datetime:
    """A time zone is UTC unless it is said."""
    if age := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return now - timedelta(seconds=int(age[1]) * UNITS[age[2]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"--since {text} is no time; write 2026-11-01T12:00, or an age like 24h or 7d"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _heads(path: Path) -> list[Named]:
    found = []
    for number, line in enumerate(_read(path).splitlines(), 1):
        try:
            found += [read(line)] if line.strip() else []
        except (ValueError, OverflowError):
            raise BadInput(
                f"{path}:{number} is no head; keep whole lines of `blockloom audit heads`"
            ) from None
    return found


def _keys_of(path: Path) -> PublicKeys:
    try:
        return public_keys(orjson.loads(_read(path)))
    except orjson.JSONDecodeError as error:
        raise BadInput(f"{path} is no JSON ({error}); give a JSON Web Key Set") from error


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); name another file") from error


def _line(entry: Recorded) -> str:
    at = entry.at.isoformat(" ", "milliseconds").removesuffix("+00:00")
    words = (at, entry.id, entry.kind, entry.space, entry.actor, entry.subject)
    return "  ".join([*(word for word in words if word), orjson.dumps(entry.details).decode()])


def _json(entry: Recorded) -> str:
    at = entry.at.isoformat(timespec="milliseconds")
    names = ("id", "kind", "space", "actor", "subject", "details")
    return orjson.dumps({"at": at, **{name: getattr(entry, name) for name in names}}).decode()
