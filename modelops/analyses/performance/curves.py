"""What the charts of `performance` show, at most 500 points a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import finite, thinned
from modelops.analyses.performance.workbench import Scored
from modelops.analyses.statistics.ranking import Ranking
from modelops.domain.result import Curve, ResultTable, Series, Shape

_MOST_CLASSES = 40
_BARS = 20

Numbers = NDArray[np.float64]


def confusion_table(classes: Sequence[str], counts: Numbers) -> ResultTable:
    """Return the confusion matrix with one row for each label."""
    return ResultTable(
        name="confusion_matrix",
        title="Labels against predictions",
        columns=("label", *(f"predicted {name}" for name in classes)),
        rows=tuple((name, *(float(n) for n in row)) for name, row in zip(classes, counts, strict=True)),
    )


def confusion_curve(classes: Sequence[str], counts: Numbers) -> Curve:
    """Return the confusion matrix as shares of each label; of more than 40 classes the largest ones."""
    largest = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[:_MOST_CLASSES])
    names = tuple(classes[position] for position in largest)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    few = len(classes) > _MOST_CLASSES
    return Curve(
        name="confusion_matrix",
        title="What each label was predicted as: shares of its rows",
        shape=Shape.HEATMAP,
        x_title="Predicted",
        y_title="Label",
        series=tuple(
            Series(
                name=classes[row],
                x=names,
                y=finite(shares[row, largest]),
                size=tuple(int(counts[row, column]) for column in largest),
            )
            for row in largest
        ),
        note=f"The {_MOST_CLASSES} classes with most labels of {len(classes)}." if few else None,
    )


def roc_curve(ranking: Ranking) -> Curve:
    """Return the ROC curve; there are labels of both classes."""
    return line_curve(
        "roc",
        "ROC: true against false positive rate",
        ("False positive rate", "True positive rate"),
        {"model": roc_line(ranking)},
        reference="diagonal",
    )


def roc_line(ranking: Ranking) -> tuple[Numbers, Numbers]:
    """Return false and true positive rates at the thresholds that a chart can show."""
    false = np.append(0.0, ranking.negatives) / ranking.n_negatives
    return _fewer(false, np.append(0.0, ranking.positives) / ranking.n_positives)


def precision_recall_curve(ranking: Ranking) -> Curve:
    """Return precision against recall; the level to beat is the base rate."""
    base = ranking.n_positives / (ranking.n_positives + ranking.n_negatives)
    return line_curve(
        "precision_recall",
        "Precision against recall",
        ("Recall", "Precision"),
        {"model": precision_recall_line(ranking)},
        reference=base,
    )


def precision_recall_line(ranking: Ranking) -> tuple[Numbers, Numbers]:
    """Return recalls and precisions at the thresholds that a chart can show."""
    precision = ranking.positives / np.maximum(ranking.positives + ranking.negatives, np.finfo(np.float64).tiny)
    return _fewer(ranking.positives / ranking.n_positives, precision)


def gain_curves(ranking: Ranking) -> list[Curve]:
    """Return gain (positives found) and lift (times better than chance) against the share of rows taken."""
    seen = ranking.negatives + ranking.positives
    share = seen / seen[-1]
    found = ranking.positives / ranking.n_positives
    return [
        line_curve(
            "gain",
            "Positives found when the highest scores are taken first",
            ("Share of rows taken", "Share of positives found"),
            {"model": _fewer(np.append(0.0, share), np.append(0.0, found))},
            reference="diagonal",
        ),
        line_curve(
            "lift",
            "How many times more positives than by chance",
            ("Share of rows taken", "Lift"),
            {"model": _fewer(share, found / np.maximum(share, np.finfo(np.float64).tiny))},
            reference=1.0,
        ),
    ]


def _fewer(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    kept = thinned(x + np.maximum.accumulate(y))
    return x[kept], y[kept]


def line_curve(
    name: str,
    title: str,
    axes: tuple[str, str],
    lines: Mapping[str, tuple[Numbers, Numbers]],
    *,
    reference: float | Literal["diagonal"] | None,
    note: str | None = None,
) -> Curve:
    """Return a chart of lines, each named and with its x and y."""
    return Curve(
        name=name,
        title=title,
        shape=Shape.LINE,
        x_title=axes[0],
        y_title=axes[1],
        series=tuple(Series(name=called, x=finite(x), y=finite(y)) for called, (x, y) in lines.items()),
        reference=reference,
        note=note,
    )


def score_distribution(scored: Scored, classes: Sequence[str]) -> Curve:
    """Return how the scores of each class are spread, in up to 20 bars of equal width."""
    edges = np.linspace(scored.scores.min(), scored.scores.max(), _BARS + 1)
    if edges[0] == edges[-1]:
        edges = np.array([edges[0] - 0.5, edges[0] + 0.5])
    centres = finite((edges[:-1] + edges[1:]) / 2)
    series = []
    for label, name in enumerate(classes):
        mine = scored.positive == bool(label)
        counts = np.histogram(scored.scores[mine], edges)[0]
        shares = counts / max(int(counts.sum()), 1)
        series.append(Series(name=name, x=centres, y=finite(shares), size=tuple(int(n) for n in counts)))
    return Curve(
        name="score_distribution",
        title="Scores of each class",
        shape=Shape.BARS,
        x_title="Score",
        y_title="Share of the class",
        series=tuple(series),
    )
