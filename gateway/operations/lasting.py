"""Lists that do not change: what they become is worked out once for each operation, and kept as JSON."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from gateway.operations.bail import BAIL

Item = TypeVar("Item")

MOST_BYTES = 16_000_000  # of JSON that is kept for one schema


class Lasting(list[Item]):
    """A resolver's promise: neither this list nor anything in it will change. It is kept by its identity."""

    __slots__ = ()


class Kept:
    """The JSON of lasting lists, those that were not asked for longest going first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._bytes = 0
        # With the list itself, so that its identity stays its own.
        self._kept: OrderedDict[tuple[int, Any], tuple[Any, orjson.Fragment, int]] = OrderedDict()

    def shaped(self, items: Any, complete: Callable[[Any], Any]) -> orjson.Fragment:
        """Each item completed by a function that depends on nothing else; raises Bail for any other list."""
        if type(items) is not Lasting:
            raise BAIL
        key = id(items), complete
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found[1]
        return self._keep(key, items, orjson.dumps([complete(item) for item in items]))

    def _keep(self, key: tuple[int, Any], items: Any, text: bytes) -> orjson.Fragment:
        made = orjson.Fragment(text)
        self._kept[key] = items, made, len(text)
        self._bytes += len(text)
        while self._bytes > self._most:
            _, (_, _, size) = self._kept.popitem(last=False)
            self._bytes -= size
        return made
