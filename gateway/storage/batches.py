"""Long lists in pieces that the store takes well."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

NAMED_AT_ONCE = 100
"""Ids in one query. The embedded engine compares each document with each of them: 1,000 are ten times slower."""

INSERTED_AT_ONCE = 1_000

T = TypeVar("T")


def batches(items: Sequence[T], size: int = NAMED_AT_ONCE) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
