"""The vectors of all blocks, kept so that one query is scored against every block at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommenders.features import FeatureSpace, Terms, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class FeatureIndex:
    """A sparse matrix, blocks by names, twice: by row to read one block, by column to score a query.

    Rows are the blocks in the order given; 16 bytes for each name of each block.
    """

    vectors: Vectors
    number: Mapping[str, int]  # the column of each name
    column_starts: NDArray[np.int64]
    column_rows: NDArray[np.int32]
    column_weights: NDArray[np.float32]

    @classmethod
    def build(cls, space: FeatureSpace, terms: Sequence[Terms]) -> "FeatureIndex":
        vectors = space.vectors(terms)
        rows = np.repeat(np.arange(len(terms), dtype=np.int32), np.diff(vectors.starts))
        by_column = np.argsort(vectors.columns, kind="stable")
        ends = np.cumsum(np.bincount(vectors.columns, minlength=len(vectors.names)))
        return cls(
            vectors=vectors,
            number={name: column for column, name in enumerate(vectors.names)},
            column_starts=np.concatenate([[0], ends]),
            column_rows=rows[by_column],
            column_weights=vectors.weights[by_column],
        )

    def __len__(self) -> int:
        return len(self.vectors.starts) - 1

    def scores(self, query: Mapping[str, float]) -> NDArray[np.float64]:
        """The dot product of the query with every row; costs only the blocks that share a name with it.

        Products are added in the order of the columns, whatever order the query has its names in: the
        same visitor gets the same bits in every process.
        """
        known = list(self.number.keys() & query.keys())
        if not known:
            return np.zeros(len(self))
        columns = np.array([self.number[name] for name in known])
        order = np.argsort(columns)
        columns, wanted = columns[order], np.array([query[name] for name in known])[order]
        starts, ends = self.column_starts[columns], self.column_starts[columns + 1]
        spans = list(map(slice, starts.tolist(), ends.tolist()))
        rows = np.concatenate([self.column_rows[span] for span in spans])
        weights = np.concatenate([self.column_weights[span] for span in spans])
        factors = np.repeat(wanted, ends - starts)
        return np.bincount(rows, factors * weights, minlength=len(self)).astype(np.float64, copy=False)

    def row(self, i: int) -> dict[str, float]:
        """The vector of row `i` by name, for learning from an event on that block."""
        return self.vectors.row(i)

    def similarities(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """The cosine of each of these rows with each other, shape (k, k), for k of a few dozen."""
        if not len(rows):
            return np.zeros((0, 0), np.float32)
        starts, ends = self.vectors.starts[rows], self.vectors.starts[rows + 1]
        spans = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        columns = np.concatenate([self.vectors.columns[span] for span in spans])
        weights = np.concatenate([self.vectors.weights[span] for span in spans])
        owner = np.repeat(np.arange(len(rows)), ends - starts)
        # Names that only one of the rows has make nothing similar; most are, so the matrix stays narrow.
        shared = np.bincount(columns, minlength=len(self.vectors.names)) > 1
        place = np.cumsum(shared) - 1
        both = shared[columns]
        dense = np.zeros((len(rows), np.count_nonzero(shared)), np.float32)
        dense[owner[both], place[columns[both]]] = weights[both]
        similar = dense @ dense.T
        np.fill_diagonal(similar, np.bincount(owner, weights * weights, minlength=len(rows)))
        return similar
