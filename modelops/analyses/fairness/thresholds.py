"""What each criterion of fairness would cost: thresholds for each group, found by fairlearn's ThresholdOptimizer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.confusion_counts import cell_counts
from modelops.analyses.fairness.data import Grouping, of_class
from modelops.analyses.fairness.scores import ScoredRows
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.statistics.intervals import wilson
from modelops.analyses.statistics.rates import ACCURACY, FALSE_POSITIVE_RATE, SELECTION_RATE, TRUE_POSITIVE_RATE, Rate
from modelops.domain.result import Measurement, ResultTable, Scope

_CONSTRAINTS = {
    "demographic parity": "demographic_parity",
    "equal opportunity": "true_positive_rate_parity",
    "predictive equality": "false_positive_rate_parity",
    "equalized odds": "equalized_odds",
}
_GAPS: dict[str, tuple[Rate, ...]] = {
    "demographic_parity_difference": (SELECTION_RATE,),
    "equal_opportunity_difference": (TRUE_POSITIVE_RATE,),
    "equalized_odds_difference": (TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE),
}
_ONE_THRESHOLD = "one threshold for all"
_HOW = "Thresholds were found on one half of the sampled rows and measured on the other."

Numbers = NDArray[np.float64]


def threshold_findings(
    scored: ScoredRows, grouping: Grouping, *, rows: int, seed: int, level: float, extra: Scope
) -> Findings:
    """Measure accuracy and the gaps between groups under each criterion, against one threshold for all.

    The thresholds are found on one half of at most ``rows`` rows and measured on the other. Where a criterion needs it,
    fairlearn mixes two thresholds at random within a group.

    Parameters
    ----------
    rows : int
        How many rows to sample.
    seed : int
        For the sample, its halves and the mixing.

    References
    ----------
    M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised learning", NeurIPS 2016.
    """
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(grouping.codes[scored.rows] >= 0)
    if known.size > rows:
        known = np.sort(rng.choice(known, rows, replace=False))
    codes = grouping.codes[scored.rows[known]]
    scores, truth = scored.scores[known], scored.positive[known].astype(np.int64)
    fit = _half(codes, truth, rng)
    reason = _unfit(codes, truth, fit, len(grouping.names))
    found = Findings()
    lines: list[tuple[str | float | None, ...]] = []
    thresholds: list[tuple[str | float | None, ...]] = []
    for name, constraint in {_ONE_THRESHOLD: None, **_CONSTRAINTS}.items():
        scope: Scope = {"feature": grouping.title, "criterion": name, **extra}
        if reason:
            found.measurements += [
                measured(metric, None, size=known.size, scope=scope, otherwise=reason)
                for metric in ("accuracy", *_GAPS)
            ]
            continue
        if constraint is None:
            cut = _best_threshold(scores[fit], truth[fit])
            chosen = (scores[~fit] >= cut).astype(np.int64)
            thresholds.append((name, "everybody", cut, None, None))
        else:
            optimizer = _optimizer(constraint, scores[fit], truth[fit], codes[fit])
            chosen = _predictions(optimizer, scores[~fit], codes[~fit], seed)
            thresholds += [(name, *line) for line in _mixtures(optimizer, grouping)]
        counts = cell_counts((codes[~fit], truth[~fit], chosen), (len(grouping.names), 2, 2))
        mine = _measurements(counts, scope, level)
        found.measurements += mine
        lines.append((name, *(shown(one.value) for one in mine)))
    if lines:
        found.tables.append(
            ResultTable(
                name=":".join(["cost_of_criteria", grouping.title, *map(str, extra.values())]),
                title=f"What each criterion would cost, by {grouping.title}{of_class(extra)}",
                columns=("criterion", "accuracy", *(metric.replace("_", " ") for metric in _GAPS)),
                rows=tuple(lines),
                note=_HOW,
            )
        )
        found.tables.append(
            ResultTable(
                name=":".join(["group_thresholds", grouping.title, *map(str, extra.values())]),
                title=f"Thresholds for each group of {grouping.title}{of_class(extra)}",
                columns=("criterion", "group", "threshold", "other threshold", "share decided by the first"),
                rows=tuple(thresholds),
                note="Two thresholds: each row is decided by one of them at random, in the share shown.",
            )
        )
    return found


def _half(codes: NDArray[np.integer], truth: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random half within each group and label."""
    shuffled = rng.permutation(codes.size)
    order = shuffled[np.lexsort((truth[shuffled], codes[shuffled]))]
    fit = np.zeros(codes.size, dtype=bool)
    fit[order[::2]] = True
    return fit


