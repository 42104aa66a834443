"""From a block's tags and words to a named sparse vector.

The names are plain, a tag as it is (`travel`) and a word with a prefix (`text:tent`), so whatever
was learned about a visitor still means the same after the weights were fitted anew.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from sys import intern

import numpy as np
from numpy.typing import NDArray

WORD_PREFIX = "text:"
WORDS_KEPT = 40


@dataclass(frozen=True, slots=True)
class Terms:
    """What one block brings in: the editor's tags with their weights, and its words with their counts.

    It depends on the block's content alone, so it can be kept as long as that."""

    tags: Mapping[str, float]
    words: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Named sparse vectors, one a row: the entries of row i stand from `starts[i]` to `starts[i + 1]`."""

    names: Sequence[str]  # of the columns
    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    weights: NDArray[np.float32]

    def row(self, i: int) -> dict[str, float]:
        span = slice(self.starts[i], self.starts[i + 1])
        names = map(self.names.__getitem__, self.columns[span].tolist())
        return dict(zip(names, self.weights[span].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """TF-IDF with smoothed inverse document frequencies, `ln((1 + n) / (1 + df)) + 1`, and damped
    counts, `1 + ln(count)`, for words."""

    tag_rarity: Mapping[str, float]
    word_rarity: Mapping[str, float]
    unseen_rarity: float  # the largest: nothing is as rare as what was never seen
    tag_share: float

    @classmethod
    def fit(cls, terms: Sequence[Terms], tag_share: float = 0.8) -> "FeatureSpace":
        """`tag_share` (0..1) is the length of the tags' part of a vector: a person chose the tags."""
        return cls(
            tag_rarity=_rarity(_Entries.of([block.tags for block in terms])),
            word_rarity=_rarity(_Entries.of([block.words for block in terms])),
            unseen_rarity=math.log(1 + len(terms)) + 1.0,
            tag_share=tag_share,
        )

    def vector(self, terms: Terms) -> dict[str, float]:
        return self.vectors([terms]).row(0)

    def vectors(self, terms: Sequence[Terms]) -> Vectors:
        """L2-normalised, or empty. Of the words only the `WORDS_KEPT` weightiest count, ties going to
        those that come first. Who has only tags, or only words, gets the whole length from them."""
        tags = _Entries.of([block.tags for block in terms])
        tags = tags.times(self._rarities(self.tag_rarity, tags.names)).normalised()
        words = _Entries.of([block.words for block in terms])
        words = replace(words, weights=1.0 + np.log(words.weights))
        words = words.times(self._rarities(self.word_rarity, words.names)).weightiest(WORDS_KEPT).normalised()
        both = tags.lengths() * words.lengths() > 0.0
        return _joined(
            tags.scaled(np.where(both, self.tag_share, 1.0)),
            words.scaled(np.where(both, math.sqrt(1.0 - self.tag_share**2), 1.0)),
        )

    def _rarities(self, rarity: Mapping[str, float], names: Sequence[str]) -> NDArray[np.float64]:
        return np.array([rarity.get(name, self.unseen_rarity) for name in names])


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """The entries of a sparse matrix with `height` rows, in the order of the rows."""

    names: Sequence[str]  # of the columns
    height: int
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, documents: Sequence[Mapping[str, float]]) -> "_Entries":
        number: defaultdict[str, int] = defaultdict(count().__next__)  # a new name gets the next number
        columns = np.fromiter(map(number.__getitem__, chain.from_iterable(documents)), np.int32)
        weights = np.fromiter(chain.from_iterable(one.values() for one in documents), np.float64)
        sizes = np.fromiter(map(len, documents), np.int64, len(documents))
        rows = np.repeat(np.arange(len(documents), dtype=np.int32), sizes)
        return cls(tuple(number), len(documents), rows, columns, weights)

    def times(self, by_column: NDArray[np.float64]) -> "_Entries":
        return replace(self, weights=self.weights * by_column[self.columns])

    def scaled(self, by_row: NDArray[np.float64]) -> "_Entries":
        return replace(self, weights=self.weights * by_row[self.rows])

    def lengths(self) -> NDArray[np.float64]:
        squares = np.bincount(self.rows, self.weights * self.weights, minlength=self.height)
        return np.sqrt(squares)

    def normalised(self) -> "_Entries":
        lengths = self.lengths()
        return self.scaled(np.divide(1.0, lengths, out=np.zeros(self.height), where=lengths > 0.0))

    def weightiest(self, keep: int) -> "_Entries":
        """At most `keep` of each row; the weights must be positive."""
        sizes = np.bincount(self.rows, minlength=self.height)
        if sizes.max(initial=0) <= keep:
            return self
        # The bits of positive floats sort as the floats do, so that one key holds row and weight.
        bits = self.weights.astype(np.float32).view(np.int32)
        key = (self.rows.astype(np.int64) << 32) - bits
        order = np.argsort(key, kind="stable")
        starts = np.cumsum(sizes) - sizes
        kept = order[np.arange(len(order)) - starts[self.rows] < keep]
        return replace(self, rows=self.rows[kept], columns=self.columns[kept], weights=self.weights[kept])


def _rarity(entries: _Entries) -> dict[str, float]:
    documents = np.bincount(entries.columns, minlength=len(entries.names))
    rarity = np.log((1 + entries.height) / (1 + documents)) + 1.0
    return dict(zip(entries.names, rarity.tolist(), strict=True))


def _joined(tags: _Entries, words: _Entries) -> Vectors:
    rows = np.concatenate([tags.rows, words.rows])
    columns = np.concatenate([tags.columns, words.columns + np.int32(len(tags.names))])
    weights = np.concatenate([tags.weights, words.weights]).astype(np.float32)
    order = np.argsort(rows, kind="stable")
    order = order[weights[order] != 0.0]
    return Vectors(
        names=(*map(intern, tags.names), *(intern(WORD_PREFIX + word) for word in words.names)),
        starts=np.concatenate([[0], np.cumsum(np.bincount(rows[order], minlength=tags.height))]),
        columns=columns[order],
        weights=weights[order],
    )
