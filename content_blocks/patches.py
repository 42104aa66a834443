"""JSON merge patches (RFC 7386): a variant says only how it differs from its block's data."""

from collections.abc import Mapping
from typing import Any

from content_blocks.json_schema import pointer

_MISSING = object()


def merge(base: Any, patch: Any) -> Any:
    """The base with the patch applied; null removes a field, a list is replaced whole.

    Nothing is changed in place. Parts that the patch leaves alone are shared with the base, so treat
    the result as frozen, as all content is.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(base) if isinstance(base, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def stale(old_base: Any, new_base: Any, patch: Mapping[str, Any]) -> list[str]:
    """Where the base moved under the patch: JSON Pointers to what it overrides and to what changed."""
    return [pointer(path) for path in _stale(old_base, new_base, patch, ())]


def _stale(old: Any, new: Any, patch: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not all(isinstance(side, Mapping) for side in (old, new, patch)):
        return [] if _same(old, new) else [path]
    return [
        moved
        for key, value in patch.items()
        for moved in _stale(old.get(key, _MISSING), new.get(key, _MISSING), value, (*path, key))
    ]


def _same(old: Any, new: Any) -> bool:
    """Equal as JSON: unlike in Python, true is not 1."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)
