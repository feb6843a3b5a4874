"""How often the same check would have alarmed where nothing has moved: random splits of the reference against itself.

Each rehearsal draws a batch from the reference at random, holds it against the rest as `drift` holds new rows against
the reference, with the same tests, levels and margins, and counts which columns would have been reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.composed import content_keys
from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric
from modelops.analyses.cores.category_counts import count_categories
from modelops.analyses.cores.row_hashes import mixed, value_hashes
from modelops.analyses.drift.columns import FEW_VALUES, Settings
from modelops.analyses.drift.findings import Margins, is_change
from modelops.analyses.drift.homogeneity import homogeneity, material_effect
from modelops.analyses.drift.kolmogorov import kolmogorov_smirnov_p_value
from modelops.analyses.drift.shares import missing_test
from modelops.analyses.measuring import measured, shown
from modelops.analyses.statistics.intervals import LEVEL, wilson
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.domain.number_words import percent
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape
from modelops.errors import NotMeasured

_FOREST_ROWS = 30
_NOISE = 0.95
_FAR_ABOVE = 4

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rehearsal:
    """What came of the splits.

    ``alarms`` and ``tests`` have shape (rehearsals, columns): whether the column would have been reported, and whether
    its test alone would have called it real, whatever its size; ``effects`` is the size of the change of its values,
    NaN where they could not be tested. ``rows`` are those of the rest and of the batch.
    """

    columns: tuple[str, ...]
    alarms: Flags
    tests: Flags
    effects: Numbers
    rows: tuple[int, int]
    margins: Margins

    @property
    def count(self) -> int:
        """How many splits were made."""
        return len(self.alarms)


def rehearse(
    reference: Sample,
    columns: Sequence[str],
    settings: Settings,
    margins: Margins,
    *,
    count: int,
    batch: int,
    limit: int,
    progress: Callable[[float], None],
) -> Rehearsal:
    """Split the reference ``count`` times at random and hold a batch of it against the rest.

    Parameters
    ----------
    columns : sequence of str
        The features; the ones of a run are adjusted together.
    batch : int
        How many rows a batch has; at most half of the reference.
    limit : int
        The most rows of the reference that are used, drawn at random.

    Raises
    ------
    NotMeasured
        If the reference has too few rows to be split.
    """
    size = min(reference.n_rows, limit)
    drawn = min(batch, size // 2)
    if not columns or drawn < settings.minimum_rows:
        least = 2 * settings.minimum_rows
        raise NotMeasured(f"A rehearsal splits the reference: it needs a feature and at least {least} rows.")
    keys = content_keys(
        (value_hashes(reference.source.column(name)) for name in columns), reference.n_rows, seed=settings.seed
    )
    used = np.sort(np.argpartition(keys, size - 1)[:size]) if size < len(keys) else np.arange(size)
    batches = [_batch(keys[used], split, drawn) for split in range(count)]
    found = np.full((4, count, len(columns)), math.nan)
    for place, name in enumerate(columns):
        coded = _coded(reference.source.column(name).take(pa.array(used)))
        found[:, :, place] = _compared(coded, batches, name, settings, margins)
        progress((place + 1) / len(columns))
    return _judged(tuple(columns), found, (size - drawn, drawn), margins)


def _batch(keys: NDArray[np.uint64], split: int, drawn: int) -> Flags:
    """Return which rows are the batch of one split: it follows from what the rows hold, not from their order."""
    again = mixed(keys + mixed(np.array([split + 1], dtype=np.uint64)))
    chosen = np.zeros(len(keys), dtype=np.bool_)
    chosen[np.argpartition(again, drawn - 1)[:drawn]] = True
    return chosen


@dataclass(frozen=True)
class _Coded:
    """One column as the places of its values in their order, -1 where one is missing."""

    codes: NDArray[np.int64]
    levels: int
    is_table: bool


def _coded(column: pa.ChunkedArray) -> _Coded | None:
    """Return a column in codes; ``None`` where its values are of a kind that is not compared."""
    kind = kind_of(column)
    if kind is Kind.CATEGORY:
        pair = count_categories(column, column.slice(0, 0), codes=True)
        assert pair.codes is not None
        return _Coded(pair.codes[0], len(pair.levels), is_table=True)
    if kind not in (Kind.NUMBER, Kind.TIME):
        return None
    there = ~np.asarray(pc.is_null(column, nan_is_null=True).to_numpy())
    values, places = np.unique(numeric(column).filter(pa.array(there)).to_numpy(), return_inverse=True)
    codes = np.full(len(column), -1, dtype=np.int64)
    codes[there] = places
    return _Coded(codes, len(values), is_table=len(values) < FEW_VALUES)


def _compared(
    coded: _Coded | None, batches: Sequence[Flags], name: str, settings: Settings, margins: Margins
) -> Numbers:
    """Return for each split the p-value of the values, their effect, and both for the missing share.

    The same tests as `compare_column` makes of two tables, from one coding of the column for all splits.
    """
    found = np.full((4, len(batches)), math.nan)
    for split, chosen in enumerate(batches):
        size = int(chosen.sum())
        rows = (len(chosen) - size, size)
        if coded is None:
            continue
        sides = [coded.codes[~chosen], coded.codes[chosen]]
        gone = (int((sides[0] < 0).sum()), int((sides[1] < 0).sum()))
        missing = missing_test(gone, rows, inflation=1.0)
        figures = (missing.corrected_p_value, missing.difference)
        found[2:, split] = [math.nan if figure is None else figure for figure in figures]
        present = (rows[0] - gone[0], rows[1] - gone[1])
        if min(present) < settings.minimum_rows:
            continue
        counts = np.stack([np.bincount(side[side >= 0], minlength=coded.levels) for side in sides])
        if coded.is_table:
            found[:2, split] = _table_test(counts, np.random.default_rng([settings.seed, split, crc32(name.encode())]))
        else:
            found[:2, split] = _distance_test(counts, present, margins.alpha)
    return found


def _table_test(counts: NDArray[np.int64], rng: np.random.Generator) -> tuple[float, float]:
    try:
        table = homogeneity(counts, rng=rng)
    except NotMeasured:
        return math.nan, math.nan
    return table.p_value, material_effect(table, inflation=1.0)


def _distance_test(counts: NDArray[np.int64], present: tuple[int, int], alpha: float) -> tuple[float, float]:
    """Return p and statistic of the K-S test; p by its limiting distribution where that is far above the level.

    The exact p is never a fourth of the limiting one, and what lies above the level changes no verdict of Benjamini
    and Hochberg.
    """
    from scipy.special import kolmogorov

    reached = np.cumsum(counts, axis=1) / np.array(present)[:, None]
    statistic = float(np.abs(reached[0] - reached[1]).max())
    limiting = float(kolmogorov(statistic * math.sqrt(present[0] * present[1] / sum(present))))
    if limiting > _FAR_ABOVE * alpha:
        return limiting, statistic
    return kolmogorov_smirnov_p_value(statistic, *present), statistic


def _judged(columns: tuple[str, ...], found: Numbers, rows: tuple[int, int], margins: Margins) -> Rehearsal:
    values, effects, missing, differences = found
    adjusted = np.array([benjamini_hochberg(row) for row in values])
    missing_adjusted = np.array([benjamini_hochberg(row) for row in missing])
    real, changed = is_change(adjusted, effects, missing_adjusted, differences, margins)
    return Rehearsal(columns, changed, real, effects, rows, margins)


def rehearsal_measurements(found: Rehearsal | None, reason: str | None) -> list[Measurement]:
    """Return the alarm rates: of a whole run (any column), of its tests alone, and of each column."""
    if found is None:
        return [
            measured(metric, None, size=0, otherwise=reason or "")
            for metric in ("rehearsed_alarm_rate", "rehearsed_significance_rate")
        ]
    how = f"{found.count:,} random splits of the reference: {found.rows[1]:,} rows against {found.rows[0]:,}"
    rates = [
        _rate("rehearsed_alarm_rate", _anywhere(found.alarms), {}, f"any column, with the margins; {how}"),
        _rate("rehearsed_significance_rate", _anywhere(found.tests), {}, f"any column, without the margins; {how}"),
    ]
    for place, name in enumerate(found.columns):
        scope = {"feature": name}
        rates.append(_rate("rehearsed_alarm_rate", found.alarms[:, place], scope, how))
        noise = _noise(found, place)
        otherwise = "The values of the column could not be tested."
        note = "95 % of splits without any change stay below"
        rates.append(measured("rehearsed_effect", noise, size=found.count, scope=scope, note=note, otherwise=otherwise))
    return rates


def _anywhere(flags: Flags) -> Flags:
    return np.asarray(flags.any(axis=1))


def _rate(metric: str, alarms: Flags, scope: dict[str, str], note: str) -> Measurement:
    hits, count = int(alarms.sum()), len(alarms)
    interval = wilson(hits, count)
    return measured(metric, hits / count, size=count, scope=scope, interval=interval, level=LEVEL, note=note)


def _noise(found: Rehearsal, place: int) -> float | None:
    known = found.effects[:, place][~np.isnan(found.effects[:, place])]
    return float(np.quantile(known, _NOISE, method="higher")) if len(known) else None


def rehearsal_sentence(found: Rehearsal) -> str:
    """Say in a sentence what the thresholds would have done where nothing has moved."""
    hits = int(_anywhere(found.alarms).sum())
    low, high = wilson(hits, found.count)
    return (
        f"Rehearsed on {found.count:,} random splits of the reference, in which nothing has moved, these thresholds"
        f" would have reported a change in {percent(hits / found.count)} ({percent(low)} to {percent(high)})."
    )


def rehearsal_curve(found: Rehearsal) -> Curve:
    """Return the alarm rate of the whole run and of the columns that alarm most, with intervals, beside the level."""
    order = np.argsort(-found.alarms.mean(axis=0), kind="stable")[: _FOREST_ROWS - 1]
    lines = [("any column", _anywhere(found.alarms))]
    lines += [(found.columns[place], found.alarms[:, place]) for place in order]
    intervals = [wilson(int(alarms.sum()), found.count) for _, alarms in lines]
    series = Series(
        name="share of splits with an alarm",
        x=tuple(name for name, _ in lines),
        y=tuple(float(alarms.mean()) for _, alarms in lines),
        low=tuple(low for low, _ in intervals),
        high=tuple(high for _, high in intervals),
        size=(found.count,) * len(lines),
    )
    return Curve(
        name="rehearsal",
        title="How often these thresholds alarm where nothing has moved",
        shape=Shape.FOREST,
        x_title="column",
        y_title="share of random splits of the reference",
        series=(series,),
        reference=found.margins.alpha,
        note="The line is the level alpha.",
    )


def rehearsal_table(found: Rehearsal) -> ResultTable:
    """Return the rates of all columns, those that alarm most first."""
    lines: list[tuple[Scalar, ...]] = []
    for place in np.argsort(-found.alarms.mean(axis=0), kind="stable"):
        alarms = int(found.alarms[:, place].sum())
        low, high = wilson(alarms, found.count)
        rate = alarms / found.count
        lines.append(
            (found.columns[place], alarms, shown(rate), shown(low), shown(high), shown(_noise(found, int(place))))
        )
    return ResultTable(
        name="rehearsal",
        title="Rehearsal on random splits of the reference, by column",
        columns=("column", "alarms", "alarm rate", "from", "to", "effect that noise stays below"),
        rows=tuple(lines),
        note=f"{found.count:,} splits, {found.rows[1]:,} rows against {found.rows[0]:,}; 95 % of the splits of a column"
        " stay below the effect in the last column.",
    )
