"""What a person sees of a table before it is used: statistics of every column, first rows, guessed roles."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops.datasets.facts import ColumnFacts, clean_column, column_facts, label
from modelops.datasets.roles import guess_roles, guess_task
from modelops.datasets.table import Table
from modelops.domain.columns import ColumnSummary, TableSummary, ValueKind

_PREVIEW_ROWS = 20
_PREVIEW_TEXT = 80
_BINS = 20
_TOP = 5
_WIDE = 200
_THREADS = 2


def _quiet(fraction: float, text: str) -> None:
    """Report nothing."""


def summarise(table: Table, *, progress: Callable[[float, str], None] = _quiet) -> TableSummary:
    """Return what a table holds: per-column statistics, guessed roles and task, the first twenty rows as text.

    Moments leave out missing values and infinities; ``standard_deviation`` is that of a sample (n - 1). Wide tables get
    no histograms beyond their first two hundred columns.
    """
    looks = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for position, look in enumerate(pool.map(partial(_look, table), range(len(table.names))), start=1):
            looks.append(look)
            progress(position / len(table.names), f"Column {position} of {len(table.names)}")
    facts = {look.facts.name: look.facts for look in looks}
    roles = guess_roles(table, facts=facts)
    return TableSummary(
        format=table.format.value,
        rows=table.n_rows,
        columns=tuple(look.summary for look in looks),
        roles=roles,
        task=guess_task(roles, facts),
        preview=tuple(zip(*(look.first for look in looks), strict=True)),
        notes=table.notes,
    )


@dataclass(frozen=True)
class _Look:
    """What remains of a column after it was read."""

    facts: ColumnFacts
    summary: ColumnSummary
    first: tuple[str | None, ...]


def _look(table: Table, position: int) -> _Look:
    name = table.names[position]
    column = clean_column(table, name)
    facts = column_facts(name, column)
    first = tuple(None if v is None else _short(str(v)) for v in column.slice(0, _PREVIEW_ROWS).to_pylist())
    return _Look(facts, _column_summary(facts, column, histogram=position < _WIDE), first)


def _column_summary(facts: ColumnFacts, column: pa.ChunkedArray, *, histogram: bool) -> ColumnSummary:
    if facts.kind is ValueKind.TIME:
        return _time_summary(facts, column)
    if facts.is_number:
        return _number_summary(facts, column, histogram=histogram)
    return ColumnSummary(
        name=facts.name, kind=facts.kind.value, missing=facts.missing, distinct=facts.distinct, top=_top(column)
    )


def _time_summary(facts: ColumnFacts, column: pa.ChunkedArray) -> ColumnSummary:
    extremes = pc.min_max(column)
    return ColumnSummary(
        name=facts.name,
        kind=facts.kind.value,
        missing=facts.missing,
        distinct=facts.distinct,
        minimum=_iso(extremes["min"]),
        maximum=_iso(extremes["max"]),
    )


def _number_summary(facts: ColumnFacts, column: pa.ChunkedArray, *, histogram: bool) -> ColumnSummary:
    values = column.drop_null().cast(pa.float64(), safe=False).to_numpy()
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ColumnSummary(name=facts.name, kind=facts.kind.value, missing=facts.missing, distinct=facts.distinct)
    low, high = float(finite.min()), float(finite.max())
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(finite.mean())
        deviation = float(finite.std(ddof=1)) if finite.size > 1 else None
    return ColumnSummary(
        name=facts.name,
        kind=facts.kind.value,
        missing=facts.missing,
        distinct=facts.distinct,
        minimum=low,
        maximum=high,
        mean=mean if np.isfinite(mean) else None,
        standard_deviation=deviation if deviation is None or np.isfinite(deviation) else None,
        histogram=_histogram(finite, low, high) if histogram else (),
    )


def _histogram(values: np.ndarray, low: float, high: float) -> tuple[int, ...]:
    # No bins fit between ends that differ by rounding alone.
    if not np.isfinite(high - low) or high - low < 4 * _BINS * np.spacing(max(abs(low), abs(high))):
        return ()
    counts, _ = np.histogram(values, bins=_BINS, range=(low, high))
    return tuple(int(count) for count in counts)


def _top(column: pa.ChunkedArray) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values; the first in the alphabet where counts are equal."""
    counted = pc.value_counts(column.drop_null())
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    ranked = sorted(pairs, key=lambda pair: (-pair[1], str(pair[0])))
    return tuple((_short(label(value)), int(count)) for value, count in ranked[:_TOP])


def _short(text: str) -> str:
    return text if len(text) <= _PREVIEW_TEXT else text[: _PREVIEW_TEXT - 1] + "\u2026"


def _iso(moment: pa.Scalar) -> str | None:
    value = moment.as_py()
    return None if value is None else str(value)
