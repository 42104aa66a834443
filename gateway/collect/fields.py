"""Fields of messages that anybody may have written: of the kind that is wanted, or not there."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeAlias

from gateway.core.events import Refusal

Path: TypeAlias = tuple[str | int, ...]
NONE: Mapping[str, Any] = {}

BAD_TIME = Refusal("BAD_TIME", "times are texts like 2026-12-01T18:30:00Z")


def text(value: Any) -> str | None:
    """Numbers too: ids are often sent as such."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """A finite number, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else NONE


def path(dotted: str) -> Path:
    """`products.0.sku` -> ("products", 0, "sku")."""
    return tuple(int(step) if step.isdecimal() else step for step in dotted.split("."))


def at(found: Any, steps: Path) -> Any:
    """What lies there, or None."""
    for step in steps:
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return None
    return found


def first_text(found: Any, paths: Iterable[Path]) -> str | None:
    return next((value for steps in paths if (value := text(at(found, steps))) is not None), None)


def first_number(found: Any, paths: Iterable[Path]) -> float | None:
    return next((value for steps in paths if (value := number(at(found, steps))) is not None), None)


def moment(value: Any) -> float | None:
    """An ISO 8601 text in epoch seconds, UTC where it has no offset; None for what cannot be read."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def occurred(said: Any, sent: Any, received: float) -> float | Refusal:
    """When it happened by our clock; it was `sent` at the moment that it was received, whatever a wrong clock says.

    As Segment has it: timestamp + (receivedAt - sentAt).
    """
    if said is None:
        return received
    happened = moment(said)
    if happened is None:
        return BAD_TIME
    left = moment(sent)
    return happened if left is None else happened + (received - left)
