"""Metrics of many periods at once, each with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.confusion_counts import cell_counts
from modelops.analyses.ground_truth.rows import Said
from modelops.analyses.statistics.intervals import Interval, normal_quantile, wilson
from modelops.analyses.statistics.means import group_means
from modelops.analyses.statistics.ranking import area
from modelops.errors import NotMeasured

BETTER_IF_SMALLER = frozenset(
    {"brier_score", "log_loss", "mean_absolute_error", "root_mean_squared_error", "mean_error"}
)
_SHARES = frozenset({"accuracy", "balanced_accuracy", "f1", "roc_auc"})
_OF_EITHER_SIGN = frozenset({"mean_error", "business_value_per_row"})

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class OverTime:
    """One metric in k periods: value, standard error, and how many rows count, each of shape (k,).

    NaN where it is not defined; ``reason`` says why that can be.
    """

    metric: str
    values: Numbers
    errors: Numbers
    sizes: NDArray[np.int64]
    effective: Numbers
    reason: str

    def interval(self, place: int, *, level: float) -> Interval | None:
        """Return the interval of one period, or ``None``."""
        value, error = float(self.values[place]), float(self.errors[place])
        if not np.isfinite(value):
            return None
        if self.metric == "accuracy":
            total = float(self.effective[place])
            return wilson(min(max(value, 0.0), 1.0) * total, total, level=level)
        if not np.isfinite(error):
            return None
        half = normal_quantile(level) * error
        return self.within(value - half), self.within(value + half)

    def within(self, value: float) -> float:
        """Return ``value`` kept where the metric can lie."""
        return possible(self.metric, value)


def possible(metric: str, value: float) -> float:
    """Return ``value`` kept where ``metric`` can lie: a share in 0 to 1, an error or a loss at 0 or above.

    Examples
    --------
    >>> possible("accuracy", 1.2), possible("root_mean_squared_error", -3.0), possible("mean_error", -3.0)
    (1.0, 0.0, -3.0)
    """
    if metric in _SHARES:
        return min(max(value, 0.0), 1.0)
    return value if metric in _OF_EITHER_SIGN else max(value, 0.0)


def over_time(rows: Said, codes: NDArray[np.int64], count: int, *, fewest: int) -> list[OverTime]:
    """Measure labelled rows in each of ``count`` periods; those with fewer than ``fewest`` rows are not measured.

    Classes: accuracy, balanced accuracy, F1 (of the positive class, or the mean over the classes), Brier score and log
    loss, and for two classes the area under the ROC curve. Quantities: absolute, root mean squared and mean error.
    """
    found = _of_quantities(rows, codes, count) if not rows.classes else _of_classes(rows, codes, count)
    return [_where_enough(one, fewest) for one in found]


def _where_enough(one: OverTime, fewest: int) -> OverTime:
    few = one.sizes < fewest
    return OverTime(
        one.metric,
        np.where(few, np.nan, one.values),
        np.where(few, np.nan, one.errors),
        one.sizes,
        one.effective,
        one.reason,
    )


def _mean(metric: str, column: Numbers, rows: Said, codes: NDArray[np.int64], count: int) -> OverTime:
    scale = float(np.abs(column).max(initial=0.0)) or 1.0
    means = group_means(column / scale, codes, rows.how, n_groups=count)
    return OverTime(metric, means.mean * scale, means.error * scale, means.size, means.effective, "There are no rows.")


def _of_quantities(rows: Said, codes: NDArray[np.int64], count: int) -> list[OverTime]:
    errors = rows.predicted.astype(np.float64) - rows.truth.astype(np.float64)
    absolute = _mean("mean_absolute_error", np.abs(errors), rows, codes, count)
    return [
        absolute,
        root_of(_mean("root_mean_squared_error", errors**2, rows, codes, count)),
        _mean("mean_error", errors, rows, codes, count),
    ]


def root_of(squared: OverTime) -> OverTime:
    """Return the root of a mean of squares, its error by the delta method."""
    root = np.sqrt(squared.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(root > 0, squared.errors / (2 * root), 0.0)
    return OverTime(squared.metric, root, errors, squared.sizes, squared.effective, squared.reason)


def _of_classes(rows: Said, codes: NDArray[np.int64], count: int) -> list[OverTime]:
    truth, predicted = rows.truth.astype(np.int64), rows.predicted.astype(np.int64)
    known = codes >= 0
    size = len(rows.classes)
    weights = None if rows.how.weights is None else rows.how.weights[known]
    places = [codes[known], truth[known], predicted[known]]
    confusion = cell_counts(places, (count, size, size), weights=weights)
    right = _mean("accuracy", (truth == predicted).astype(np.float64), rows, codes, count)
    found = [
        right,
        _balanced(confusion, right, rows.how.design_effect),
        _f1(confusion, right, rows.how.design_effect),
    ]
    if size == 2:
        found.append(_area(rows, codes, right))
    if rows.scores is None:
        empty = np.full(count, np.nan)
        return found + [
            OverTime(name, empty, empty, right.sizes, right.effective, rows.no_scores)
            for name in ("brier_score", "log_loss")
        ]
    one_hot = truth[:, None] == np.arange(size)
    squares = np.sum((rows.scores - one_hot) ** 2, axis=1) / (2 if size == 2 else 1)
    mine = rows.scores[np.arange(truth.size), truth]
    loss = -np.log(np.clip(mine, np.finfo(np.float64).eps, None))
    return [
        *found,
        _mean("brier_score", squares, rows, codes, count),
        _mean("log_loss", loss, rows, codes, count),
    ]


def balanced_accuracy(confusion: Numbers) -> tuple[Numbers, Numbers]:
    """Return balanced accuracy of counts of shape (..., k, k) and the variance of it, as if a count were one row."""
    labels = confusion.sum(axis=-1)
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    there = labels > 0
    recall = np.divide(right, labels, out=np.zeros_like(right), where=there)
    spread = np.divide(recall * (1 - recall), labels, out=np.zeros_like(right), where=there)
    k = there.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return recall.sum(axis=-1) / k, spread.sum(axis=-1) / k**2


def f1_score(confusion: Numbers) -> tuple[Numbers, Numbers]:
    """Return F1 of the last of two classes, or the mean over more, and its variance by the delta method."""
    k = confusion.shape[-1]
    classes = [k - 1] if k == 2 else list(range(k))
    total = confusion.sum(axis=(-2, -1))
    values, gradient = [], np.zeros_like(confusion)
    occurs = np.zeros(confusion.shape[:-2])
    for code in classes:
        hits = confusion[..., code, code]
        sides = confusion[..., code, :].sum(axis=-1) + confusion[..., :, code].sum(axis=-1)
        there = sides > 0
        occurs = occurs + there
        value = np.divide(2 * hits, sides, out=np.zeros_like(hits), where=there)
        values.append(value)
        slope = np.divide(value, sides, out=np.zeros_like(hits), where=there)
        gradient[..., code, :] -= slope[..., None]
        gradient[..., :, code] -= slope[..., None]
        gradient[..., code, code] += np.divide(2.0, sides, out=np.zeros_like(hits), where=there)
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient = gradient / occurs[..., None, None]
        mean = np.sum(confusion * gradient, axis=(-2, -1)) / total
        variance = np.sum(confusion * gradient**2, axis=(-2, -1)) - total * mean**2
        return np.sum(values, axis=0) / occurs, np.maximum(variance, 0.0)


def _balanced(confusion: Numbers, like: OverTime, effect: float) -> OverTime:
    values, variance = balanced_accuracy(confusion)
    return OverTime(
        "balanced_accuracy", values, np.sqrt(variance * effect), like.sizes, like.effective, "There are no labels."
    )


def _f1(confusion: Numbers, like: OverTime, effect: float) -> OverTime:
    values, variance = f1_score(confusion)
    reason = "There is neither a positive label nor a positive prediction."
    return OverTime("f1", values, np.sqrt(variance * effect), like.sizes, like.effective, reason)


def _area(rows: Said, codes: NDArray[np.int64], like: OverTime) -> OverTime:
    count = like.values.size
    values, errors = np.full(count, np.nan), np.full(count, np.nan)
    reason = rows.no_scores if rows.scores is None else "Positive and negative labels are both needed."
    if rows.scores is not None:
        order = np.argsort(codes, kind="stable")
        places = np.searchsorted(codes[order], np.arange(count + 1))
        for place in range(count):
            mine = order[places[place] : places[place + 1]]
            weights = None if rows.how.weights is None else rows.how.weights[mine]
            if not mine.size or (weights is not None and not weights.any()):
                continue
            try:
                found = area(
                    rows.scores[mine, 1],
                    np.asarray(rows.truth[mine] == 1),
                    weights=weights,
                    design_effect=rows.how.repeats_effect,
                )
            except NotMeasured:
                continue
            values[place] = found.value
            errors[place] = np.nan if found.error is None else found.error
    return OverTime("roc_auc", values, errors, like.sizes, like.effective, reason)
