"""Confusion-count metrics of sixty groups with 1,000 bootstrap draws: a part of ``speed.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from speed_clock import Clock

if TYPE_CHECKING:
    from modelops.analyses.base import EvaluationData
    from modelops.analyses.fairness.data import Comparison

GROUPS = 60
DRAWS = 1_000
# One draw of MetricFrame takes half a minute.
DRAWS_OF_FAIRLEARN = 1
COLUMNS = ("group", "label", "prediction")


def make(folder: Path, rows: int) -> None:
    """Write labels, predictions and groups as text unless they are there."""
    path = folder / "people.parquet"
    if path.exists():
        return
    rng = np.random.default_rng(3)
    label = rng.random(rows) < 0.3
    prediction = rng.random(rows) < np.where(label, 0.7, 0.1)
    names = np.array([f"group {k}" for k in range(GROUPS)])
    group = names[rng.integers(0, GROUPS, rows)]
    yes = np.array(["no", "yes"])
    pq.write_table(pa.table([group, yes[label.astype(int)], yes[prediction.astype(int)]], list(COLUMNS)), path)


def ours(folder: Path) -> None:
    """The whole analysis: every rate of every group, criteria, intervals, adjusted tests."""
    from modelops.analyses.base import Run
    from modelops.analyses.fairness import FAIRNESS, FairnessParameters

    parameters = FairnessParameters(largest_groups=GROUPS, draws=DRAWS, proxies=False)
    FAIRNESS.compute(_data(folder), parameters, Run(seed=1))


def draws(folder: Path) -> np.ndarray:
    """What comes after the counts: 1,000 resamples of them, and the rates of all groups in each."""
    from modelops.analyses.cores.confusion_counts import resampled_counts
    from modelops.analyses.fairness.gaps import CRITERIA

    counts = _counts(folder)
    clock = Clock()
    drawn = resampled_counts(counts.confusion, draws=DRAWS, rng=np.random.default_rng(1), strata=1)
    for rate in {rate for criterion in CRITERIA for rate in criterion.rates}:
        hits, totals = rate.of(drawn)
        hits / totals
    return clock.read()


def gaps(folder: Path) -> np.ndarray:
    """The draws, and from them each criterion's difference and ratio, with intervals that hold for all 1,770 pairs."""
    from modelops.analyses.fairness.gaps import gap_findings

    counts = _counts(folder)
    clock = Clock()
    gap_findings(counts, smallest_group=1)
    return clock.read()


def _counts(folder: Path) -> Comparison:
    from modelops.analyses.fairness.data import compared, groupings
    from modelops.analyses.outcomes import outcomes
    from modelops.analyses.statistics.bootstrap import Uncertainty
    from modelops.analyses.statistics.weighting import weighting

    data = _data(folder)
    rows = outcomes(data, threshold=0.5).one_against_rest(1)
    (grouping,), _, _ = groupings(data.data, rows.rows, largest_groups=GROUPS, intersections=False)
    how = weighting(None, None, rows.predicted.astype(np.float64))
    return compared(rows, grouping, how, extra={}, uncertainty=Uncertainty(np.random.default_rng(1), DRAWS))


def one_pass(folder: Path) -> None:
    """Read the three columns and count every combination once."""
    table = pq.read_table(folder / "people.parquet", read_dictionary=list(COLUMNS))
    codes = [table.column(name).unify_dictionaries() for name in COLUMNS]
    parts = [np.concatenate([piece.indices.to_numpy() for piece in column.chunks]) for column in codes]
    np.bincount((parts[0] * 2 + parts[1]) * 2 + parts[2], minlength=4 * GROUPS)


def by_fairlearn(folder: Path) -> np.ndarray:
    """MetricFrame of six metrics with its bootstrap: few draws, and what all would take."""
    from fairlearn import metrics
    from sklearn.metrics import accuracy_score

    table = pq.read_table(folder / "people.parquet")
    group, label, said = (np.asarray(table.column(name).to_pylist()) for name in COLUMNS)
    rates = ("selection_rate", "true_positive_rate", "false_positive_rate", "false_negative_rate")
    chosen = {name: getattr(metrics, name) for name in rates} | {"accuracy": accuracy_score, "count": metrics.count}
    given = {"y_true": label == "yes", "y_pred": said == "yes", "sensitive_features": group}
    clock = Clock()
    metrics.MetricFrame(metrics=chosen, **given).difference()
    plain = clock.read()
    clock = Clock()
    metrics.MetricFrame(metrics=chosen, n_boot=DRAWS_OF_FAIRLEARN, ci_quantiles=[0.025, 0.975], random_state=1, **given)
    return plain + np.maximum(0.0, clock.read() - plain) * DRAWS / DRAWS_OF_FAIRLEARN


def _data(folder: Path) -> EvaluationData:
    from modelops.analyses.base import EvaluationData, Sample
    from modelops.datasets.limits import TableFormat
    from modelops.datasets.opening import open_table
    from modelops.domain.columns import ColumnRoles, Task

    table = open_table(folder / "people.parquet", TableFormat.PARQUET)
    roles = ColumnRoles(target="label", prediction="prediction", sensitive=("group",))
    return EvaluationData(data=Sample(table, roles), task=Task.CLASSIFICATION, positive="yes")


WAYS: dict[str, Callable[[Path], np.ndarray | None]] = {
    "fairness by 60 groups, 1,000 draws: the whole analysis, reading included": ours,
    "- of this, 1,000 draws of the counts and all rates of each": draws,
    "- the draws, and gaps with intervals for all pairs of groups": gaps,
    "one pass: read the three columns and count": one_pass,
    "fairlearn's MetricFrame, six metrics, 1,000 draws (from 1 draw)": by_fairlearn,
}
OURS = frozenset(list(WAYS)[:1])
