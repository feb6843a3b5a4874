"""Columns made ready to be judged as predictors of the label, on the drawn rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric
from modelops.analyses.leakage.labels import Codes, Labels, Numbers
from modelops.analyses.leakage.single import Predictor, level_bins, number_bins

ROW_ORDER = "(row order)"


def value_predictor(sample: Sample, name: str, labels: Labels) -> Predictor | None:
    """Return a column as predictor by its values; ``None`` if it has none, or all are alike."""
    column = sample.source.column(name)
    kind = kind_of(column)
    if kind in (Kind.EMPTY, Kind.OTHER):
        return None
    column = column.take(pa.array(labels.rows))
    if kind is Kind.CATEGORY:
        bins, numbers = level_bins(_codes(column), rows=labels.n_rows), None
    else:
        numbers = _floats(column)
        bins = number_bins(numbers, rows=labels.n_rows)
    return Predictor(name, bins, numbers) if bins.max(initial=0) > 0 else None


def missing_predictor(sample: Sample, name: str, labels: Labels) -> Predictor | None:
    """Return whether a column has a value as predictor; ``None`` if it always or never has."""
    column = sample.source.column(name).take(pa.array(labels.rows))
    missing = column.is_null(nan_is_null=not pa.types.is_dictionary(column.type)).to_numpy().astype(np.int64)
    return Predictor(name, missing) if 0 < missing.sum() < missing.size else None


def id_predictor(sample: Sample, name: str, labels: Labels) -> Predictor | None:
    """Return an id as predictor: a number by its size, a text by its place in the alphabet."""
    column = sample.source.column(name)
    kind = kind_of(column)
    if kind in (Kind.EMPTY, Kind.OTHER):
        return None
    taken = column.take(pa.array(labels.rows))
    if kind is not Kind.CATEGORY:
        return _in_order(name, _floats(taken), labels)
    codes = _codes(taken)
    return _in_order(name, np.where(codes < 0, np.nan, codes.astype(np.float64)), labels)


def order_predictor(labels: Labels) -> Predictor | None:
    """Return the place of the rows in the table as predictor."""
    return _in_order(ROW_ORDER, labels.rows.astype(np.float64), labels)


def _in_order(name: str, numbers: Numbers, labels: Labels) -> Predictor | None:
    bins = number_bins(numbers, rows=labels.n_rows)
    return Predictor(name, bins, numbers) if bins.max(initial=0) > 0 else None


def _floats(column: pa.ChunkedArray) -> Numbers:
    values = np.asarray(numeric(column).to_numpy(), dtype=np.float64)
    return np.where(np.isinf(values), np.sign(values) * np.finfo(np.float64).max, values)


def _codes(column: pa.ChunkedArray) -> Codes:
    """Return the alphabetical place of each text, -1 where it is missing."""
    encoded = column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()
    whole = encoded.unify_dictionaries().combine_chunks()
    texts = whole.dictionary.cast(pa.string())
    order = pa.compute.sort_indices(texts).to_numpy()
    place = np.full(len(texts) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(texts))
    if texts.null_count:
        place[:-1][~texts.is_valid().to_numpy(zero_copy_only=False)] = -1
    return np.asarray(place[whole.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)])
