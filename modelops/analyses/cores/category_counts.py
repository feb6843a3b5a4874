"""Categories counted over Arrow dictionary codes: a text is touched once for each distinct value, not for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_TEXTS = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class CategoryPair:
    """Two columns of categories counted over the same levels.

    Attributes
    ----------
    levels : tuple of str
        Every category that occurs in either table, in alphabetical order.
    counts : ndarray of shape (2, n_levels)
        Rows of the reference and of the current table.
    rows : tuple of int
        All rows, those without a value included.
    codes : tuple of two ndarrays or None
        On request: for each row the position of its category in ``levels``, -1 where it is missing.
    """

    levels: tuple[str, ...]
    counts: np.ndarray
    rows: tuple[int, int]
    codes: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def present(self) -> tuple[int, int]:
        """How many rows of each table hold a category."""
        return int(self.counts[0].sum()), int(self.counts[1].sum())


def count_categories(reference: pa.ChunkedArray, current: pa.ChunkedArray, *, codes: bool = False) -> CategoryPair:
    """Count the categories of two columns of text, truth values or dictionaries.

    Examples
    --------
    >>> pair = count_categories(pa.chunked_array([["a", "b", None]]), pa.chunked_array([["b", "c"]]))
    >>> pair.levels, pair.counts.tolist()
    (('a', 'b', 'c'), [[1, 1, 0], [0, 1, 1]])
    """
    sides = [_as_texts(column) for column in (reference, current)]
    joined = pa.chunked_array([*sides[0].chunks, *sides[1].chunks], type=_TEXTS).unify_dictionaries()
    pieces = (joined.chunks[: sides[0].num_chunks], joined.chunks[sides[0].num_chunks :])
    texts = joined.chunk(0).dictionary if joined.num_chunks else pa.array([], pa.string())
    counts = np.stack([_counts(part, len(texts)) for part in pieces])
    alphabetical = pc.sort_indices(texts).to_numpy().astype(np.intp)
    seen = alphabetical[counts.sum(axis=0)[alphabetical] > 0]
    kept = None
    if codes:
        place = np.full(len(texts) + 1, -1, dtype=np.int64)
        place[seen] = np.arange(len(seen))
        kept = (_codes(pieces[0], place), _codes(pieces[1], place))
    rows = (len(reference), len(current))
    return CategoryPair(tuple(texts.take(pa.array(seen)).to_pylist()), counts[:, seen], rows, kept)


def _as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ``column`` as dictionaries of text without a missing entry."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if encoded.type == _TEXTS and not any(piece.dictionary.null_count for piece in encoded.chunks):
        return encoded
    return pa.chunked_array([_spelled(piece) for piece in encoded.chunks], type=_TEXTS)


def _spelled(piece: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return a piece whose values are text: those that Python would show, a NaN and a missing entry as missing."""
    values = piece.dictionary.to_pylist()
    texts = pa.array([None if value is None or value != value else str(value) for value in values], pa.string())  # noqa: PLR0124
    return texts.take(piece.indices).dictionary_encode().cast(_TEXTS)


def _counts(pieces: Sequence[pa.DictionaryArray], n_values: int) -> np.ndarray:
    counts = np.zeros(n_values, dtype=np.int64)
    for piece in pieces:
        indices = piece.indices.drop_null() if piece.indices.null_count else piece.indices
        counts += np.bincount(indices.to_numpy(), minlength=n_values)
    return counts


def _codes(pieces: Sequence[pa.DictionaryArray], place: np.ndarray) -> np.ndarray:
    found = [pc.fill_null(piece.indices, len(place) - 1).to_numpy() for piece in pieces]
    return np.asarray(place[np.concatenate([np.empty(0, dtype=np.int32), *found])])
