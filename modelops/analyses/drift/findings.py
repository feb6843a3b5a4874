"""All columns of one run together: adjusted p-values, what could have been seen, what counts as drifted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.drift.columns import ColumnDrift
from modelops.analyses.drift.distances import smallest_detectable_share_change
from modelops.analyses.drift.homogeneity import smallest_detectable_cramers_v
from modelops.analyses.drift.kolmogorov import smallest_detectable_distance
from modelops.analyses.statistics.multiplicity import benjamini_hochberg

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Margins:
    """What is asked of a change: level of the tests, least effect and least rise of missing values that matter."""

    alpha: float
    effect: float
    missing: float


@dataclass(frozen=True)
class Judged:
    """One column among the others of its family.

    ``adjusted_p`` and ``missing_adjusted_p`` are Benjamini and Hochberg's, over the value tests and over the tests of
    missingness of the family. ``real`` says that one of them is at most alpha, ``drifted`` that the same change is also
    large enough to matter; ``None`` where the values could not be tested. ``weight`` is the share of importance.
    """

    drift: ColumnDrift
    adjusted_p: float | None
    missing_adjusted_p: float | None
    smallest_detectable: float | None
    smallest_detectable_missing: float | None
    drifted: bool | None
    real: bool
    weight: float | None

    @property
    def effect(self) -> float:
        """The size of the change for ranking, 0 to 1: of the values, or of the missing share if that is larger."""
        values = self.drift.comparison.material_effect if self.drift.comparison else 0.0
        return max(values, abs(self.drift.missing.difference or 0.0))

    @property
    def rank_key(self) -> float:
        """What the columns are ordered by: importance times effect, or effect alone."""
        return self.effect if self.weight is None else self.effect * self.weight


def judge_family(
    drifts: Sequence[ColumnDrift], margins: Margins, *, weights: Mapping[str, float] | None = None
) -> tuple[Judged, ...]:
    """Adjust the p-values of columns that are looked at together.

    What could have been seen is given for the strictest level that Benjamini and Hochberg may ask for: alpha over the
    number of columns, as if no other column had changed.
    """
    values = [drift.comparison.corrected_p_value if drift.comparison else math.nan for drift in drifts]
    missing = [
        math.nan if drift.missing.corrected_p_value is None else drift.missing.corrected_p_value for drift in drifts
    ]
    adjusted, missing_adjusted = benjamini_hochberg(values), benjamini_hochberg(missing)
    alpha = margins.alpha / max(1, int((~np.isnan(values)).sum()))
    missing_alpha = margins.alpha / max(1, int((~np.isnan(missing)).sum()))
    return tuple(
        _judged(
            drift,
            (_known(p), _known(missing_p)),
            (alpha, missing_alpha),
            margins,
            None if weights is None else weights.get(drift.subject.column, 0.0),
        )
        for drift, p, missing_p in zip(drifts, adjusted.tolist(), missing_adjusted.tolist(), strict=True)
    )


def is_change(
    p_values: Numbers, effects: Numbers, missing_p_values: Numbers, differences: Numbers, margins: Margins
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return of each column whether a change is real, and whether the same change is also large enough to matter.

    All arrays have one shape; NaN stands for what could not be tested. ``p_values`` are adjusted, ``effects`` and
    ``differences`` are the sizes of the change of the values and of the missing share.
    """
    real, gone = p_values <= margins.alpha, missing_p_values <= margins.alpha
    changed = (real & (effects >= margins.effect)) | (gone & (np.abs(differences) >= margins.missing))
    return real | gone, changed


def _as_number(figure: float | None) -> Numbers:
    return np.array(math.nan if figure is None else figure)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _judged(
    drift: ColumnDrift,
    adjusted: tuple[float | None, float | None],
    alphas: tuple[float, float],
    margins: Margins,
    weight: float | None,
) -> Judged:
    p_value, missing_p = adjusted
    effect = None if drift.comparison is None else drift.comparison.material_effect
    one, size, gone, rise = (_as_number(figure) for figure in (p_value, effect, missing_p, drift.missing.difference))
    real, changed = (bool(flag) for flag in is_change(one, size, gone, rise, margins))
    return Judged(
        drift=drift,
        adjusted_p=p_value,
        missing_adjusted_p=missing_p,
        smallest_detectable=_smallest(drift, alphas[0]),
        smallest_detectable_missing=_smallest_missing(drift, alphas[1]),
        drifted=changed if changed or p_value is not None else None,
        real=real,
        weight=weight,
    )


def _smallest(drift: ColumnDrift, alpha: float) -> float | None:
    if drift.comparison is None:
        return None
    if drift.table is None:
        return smallest_detectable_distance(*drift.comparison.rows, alpha=alpha)
    return smallest_detectable_cramers_v(
        sum(drift.comparison.rows), max(1, drift.table.degrees_of_freedom), alpha=alpha
    )


def _smallest_missing(drift: ColumnDrift, alpha: float) -> float | None:
    if min(drift.rows) == 0:
        return None
    share = drift.missing.counts[0] / drift.rows[0]
    return smallest_detectable_share_change(share, *drift.rows, alpha=alpha) if share < 1 else None
