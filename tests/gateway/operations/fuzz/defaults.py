"""Default values of arguments and input fields, as Python."""

from collections.abc import Mapping
from random import Random

DEFAULTS = {
    "int": ("3", "0", "-1"),
    "str": ("'x'", "''"),
    "bool": ("True", "False"),
    "float": ("1.5", "2"),
    "ID": ("ID('i')",),
    "JSON": ("{'a': 1}", "1"),
    "Shout": ("Shout('hey')",),
    "datetime.datetime": ("datetime.datetime(2026, 1, 2, 3)",),
    "datetime.date": ("datetime.date(2026, 1, 2)",),
    "datetime.time": ("datetime.time(1, 2)",),
    "decimal.Decimal": ("decimal.Decimal('1.50')",),
    "uuid.UUID": ("uuid.UUID(int=7)",),
}


def default(chance: Random, kind: str, known: Mapping[str, str | None]) -> str | None:
    """A value of the type; `known` are those of enums and input objects. None where there is none."""
    if kind.endswith(" | None"):
        inner = default(chance, kind.removesuffix(" | None"), known)
        return chance.choice((inner or "None", "None"))
    if kind.startswith("list["):
        item = default(chance, kind[5:-1], known)
        return chance.choice(("[]", f"[{item}]", f"[{item}, {item}]")) if item else "[]"
    return known[kind] if kind in known else chance.choice(DEFAULTS[kind])