def _unfit(codes: NDArray[np.integer], truth: NDArray[np.integer], fit: NDArray[np.bool_], n_groups: int) -> str | None:
    here = np.unique(codes)
    if here.size < 2:
        return "Fewer than two groups have rows with score and label."
    for half in (fit, ~fit):
        counts = cell_counts((codes[half], truth[half]), (n_groups, 2))[here]
        if not (counts > 0).all():
            return "A group has no positive or no negative label in one half of the rows."
    return None


def _best_threshold(scores: Numbers, truth: NDArray[np.integer]) -> float:
    order = np.argsort(-scores, kind="stable")
    ordered, gains = scores[order], np.cumsum(2 * truth[order] - 1)
    last = np.append(np.flatnonzero(np.diff(ordered)), ordered.size - 1)
    best = int(np.argmax(gains[last]))
    return float(ordered[last[best]]) if gains[last[best]] > 0 else float(np.nextafter(ordered[0], np.inf))


def _optimizer(constraint: str, scores: Numbers, truth: NDArray[np.integer], codes: NDArray[np.integer]) -> Any:
    from fairlearn.postprocessing import ThresholdOptimizer

    optimizer = ThresholdOptimizer(
        estimator=_score_passer(),
        constraints=constraint,
        objective="accuracy_score",
        prefit=True,
        predict_method="predict",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer.fit(scores.reshape(-1, 1), truth, sensitive_features=codes)
    return optimizer


def _predictions(optimizer: Any, scores: Numbers, codes: NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = optimizer.predict(scores.reshape(-1, 1), sensitive_features=codes, random_state=seed)
    return np.asarray(chosen, dtype=np.int64)


def _score_passer() -> Any:
    """An estimator whose prediction is the score that it is given."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    class ScorePasser(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, *_: object) -> Any:
            return self

        def predict(self, rows: Numbers) -> Numbers:
            return np.asarray(rows)[:, 0]

    passer = ScorePasser()
    passer.fitted_ = True
    return passer


def _mixtures(optimizer: Any, grouping: Grouping) -> list[tuple[str | float | None, ...]]:
    """The thresholds of each group: the first, the second, and the share of rows that the first decides."""
    lines: list[tuple[str | float | None, ...]] = []
    for group, mixture in optimizer.interpolated_thresholder_.interpolation_dict.items():
        first, second = (shown(float(mixture[part].threshold)) for part in ("operation0", "operation1"))
        lines.append((grouping.label(int(group)), first, second, float(mixture["p0"])))
    return lines


def _measurements(counts: Numbers, scope: Scope, level: float) -> list[Measurement]:
    whole = counts.sum(axis=0)
    right, total = (float(part) for part in ACCURACY.of(whole))
    found = [
        measured(
            "accuracy",
            right / total,
            size=total,
            scope=scope,
            interval=wilson(right, total, level=level),
            level=level,
            note=_HOW,
        )
    ]
    for metric, rates in _GAPS.items():
        shares = [rate.share(counts) for rate in rates]
        known = [share[~np.isnan(share)] for share in shares]
        gap = max(float(np.ptp(share)) if share.size > 1 else np.nan for share in known)
        found.append(measured(metric, gap, size=total, scope=scope, note=_HOW))
    return found
