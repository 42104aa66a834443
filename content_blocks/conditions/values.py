"""JSON values as conditions see them: kinds, equality, paths, versions.

Facts come from outside, so every function here takes any value at all. `true` is never 1, text is
never a number, and a path that leads nowhere is null.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Test = Callable[[Any], bool]
ARRAYS = (list, tuple, set, frozenset)
NO_MEMBER = object()
_BUILD = re.compile(r"^v|\+.*$", re.DOTALL)
_SEPARATOR = re.compile(r"[-.]")
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),  # before number: bool is an int to Python
    ((int, float), "number"),
    (str, "string"),
    (ARRAYS, "array"),
    ((dict, Mapping), "object"),
    (type(None), "null"),
)


_BY_CLASS: dict[type, str] = {
    each: kind for types, kind in _KINDS for each in (types if isinstance(types, tuple) else (types,))
}


def kind_of(value: Any) -> str:
    return _BY_CLASS.get(value.__class__) or next(
        (kind for types, kind in _KINDS if isinstance(value, types)), "unknown"
    )


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def comparable(a: Any, b: Any) -> bool:
    """Two numbers or two texts; nothing else has an order."""
    return (isinstance(a, str) and isinstance(b, str)) or (is_number(a) and is_number(b))


def equal(a: Any, b: Any) -> bool:
    """Deep equality; the keys of objects must stand in the same order, as in MongoDB."""
    kind = kind_of(a)
    if kind != kind_of(b):
        return False
    if kind == "array":
        return len(a) == len(b) and all(map(equal, a, b))
    if kind == "object":
        return list(a) == list(b) and all(map(equal, a.values(), b.values()))
    return bool(a == b)


def same_scalar(a: Any, b: Any) -> bool:
    """Equality of two scalars; lists and objects are never the same as anything."""
    return kind_of(a) not in ("array", "object") and equal(a, b)


def member_key(value: Any) -> Any:
    """What stands for a scalar in a set, where True and 1 would be one; NO_MEMBER for all else."""
    if isinstance(value, bool):
        return ("boolean", value)
    return value if value is None or isinstance(value, str | int | float) else NO_MEMBER


def lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def steps_of(path: str) -> tuple[str, ...]:
    """The keys along a path. A tag may hold dots, so `interests.` takes the rest as one key."""
    if path.startswith("interests."):
        return ("interests", path.removeprefix("interests."))
    return tuple(path.split("."))


def value_at(facts: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if facts.__class__ is dict or isinstance(facts, Mapping):
            facts = facts.get(step)
        elif isinstance(facts, list | tuple):
            facts = _item(facts, step)
        else:
            return None
    return facts


def _item(items: list[Any] | tuple[Any, ...], step: str) -> Any:
    """A list offers its length, and its items by their number (`0`, not `00`)."""
    if step == "length":
        return len(items)
    if len(step) > 9 or not (step.isascii() and step.isdigit()) or str(int(step)) != step:
        return None
    return items[int(step)] if int(step) < len(items) else None


@lru_cache(maxsize=4096)
def version_key(text: str) -> str:
    """A text that sorts as its version does: 1.2.0-rc.1 < 1.2.0 < 1.10.0.

    Parts of digits are padded to five places; a full x.y.z gets a part that sorts after any
    pre-release. A leading v and the build (+...) do not count.
    """
    parts = _SEPARATOR.split(_BUILD.sub("", text or "0"))
    if len(parts) == 3:
        parts.append("~")
    return "-".join(part.rjust(5) if part.isascii() and part.isdigit() else part for part in parts)


def version_text(value: Any) -> str:
    """A version given as a number: 17 and 17.0 are "17"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)
