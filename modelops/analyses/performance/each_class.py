"""What `performance` shows of each of several classes: one table, rates with intervals, curves against the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import Findings, shown
from modelops.analyses.outcomes import Outcomes
from modelops.analyses.performance.curves import line_curve, precision_recall_line, roc_line
from modelops.analyses.statistics.ranking import Ranking, ranked
from modelops.domain.metric_words import metric_name, metric_phrase
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape

_MOST_CLASSES = 40
# As many lines as a reader can follow in one chart.
_MOST_LINES = 6
_RATES = ("recall", "precision")
_COLUMNS = ("precision", "recall", "f1", "roc_auc")

Numbers = NDArray[np.float64]


def each_class(
    rows: Outcomes, counts: Numbers, measurements: Sequence[Measurement], *, weights: Numbers | None
) -> Findings:
    """Show what was measured of each class.

    Parameters
    ----------
    rows : Outcomes
        Labelled rows of more than two classes.
    counts : ndarray of shape (n_classes, n_classes)
        Weight of the rows by label and prediction.
    measurements : sequence of Measurement
        Those with the scope ``{"class": NAME}``.
    weights : ndarray of shape (n,), optional
        Of the rows.
    """
    by_class = {(one.metric, str(one.scope["class"])): one for one in measurements if set(one.scope) == {"class"}}
    sizes = counts.sum(axis=1)
    largest = np.argsort(-sizes, kind="stable")
    return Findings(
        tables=[_table(rows.classes, counts, by_class)],
        curves=[
            _rates(rows.classes, np.sort(largest[:_MOST_CLASSES]), by_class),
            *_against_the_rest(rows, np.sort(largest[:_MOST_LINES]), weights),
        ],
    )


def _table(classes: Sequence[str], counts: Numbers, by_class: dict[tuple[str, str], Measurement]) -> ResultTable:
    return ResultTable(
        name="classes",
        title="Each class against the rest",
        columns=("class", "labels", "predictions", *map(metric_phrase, _COLUMNS)),
        rows=tuple(
            (
                name,
                float(counts[code].sum()),
                float(counts[:, code].sum()),
                *(shown(by_class[metric, name].value) for metric in _COLUMNS),
            )
            for code, name in enumerate(classes)
        ),
        note="Precision: how much of what is predicted as the class is of it. Recall: how much of the class is found.",
    )


def _rates(classes: Sequence[str], largest: NDArray[np.intp], by_class: dict[tuple[str, str], Measurement]) -> Curve:
    names = tuple(classes[code] for code in largest)
    few = len(classes) > len(names)
    series = []
    for metric in _RATES:
        found = [by_class[metric, name] for name in names]
        series.append(
            Series(
                name=metric_name(metric),
                x=names,
                y=tuple(one.value for one in found),
                low=tuple(one.interval and one.interval[0] for one in found),
                high=tuple(one.interval and one.interval[1] for one in found),
                size=tuple(one.sample_size for one in found),
            )
        )
    return Curve(
        name="rates_by_class",
        title="How much of each class is found, and how much of what is said is right",
        shape=Shape.FOREST,
        x_title="Class",
        y_title="Recall and precision",
        series=tuple(series),
        note=f"The {len(names)} classes with most labels of {len(classes)}." if few else None,
    )


def _against_the_rest(rows: Outcomes, largest: NDArray[np.intp], weights: Numbers | None) -> Iterator[Curve]:
    rankings = dict(_rankings(rows, largest, weights))
    if not rankings:
        return
    few = len(rows.classes) > len(rankings)
    note = f"The {len(rankings)} classes with most labels of {len(rows.classes)} that can be ranked." if few else None
    lines: tuple[tuple[str, str, tuple[str, str], Callable[[Ranking], tuple[Numbers, Numbers]]], ...] = (
        ("roc", "ROC of each class against the rest", ("False positive rate", "True positive rate"), roc_line),
        (
            "precision_recall",
            "Precision against recall of each class",
            ("Recall", "Precision"),
            precision_recall_line,
        ),
    )
    for name, title, axes, line in lines:
        drawn = {called: line(ranking) for called, ranking in rankings.items()}
        yield line_curve(name, title, axes, drawn, reference="diagonal" if name == "roc" else None, note=note)


def _rankings(rows: Outcomes, codes: NDArray[np.intp], weights: Numbers | None) -> Iterator[tuple[str, Ranking]]:
    """Rank the rows by the score of each class that has rows on both sides."""
    if rows.scores is None:
        return
    for code in codes.tolist():
        known = ~np.isnan(rows.scores[:, code])
        positive = rows.truth[known] == code
        mine = None if weights is None else weights[known]
        there = np.ones(positive.size, dtype=bool) if mine is None else mine > 0
        if positive[there].any() and not positive[there].all():
            yield rows.classes[code], ranked(rows.scores[known, code], positive, weights=mine)
