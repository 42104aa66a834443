"""Rebuild the demo's visit data from the original DST files of the "Anonymous Microsoft Web Data" set.

    python examples/datasets/msweb.py FOLDER

FOLDER holds `anonymous-msweb.data` and `anonymous-msweb.test`, as the UCI repository distributes
them. The same files give the same bytes: JSON with one record a line, so that a change is a readable diff.
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

SHIPPED = Path(__file__).parents[2] / "gateway" / "demo" / "msweb"
FIRST_VISITOR = 10001  # in both files; the visitors after it are numbered without a gap

Areas = list[dict[str, Any]]
Visitors = list[list[int]]


def read_dst(path: Path) -> tuple[Areas, Visitors]:
    """Areas by id, and the area ids of each visitor in the file's order (DST lines A, C and V)."""
    areas: Areas = []
    visitors: Visitors = []
    with path.open(encoding="ascii", newline="") as lines:
        for kind, *rest in csv.reader(lines):
            if kind == "A":
                areas.append({"id": int(rest[0]), "title": rest[2].strip(), "url": rest[3]})
            elif kind == "C":
                if int(rest[1]) != FIRST_VISITOR + len(visitors):
                    raise ValueError(f"{path}: visitor {rest[1]} is out of order; take the original file")
                visitors.append([])
            elif kind == "V":
                visitors[-1].append(int(rest[0]))
    return sorted(areas, key=lambda area: area["id"]), visitors


def one_a_line(records: Iterable[Any]) -> str:
    lines = (json.dumps(record, separators=(",", ":")) for record in records)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def rebuild(source: Path, out: Path) -> list[Path]:
    """Write the three files; returns where they are."""
    areas, training = read_dst(source / "anonymous-msweb.data")
    _, test = read_dst(source / "anonymous-msweb.test")
    out.mkdir(parents=True, exist_ok=True)
    contents: dict[str, list[Any]] = {"areas.json": areas, "visits.json": training, "visits-test.json": test}
    for name, records in contents.items():
        (out / name).write_text(one_a_line(records), encoding="ascii", newline="\n")
    return [out / name for name in contents]


def main(
    source: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The folder of the DST files.")
    ],
    out: Annotated[Path, typer.Option(help="Where to write.")] = SHIPPED,
) -> None:
    try:
        written = rebuild(source, out)
    except (OSError, ValueError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from problem
    for path in written:
        typer.echo(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    typer.run(main)
