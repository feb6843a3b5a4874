"""Suspicious labels for people and programs: figures, the review queue, which labels are mistaken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.bars import equal_bins
from modelops.analyses.label_quality.confident import ByChance, Spread, Suspects
from modelops.analyses.label_quality.deviations import Deviations, FarOut
from modelops.analyses.label_quality.noise import Noise
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.statistics.intervals import LEVEL, Interval, wilson
from modelops.domain.number_words import percent
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]

_MOST_CLASSES = 20
_MOST_CELLS = 400
_BINS = 20
_NOT_SHOWN_AS_REAL = 0.05
_QUEUE_NOTE = (
    "Row numbers count from 1 in the order of the file. Look at each: the label may be right and the case odd."
)


def _around(value: float, interval: Interval | None) -> Interval | None:
    return interval and (min(interval[0], value), max(interval[1], value))


def summary_of_classes(found: Suspects, around: Spread, chance: ByChance, queue: int) -> str:
    """Return the outcome in words."""
    n, wrong = found.given.size, int(found.wrong.sum())
    if not wrong:
        return f"None of the {n:,} labels that were checked looks wrong."
    text = f"{wrong:,} of {n:,} labels ({percent(wrong / n)}) contradict confident scores; {_queued(wrong, queue)}."
    if chance.p_value > _NOT_SHOWN_AS_REAL:
        # How many would be wrong if every case had one right answer is a number below, and no headline then.
        return f"{text} By their own doubt the scores expect {percent(chance.rate)}: all labels may be right."
    if around.error_rate is not None:
        low, high = (percent(end) for end in _around(found.error_rate, around.error_rate) or around.error_rate)
        text += f" If every case has one right answer, about {percent(found.error_rate)} of all labels are wrong"
        text += f" ({low} to {high})."
    return f"{text} By their own doubt the scores expect no more than {percent(chance.rate)}."


def _queued(count: int, queue: int) -> str:
    what = "they stand" if count <= queue else f"the {queue:,} most suspicious stand"
    return f"{what} in the review queue"


def classes(
    found: Suspects,
    around: Spread,
    chance: ByChance,
    noise: Noise,
    levels: Sequence[str],
    rows: Rows,
    scores: Numbers,
    *,
    queue: int,
    level: float,
) -> Findings:
    """Return everything on labels that are classes."""
    n, wrong = found.given.size, int(found.wrong.sum())
    result = Findings()
    add = result.measurements.append
    add(measured("label_issue_rate", wrong / n, size=n, interval=wilson(wrong, n, level=level), level=level))
    add(
        measured(
            "expected_label_issue_rate",
            chance.rate,
            size=chance.rows,
            note="labels drawn from the scores, made as sure as they are right",
        )
    )
    add(_excess(wrong, n, chance.rate, level))
    add(measured("label_issue_p_value", chance.p_value, size=chance.rows))
    add(measured("label_noise_rate", noise.rate, size=n, note="0 where the scores alone explain the contradictions"))
    add(measured("label_noise_p_value", noise.p_value, size=n))
    add(
        measured(
            "estimated_label_error_rate",
            found.error_rate,
            size=n,
            interval=_around(found.error_rate, around.error_rate),
            level=level,
            note=None if around.resampled == n else f"interval from {around.resampled:,} rows",
        )
    )
    agreeing = int((found.margin <= 0).sum())
    add(measured("given_label_agreement", agreeing / n, size=n, interval=wilson(agreeing, n)))
    add(measured("mean_self_confidence", float(found.confidence.mean()), size=n))
    totals = found.joint.sum(axis=1)
    counts = np.bincount(found.given, minlength=len(levels))
    for place, name in enumerate(levels):
        scope = {"class": name}
        suspected = int(found.wrong[found.given == place].sum())
        size = int(counts[place])
        add(
            measured(
                "label_issue_rate",
                suspected / size if size else None,
                size=size,
                scope=scope,
                interval=wilson(suspected, size, level=level) if size else None,
                level=level,
                otherwise="No label is of this class.",
            )
        )
        rate = 1 - found.joint[place, place] / totals[place] if totals[place] > 0 else None
        interval = None if rate is None else _around(rate, around.by_class[place])
        add(
            measured(
                "estimated_label_error_rate",
                rate,
                size=size,
                scope=scope,
                interval=interval,
                level=level,
                otherwise="No label is of this class.",
            )
        )
    result.measurements += _joint(found, around, levels, counts, level)
    result.curves += _charts(found, around, levels)
    result.tables += _class_tables(found, levels, rows, scores, queue)
    return result


def _excess(wrong: int, n: int, expected: float, level: float) -> Measurement:
    low, high = wilson(wrong, n, level=level)
    interval = (low - expected, high - expected)
    return measured("excess_label_issue_rate", wrong / n - expected, size=n, interval=interval, level=level)


def _joint(
    found: Suspects, around: Spread, levels: Sequence[str], counts: NDArray[np.int64], level: float
) -> list[Measurement]:
    """The cells of the joint distribution, the largest first where there are very many."""
    cells = [(i, j) for i in range(len(levels)) for j in range(len(levels))]
    if len(cells) > _MOST_CELLS:
        cells = sorted(cells, key=lambda cell: (-found.joint[cell], cell))[:_MOST_CELLS]
    return [
        measured(
            "label_noise_joint",
            float(found.joint[i, j]),
            size=int(counts[i]),
            scope={"class": levels[i], "true_class": levels[j]},
            interval=_around(float(found.joint[i, j]), around.cells[i][j]),
            level=level,
        )
        for i, j in cells
    ]


def _charts(found: Suspects, around: Spread, levels: Sequence[str]) -> list[Curve]:
    counts = np.bincount(found.given, minlength=len(levels))
    shown = np.sort(np.argsort(-counts, kind="stable")[:_MOST_CLASSES])
    names = tuple(levels[place] for place in shown)
    shares = found.joint / np.maximum(found.joint.sum(axis=1, keepdims=True), 1e-300)
    rates = [float(1 - shares[place, place]) for place in shown]
    ends = [_around(rate, around.by_class[place]) for rate, place in zip(rates, shown, strict=True)]
    heat = Curve(
        name="noise_matrix",
        title="Which labels are mistaken for which",
        shape=Shape.HEATMAP,
        x_title="estimated true label",
        y_title="given label",
        series=tuple(
            Series(name=name, x=names, y=tuple(shares[place, shown].tolist()))
            for name, place in zip(names, shown, strict=True)
        ),
        note="Share of the rows with the given label.",
    )
    forest = Curve(
        name="error_by_class",
        title="Estimated share of wrong labels by given label",
        shape=Shape.FOREST,
        x_title="given label",
        y_title="share of labels",
        series=(
            Series(
                name="wrong labels",
                x=names,
                y=tuple(rates),
                low=tuple(each[0] if each else None for each in ends),
                high=tuple(each[1] if each else None for each in ends),
                size=tuple(int(counts[place]) for place in shown),
            ),
        ),
        reference=0.0,
    )
    return [forest, heat, _histogram(found.confidence, (0.0, 1.0), "score of the given label", "Doubt of the labels")]


def _histogram(values: Numbers, ends: tuple[float, float], x_title: str, title: str) -> Curve:
    """Return the shares of rows in bins of equal width; what lies outside is counted in the outer ones."""
    counts, edges = equal_bins(values, *ends, bins=_BINS)
    shares = counts / max(1, values.size)
    return Curve(
        name="distribution",
        title=title,
        shape=Shape.STEP,
        x_title=x_title,
        y_title="share of rows",
        series=(Series(name="rows", x=tuple(edges.tolist()), y=(*shares.tolist(), float(shares[-1]))),),
    )


def _class_tables(found: Suspects, levels: Sequence[str], rows: Rows, scores: Numbers, queue: int) -> list[ResultTable]:
    places = np.flatnonzero(found.wrong)
    places = places[np.lexsort((rows[places], -found.margin[places]))][:queue]
    table: list[tuple[Scalar, ...]] = [
        (
            int(rows[place]) + 1,
            levels[found.given[place]],
            levels[found.suggested[place]],
            float(found.confidence[place]),
            float(scores[place, found.suggested[place]]),
            float(found.margin[place]),
        )
        for place in places
    ]
    if not table:
        return []
    total = int(found.wrong.sum())
    more = f" The first {queue:,} of {total:,}." if total > queue else ""
    return [
        ResultTable(
            name="review_queue",
            title="Review queue: labels to look at, the most suspicious first",
            columns=("row", "given label", "suggested label", "score of given", "score of suggested", "margin"),
            rows=tuple(table),
            note=_QUEUE_NOTE + more,
        )
    ]


def summary_of_numbers(found: Deviations, chance: FarOut, limit: float, queue: int) -> str:
    """Return the outcome in words."""
    n, wrong = found.standardized.size, int(found.beyond(limit).sum())
    if not wrong:
        return f"None of the {n:,} targets lies more than {limit:g} robust deviations from its prediction."
    text = (
        f"{wrong:,} of {n:,} targets ({percent(wrong / n)}) lie more than {limit:g} robust deviations from their"
        f" prediction; {_queued(wrong, queue)}. {percent(chance.rate)} were to be expected."
    )
    if chance.p_value > _NOT_SHOWN_AS_REAL:
        text += " That is no more than the long tails of the errors explain."
    return text


def numbers(
    found: Deviations,
    chance: FarOut,
    targets: Numbers,
    predicted: Numbers,
    rows: Rows,
    *,
    limit: float,
    queue: int,
    size: float,
) -> Findings:
    """Return everything on targets that are quantities; ``size`` is the unit that deviations were computed in."""
    n, wrong = found.standardized.size, int(found.beyond(limit).sum())
    result = Findings()
    note = f"more than {limit:g} robust deviations from the prediction"
    tails = f"by a Student distribution with {chance.degrees_of_freedom:.1f} degrees of freedom"
    result.measurements += [
        measured("label_issue_rate", wrong / n, size=n, interval=wilson(wrong, n), note=note),
        measured("expected_label_issue_rate", chance.rate, size=n, note=tails),
        _excess(wrong, n, chance.rate, LEVEL),
        measured("label_issue_p_value", chance.p_value, size=n),
        measured("label_noise_p_value", chance.p_value, size=n),
        measured(
            "estimated_label_error_rate",
            None,
            size=n,
            otherwise="Not applicable: that a quantity is wrong cannot be told from its being far out, as it can of"
            " classes; the queue shows which are furthest.",
        ),
        measured("robust_deviation", found.scale * size, size=n, note="1.4826 times the median absolute deviation"),
    ]
    wide = 2 * limit
    result.curves.append(
        _histogram(
            found.standardized, (-wide, wide), "robust deviations from the prediction", "Targets and predictions"
        )
    )
    places = np.flatnonzero(found.beyond(limit))
    places = places[np.lexsort((rows[places], -np.abs(found.standardized[places])))][:queue]
    if places.size:
        result.tables.append(
            ResultTable(
                name="review_queue",
                title="Review queue: targets to look at, the furthest first",
                columns=("row", "given target", "prediction", "robust deviations"),
                rows=tuple(
                    (int(rows[at]) + 1, float(targets[at]), float(predicted[at]), float(found.standardized[at]))
                    for at in places
                ),
                note=_QUEUE_NOTE + (f" The first {queue:,} of {wrong:,}." if wrong > queue else ""),
            )
        )
    return result
