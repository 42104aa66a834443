"""What any document may hold, whatever its kind: values that JSON can carry, in bounds."""

from collections.abc import Iterator
from typing import Any

import orjson

from content_blocks.json_schema import pointer
from gateway.errors import Problem

MAX_DATA = 256 * 1024  # bytes of a block's data as JSON
MAX_DOCUMENT = 2 * 1024 * 1024
MAX_DEPTH = 64


def limit_problems(document: dict[str, Any]) -> list[Problem]:
    """Beyond a limit, or no JSON: numbers of more than 64 bits, infinite ones, half characters."""
    try:
        text = orjson.dumps(document)
    except (TypeError, RecursionError):
        return list(_unfit(document)) or [Problem("", "holds a value that JSON does not have")]
    if len(text) > MAX_DOCUMENT:
        return [Problem("", f"is larger than {MAX_DOCUMENT >> 20} MB", "TOO_LARGE")]
    if len(text) > MAX_DATA and len(orjson.dumps(document.get("data"))) > MAX_DATA:
        return [Problem("/data", f"is larger than {MAX_DATA >> 10} KB", "TOO_LARGE")]
    # Brackets inside texts count too, so this says "perhaps"; `null` may stand for an infinite number.
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH or b"null" in text:
        return list(_unfit(document))
    return []


def _unfit(document: Any) -> Iterator[Problem]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            yield Problem(pointer(path), f"is nested deeper than {MAX_DEPTH} levels", "TOO_LARGE")
        elif isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in value.items()]
            if any(_unfit_text(key) for key in value):
                yield Problem(pointer(path), "has a key that is no valid text")
        elif isinstance(value, list):
            waiting += [((*path, i), inner) for i, inner in enumerate(value)]
        elif why := _unfit_scalar(value):
            yield Problem(pointer(path), why)


def _unfit_scalar(value: Any) -> str | None:
    if isinstance(value, str):
        return "is no valid text: it holds half of a surrogate pair" if _unfit_text(value) else None
    if isinstance(value, float):
        return None if value - value == 0 else "is not a finite number"
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**64 else "does not fit into 64 bits; write it as text"
    return None if value is None else f"is no JSON: {type(value).__name__}"


def _unfit_text(value: Any) -> bool:
    try:
        return not isinstance(value, str) or value.encode() is None
    except UnicodeEncodeError:
        return True
