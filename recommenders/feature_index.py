"""The vectors of all blocks, kept so that one query is scored against every block at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommenders.features import FeatureSpace, Terms, Vectors

Scores = NDArray[np.float64]

# Names that this share of the blocks has are multiplied as a dense matrix: 64 of them cost as much as
# twenty thousand single entries.
DENSE_SHARE = 1 / 64
MOST_DENSE = 64
ROUGHNESS = 1e-5  # of `rough`, for a query of length one: twice what 64 float32 additions can lose


@dataclass(frozen=True, slots=True, eq=False)
class FeatureIndex:
    """A sparse matrix, blocks by names, twice: by row to read some blocks, by column to score a query.

    Rows are the blocks in the order given; 16 bytes for each name of each block, and at most 256 a block for
    the names that very many have.
    """

    vectors: Vectors  # the entries of each row in the order of the columns
    number: Mapping[str, int]  # the column of each name
    column_starts: NDArray[np.int64]
    column_rows: NDArray[np.int32]
    column_weights: NDArray[np.float32]
    dense_of: NDArray[np.int32]  # the place of each column in the dense part, or -1
    dense: NDArray[np.float32]  # (names, blocks)

    @classmethod
    def build(cls, space: FeatureSpace, terms: Sequence[Terms]) -> "FeatureIndex":
        vectors = _by_column(space.vectors(terms))
        height, names = len(terms), vectors.names
        rows = np.repeat(np.arange(height, dtype=np.int32), np.diff(vectors.starts))
        by_column = np.argsort(vectors.columns, kind="stable")
        counts = np.bincount(vectors.columns, minlength=len(names))
        dense_of, dense = _dense(vectors, rows, counts)
        return cls(
            vectors=vectors,
            number={name: column for column, name in enumerate(names)},
            column_starts=np.concatenate([[0], np.cumsum(counts)]),
            column_rows=rows[by_column],
            column_weights=vectors.weights[by_column],
            dense_of=dense_of,
            dense=dense,
        )

    def __len__(self) -> int:
        return len(self.vectors.starts) - 1

    def scores(self, query: Mapping[str, float]) -> Scores:
        """The dot product of the query with every row.

        Products are added in the order of the columns, whatever order the query has its names in: the
        same visitor gets the same bits in every process.
        """
        found = self.located(query)
        order = np.argsort(found.columns)
        return self._sparse(found.columns[order], found.weights[order])

    def located(self, query: Mapping[str, float]) -> "Located":
        """The query's names that any row has, by their columns."""
        number = self.number
        if len(query) <= len(number):
            known = [(number[name], value) for name, value in query.items() if name in number]
        else:
            known = [(column, query[name]) for name, column in number.items() if name in query]
        columns, weights = zip(*known, strict=True) if known else ((), ())
        return Located(np.array(columns, np.intp), np.array(weights, np.float64))

    def rough(self, query: "Located") -> Scores:
        """`scores` within ROUGHNESS times the length of the query, at a fraction of the price."""
        places = self.dense_of[query.columns]
        light = places < 0
        found = self._sparse(query.columns[light], query.weights[light])
        if len(self.dense):
            heavy = np.zeros(len(self.dense), np.float32)
            heavy[places[~light]] = query.weights[~light]
            found += heavy @ self.dense
        return found

    def scores_of(self, query: "Located", rows: NDArray[np.integer]) -> Scores:
        """Those of these rows, to the same bits; for a small part of all, or a small index."""
        factors = np.zeros(len(self.number))
        factors[query.columns] = query.weights
        entries, sizes = _spread(self.vectors.starts[rows], self.vectors.starts[rows + 1])
        products = factors[self.vectors.columns[entries]] * self.vectors.weights[entries]
        return _added(np.repeat(np.arange(len(rows)), sizes), products, len(rows))

    def row(self, i: int) -> dict[str, float]:
        """The vector of row `i` by name, for learning from an event on that block."""
        return self.vectors.row(i)

    def similarities(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """The cosine of each of these rows with each other, shape (k, k), for k of a few dozen."""
        if not len(rows):
            return np.zeros((0, 0), np.float32)
        entries, sizes = _spread(self.vectors.starts[rows], self.vectors.starts[rows + 1])
        owner = np.repeat(np.arange(len(rows)), sizes)
        columns, weights = self.vectors.columns[entries], self.vectors.weights[entries]
        # Names that only one of the rows has make nothing similar; most are, so the matrix stays narrow.
        shared = np.bincount(columns, minlength=len(self.number)) > 1
        both = shared[columns]
        place = np.cumsum(shared) - 1
        dense = np.zeros((len(rows), np.count_nonzero(shared)), np.float32)
        dense[owner[both], place[columns[both]]] = weights[both]
        similar = dense @ dense.T
        np.fill_diagonal(similar, np.bincount(owner, weights * weights, minlength=len(rows)))
        return similar

    def _sparse(self, columns: NDArray[np.intp], weights: Scores) -> Scores:
        entries, sizes = _spread(self.column_starts[columns], self.column_starts[columns + 1])
        products = np.repeat(weights, sizes) * self.column_weights[entries]
        return _added(self.column_rows[entries], products, len(self))


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    columns: NDArray[np.intp]
    weights: Scores


def _added(places: NDArray[np.integer], products: Scores, height: int) -> Scores:
    """One after the other, in the order given."""
    return np.bincount(places, products, minlength=height).astype(np.float64, copy=False)


def _by_column(vectors: Vectors) -> Vectors:
    rows = np.repeat(np.arange(len(vectors.starts) - 1), np.diff(vectors.starts))
    order = np.lexsort((vectors.columns, rows))
    return replace(vectors, columns=vectors.columns[order], weights=vectors.weights[order])


def _dense(
    vectors: Vectors, rows: NDArray[np.int32], counts: NDArray[np.integer]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    height = len(vectors.starts) - 1
    most = np.argsort(-counts, kind="stable")[:MOST_DENSE]
    heavy = most[counts[most] > max(DENSE_SHARE * height, 64)]
    dense_of = np.full(len(counts), -1, np.int32)
    dense_of[heavy] = np.arange(len(heavy))
    dense = np.zeros((len(heavy), height), np.float32)
    there = dense_of[vectors.columns] >= 0
    dense[dense_of[vectors.columns[there]], rows[there]] = vectors.weights[there]
    return dense_of, dense


def _spread(
    starts: NDArray[np.integer], ends: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All numbers of these ranges, one range after the other, and how many are of each."""
    sizes = ends - starts
    before = sizes.cumsum() - sizes
    return np.arange(sizes.sum()) + np.repeat(starts - before, sizes), sizes
