"""One column of both tables compared: its values, its categories, what is missing."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops.analyses.cores.arrow_numbers import Kind, kind_of
from modelops.analyses.cores.category_counts import count_categories
from modelops.analyses.cores.kolmogorov_smirnov import compare_numbers
from modelops.analyses.cores.numeric_pair import NumericPair
from modelops.analyses.drift.homogeneity import (
    Homogeneity,
    cramers_v,
    cramers_v_interval,
    homogeneity,
    material_effect,
)
from modelops.analyses.drift.kolmogorov import kolmogorov_smirnov_interval, kolmogorov_smirnov_p_value
from modelops.analyses.drift.shares import (
    NO_CHANGES,
    Bars,
    Changes,
    Missing,
    changes,
    level_bars,
    level_bins,
    missing_test,
)
from modelops.analyses.drift.time import TimeOrder, combined_effect, design_effect
from modelops.analyses.statistics.intervals import Interval
from modelops.errors import NotMeasured

FEW_VALUES = 20
"""Below this many distinct numbers the K-S test is blunt by its ties, and the table test decides."""


@dataclass(frozen=True)
class Subject:
    """Which column is compared: ``role`` is ``feature``, ``prediction``, ``score`` or ``target``."""

    role: str
    column: str

    @property
    def scope(self) -> dict[str, str | float | dict[str, str]]:
        """How measurements of this column are told from others."""
        return {self.role: self.column}


@dataclass(frozen=True)
class Settings:
    """What all columns of one run share.

    ``orders`` holds the orders of time of the reference and the current table, where both have one.
    """

    n_bins: int
    minimum_rows: int
    seed: int
    orders: tuple[TimeOrder, TimeOrder] | None = None


@dataclass(frozen=True)
class Comparison:
    """The test that decides on one column, with its effect.

    ``p_value`` is raw; ``corrected_p_value`` is the same test with the effective numbers of rows (``rows``) where rows
    are autocorrelated, else it is equal. ``effect`` runs from 0 to 1.
    """

    metric: str
    effect: float
    interval: Interval
    p_value: float
    corrected_p_value: float
    rows: tuple[float, float]
    material_effect: float


@dataclass(frozen=True)
class ColumnDrift:
    """What is known of one column.

    ``reason`` says why the values were not tested, where ``comparison`` is ``None``; ``has_changed_kind`` that this is
    because one table lacks the column or holds values of another kind.
    """

    subject: Subject
    kind: Kind
    rows: tuple[int, int]
    missing: Missing
    numeric: NumericPair | None = None
    table: Homogeneity | None = None
    comparison: Comparison | None = None
    reason: str | None = None
    few_values: bool = False
    kolmogorov_smirnov_p: float | None = None
    bins: tuple[np.ndarray, np.ndarray] | None = None
    bars: Bars | None = None
    new: Changes = NO_CHANGES
    vanished: Changes = NO_CHANGES
    effects: tuple[float, float] = (1.0, 1.0)
    has_changed_kind: bool = False

    @property
    def present(self) -> tuple[int, int]:
        """How many rows of each table hold a value."""
        return self.rows[0] - self.missing.counts[0], self.rows[1] - self.missing.counts[1]

    def untested(self, reason: str) -> ColumnDrift:
        """Return the same without any test."""
        missing = replace(self.missing, p_value=None, corrected_p_value=None)
        return replace(self, missing=missing, comparison=None, table=None, reason=reason, has_changed_kind=True)


def compare_column(
    subject: Subject, reference: pa.ChunkedArray, current: pa.ChunkedArray, settings: Settings
) -> ColumnDrift:
    """Compare one column of the reference with the current one.

    Missingness is tested first and for itself. Then numbers and times by Kolmogorov-Smirnov, categories (and numbers of
    fewer than `FEW_VALUES` distinct values) by chi-squared on the table of both. Never raises for what the data lacks.
    """
    kinds = (kind_of(reference), kind_of(current))
    known = [kind for kind in kinds if kind is not Kind.EMPTY]
    kind = known[0] if known else Kind.EMPTY
    rows = (len(reference), len(current))
    if len(set(known)) > 1 or kind in (Kind.OTHER, Kind.EMPTY):
        return ColumnDrift(
            subject,
            kind,
            rows,
            _missing(reference, current, settings),
            reason=_mismatch(kinds),
            has_changed_kind=len(set(known)) > 1,
        )
    if kind is Kind.CATEGORY:
        return _compare_categories(subject, reference, current, settings)
    return _compare_numbers(subject, kind, reference, current, settings)


def _mismatch(kinds: tuple[Kind, Kind]) -> str:
    if Kind.OTHER in kinds:
        return "The column holds values that are neither numbers, times nor text: they are not compared."
    if set(kinds) == {Kind.EMPTY}:
        return "Not enough data: the column has no values in either table."
    return f"The column held values of kind {kinds[0].value} in the reference and holds {kinds[1].value} now."


def _compare_numbers(
    subject: Subject, kind: Kind, reference: pa.ChunkedArray, current: pa.ChunkedArray, settings: Settings
) -> ColumnDrift:
    pair = compare_numbers(reference, current, n_bins=settings.n_bins, codes=settings.orders is not None)
    found = ColumnDrift(
        subject,
        kind,
        (pair.reference.rows, pair.current.rows),
        _missing(reference, current, settings, counts=(pair.reference.missing, pair.current.missing)),
        numeric=replace(pair, codes=None),
        bins=(pair.quantile_bins.reference, pair.quantile_bins.current),
        bars=Bars.of_numbers(pair.overlay),
        few_values=pair.levels is not None and len(pair.levels) < FEW_VALUES,
    )
    if reason := _too_few(found.present, settings.minimum_rows):
        return replace(found, reason=reason)
    statistic = float(pair.statistic or 0.0)
    p_value = kolmogorov_smirnov_p_value(statistic, *found.present)
    found = replace(found, kolmogorov_smirnov_p=p_value)
    if pair.codes is not None:
        columns = zip(pair.codes, (reference, current), _orders(settings), strict=True)
        codes = [_timely(codes, column, order) for codes, column, order in columns]
        found = _with_effects(found, codes, ordered=not found.few_values)
    if found.few_values and pair.levels is not None and pair.level_counts is not None:
        found = replace(
            found,
            bins=(pair.level_counts[0], pair.level_counts[1]),
            bars=level_bars(tuple(f"{value:.15g}" for value in pair.levels), pair.level_counts, keep_order=True),
        )
        return _with_table(found, pair.level_counts, settings)
    effective = _effective(found)
    corrected = p_value if effective == found.present else kolmogorov_smirnov_p_value(statistic, *effective)
    interval = kolmogorov_smirnov_interval(statistic, *effective)
    return replace(
        found,
        comparison=Comparison(
            "kolmogorov_smirnov_statistic", statistic, interval, p_value, corrected, effective, statistic
        ),
    )


def _compare_categories(
    subject: Subject, reference: pa.ChunkedArray, current: pa.ChunkedArray, settings: Settings
) -> ColumnDrift:
    pair = count_categories(reference, current, codes=settings.orders is not None)
    missing = (pair.rows[0] - pair.present[0], pair.rows[1] - pair.present[1])
    new, vanished = changes(pair)
    found = ColumnDrift(
        subject,
        Kind.CATEGORY,
        pair.rows,
        _missing(reference, current, settings, counts=missing),
        bins=level_bins(pair.counts),
        bars=level_bars(pair.levels, pair.counts),
        new=new,
        vanished=vanished,
    )
    if reason := _too_few(found.present, settings.minimum_rows):
        return replace(found, reason=reason)
    if pair.codes is not None:
        ordered = [order.of(codes) for codes, order in zip(pair.codes, _orders(settings), strict=True)]
        found = _with_effects(found, [codes[codes >= 0] for codes in ordered], ordered=False)
    return _with_table(found, pair.counts, settings)


def _with_table(found: ColumnDrift, counts: np.ndarray, settings: Settings) -> ColumnDrift:
    """Return ``found`` with the test of the 2 x k table."""
    from scipy.special import chdtrc

    rng = np.random.default_rng([settings.seed, zlib.crc32(found.subject.column.encode())])
    try:
        table = homogeneity(counts, rng=rng)
    except NotMeasured as error:
        return replace(found, reason=str(error))
    inflation = combined_effect(found.effects, found.present)
    corrected = table.p_value
    if inflation > 1 and table.degrees_of_freedom:
        corrected = max(corrected, float(chdtrc(table.degrees_of_freedom, table.statistic / inflation)))
    comparison = Comparison(
        "cramers_v",
        cramers_v(table),
        cramers_v_interval(table, inflation=inflation),
        table.p_value,
        corrected,
        _effective(found),
        material_effect(table, inflation=inflation),
    )
    return replace(found, table=table, comparison=comparison)


def _too_few(present: tuple[int, int], minimum: int) -> str | None:
    if min(present) >= minimum:
        return None
    which = "reference" if present[0] <= present[1] else "current"
    return f"Not enough data: {min(present)} values in the {which} table, at least {minimum} are needed."


def _orders(settings: Settings) -> tuple[TimeOrder, TimeOrder]:
    return settings.orders or (TimeOrder(None), TimeOrder(None))


def _timely(codes: np.ndarray, column: pa.ChunkedArray, order: TimeOrder) -> np.ndarray:
    """Return the codes of the values that are there in the order of time."""
    if order.order is None:
        return codes
    every = np.full(len(column), -1, dtype=np.int64)
    every[~_is_missing(column)] = codes
    every = order.of(every)
    return every[every >= 0]


def _is_missing(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.is_null(column, nan_is_null=True).to_numpy())


def _with_effects(found: ColumnDrift, codes: list[np.ndarray], *, ordered: bool) -> ColumnDrift:
    effects = [design_effect(each, ordered=ordered) for each in codes]
    return replace(found, effects=(effects[0], effects[1]))


def _effective(found: ColumnDrift) -> tuple[float, float]:
    return found.present[0] / found.effects[0], found.present[1] / found.effects[1]


def _missing(
    reference: pa.ChunkedArray, current: pa.ChunkedArray, settings: Settings, *, counts: tuple[int, int] | None = None
) -> Missing:
    """Return the test of missingness; counts again only where they are not known yet, or the order of time matters."""
    rows = (len(reference), len(current))
    if counts is not None and (settings.orders is None or counts == (0, 0)):
        return missing_test(counts, rows, inflation=1.0)
    gone = [_is_missing(column) for column in (reference, current)]
    counts = (int(gone[0].sum()), int(gone[1].sum()))
    if settings.orders is None or min(rows) == 0:
        return missing_test(counts, rows, inflation=1.0)
    effects = [
        design_effect(order.of(each.astype(np.int64)), ordered=False)
        for each, order in zip(gone, settings.orders, strict=True)
    ]
    return missing_test(counts, rows, inflation=combined_effect((effects[0], effects[1]), rows))
