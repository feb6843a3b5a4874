"""Which decisions change: how many, in which direction, for better or worse, and the rows that change most.

A new model that is better on average still turns right answers into wrong ones; whoever relied on them notices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.bars import equal_bins
from modelops.analyses.champion_challenger.match import Match, errors
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape

_MOST_CLASSES = 40
_MOST_CHANGES = 30
_BARS = 30

Mask = NDArray[np.bool_]


def churn(match: Match, *, change: float, listed: int, level: float) -> Findings:
    """Measure the changes.

    Parameters
    ----------
    change : float
        For a quantity: from which share of the target's standard deviation a prediction counts as changed.
    listed : int
        How many of the most changed rows are listed, by their number in the table.
    """
    return _of_classes(match, listed, level) if match.rows.classes else _of_numbers(match, change, listed, level)


def _rate(match: Match, metric: str, mask: Mask, level: float, scope: Scope | None = None) -> Measurement:
    share = match.mean(mask)
    rows = match.effective_rows
    interval = wilson(min(share * rows, rows), rows, level=level)
    return measured(metric, share, size=match.rows.n_rows, scope=scope, interval=interval, level=level)


def _of_classes(match: Match, listed: int, level: float) -> Findings:
    new, old, truth = match.challenger.predicted, match.champion.predicted, match.rows.truth
    names = match.names
    changed = new != old
    found = Findings()
    found.measurements += [
        _rate(match, "churn_rate", changed, level),
        _rate(match, "positive_flip_rate", changed & (new == truth), level),
        _rate(match, "negative_flip_rate", changed & (old == truth), level),
    ]
    pairs, counts = np.unique(old[changed] * len(names) + new[changed], return_counts=True)
    if len(match.rows.classes) == 2:
        pairs = np.array([1, len(names)])  # both directions, also where one of them never happens
        counts = np.array([np.count_nonzero((old == 0) & (new == 1)), np.count_nonzero((old == 1) & (new == 0))])
    table = []
    for pair, count in sorted(zip(pairs, counts, strict=True), key=lambda item: (-item[1], item[0]))[:_MOST_CHANGES]:
        was, now = divmod(int(pair), len(names))
        mask = (old == was) & (new == now)
        right_then, right_now = (int(np.count_nonzero(mask & (said == truth))) for said in (old, new))
        scope: Scope = {"change": f"{names[was]} to {names[now]}"}
        one = _rate(match, "churn_rate", mask, level, scope)
        found.measurements.append(one)
        table.append((names[was], names[now], int(count), shown(one.value), right_then, right_now))
    found.tables.append(
        ResultTable(
            name="churn",
            title="Decisions that change",
            columns=("champion says", "challenger says", "rows", "share of all rows", "were right", "are right now"),
            rows=tuple(table),
            note=f"The {_MOST_CHANGES} most frequent changes." if len(pairs) > _MOST_CHANGES else None,
        )
    )
    found.tables.append(_class_list(match, changed, listed))
    found.curves.append(_heat_map(match))
    return found


def _class_list(match: Match, changed: Mask, listed: int) -> ResultTable:
    new, old, names = match.challenger, match.champion, match.names
    size = np.ones(match.rows.n_rows)
    by_score = new.scores is not None and old.scores is not None
    if new.scores is not None and old.scores is not None:
        moved = np.abs(new.scores - old.scores).max(axis=1)
        size = np.where(np.isfinite(moved), moved, 0.0)
    where = np.flatnonzero(changed)
    where = where[np.lexsort((match.rows.rank[where], -size[where]))][:listed]
    truth = match.rows.truth
    verdicts = {(True, False): "lost", (False, True): "gained", (False, False): "wrong both times"}
    rows = [
        (
            int(match.rows.positions[row]) + 1,
            names[int(old.predicted[row])],
            names[int(new.predicted[row])],
            shown(float(size[row])) if by_score else None,
            verdicts[bool(old.predicted[row] == truth[row]), bool(new.predicted[row] == truth[row])],
        )
        for row in where
    ]
    return _list_table(rows, int(changed.sum()), ("champion says", "challenger says", "change of score", "outcome"))


def _list_table(rows: Sequence[tuple[object, ...]], total: int, columns: tuple[str, ...]) -> ResultTable:
    return ResultTable.model_validate(
        {
            "name": "churn_list",
            "title": "The rows that change most",
            "columns": ("row", *columns),
            "rows": tuple(rows),
            "note": f"{len(rows)} of {total:,} changed rows, by their number in the table (the first is 1).",
        }
    )


def _heat_map(match: Match) -> Curve:
    names = match.names
    old, new = match.champion.predicted, match.challenger.predicted
    occurring = np.union1d(old, new)
    counts = np.bincount(old * len(names) + new, weights=match.how.weights, minlength=len(names) ** 2)
    counts = counts.reshape(len(names), len(names))
    largest = occurring[np.argsort(-(counts.sum(axis=0) + counts.sum(axis=1))[occurring], kind="stable")]
    kept = np.sort(largest[:_MOST_CLASSES])
    labels = tuple(names[code] for code in kept)
    total = counts.sum()
    return Curve(
        name="decisions",
        title="Decisions of champion and challenger, as shares of all rows",
        shape=Shape.HEATMAP,
        x_title="Challenger says",
        y_title="Champion says",
        series=tuple(
            Series(name=names[code], x=labels, y=tuple(float(counts[code, other] / total) for other in kept))
            for code in kept
        ),
        note=f"The {_MOST_CLASSES} most frequent of {len(occurring)} classes." if len(occurring) > len(kept) else None,
    )


def _of_numbers(match: Match, change: float, listed: int, level: float) -> Findings:
    truth = match.rows.truth
    least = change * float(np.std(truth))
    moved = match.challenger.predicted - match.champion.predicted
    new, old = errors(match)
    changed = np.abs(moved) > least
    found = Findings()
    found.measurements += [
        _rate(match, "churn_rate", changed, level),
        _rate(match, "positive_flip_rate", old - new > least, level),
        _rate(match, "negative_flip_rate", new - old > least, level),
        measured("mean_absolute_change", match.mean(np.abs(moved)), size=match.rows.n_rows),
    ]
    found.notes.append(
        f"A prediction counts as changed, and an error as gained or lost, from a change of {quantity(least)} "
        f"({percent(change)} of the target's standard deviation)."
    )
    table = []
    for name, mask in (("up", moved > least), ("down", moved < -least), ("less", np.abs(moved) <= least)):
        better, worse = (int(np.count_nonzero(mask & (gap > least))) for gap in (old - new, new - old))
        found.measurements.append(_rate(match, "churn_rate", mask, level, {"change": name}))
        table.append((name, int(np.count_nonzero(mask)), match.mean(mask), better, worse))
    found.tables.append(
        ResultTable(
            name="churn",
            title="Predictions that change",
            columns=("change", "rows", "share of all rows", "error smaller", "error larger"),
            rows=tuple(table),
        )
    )
    where = np.lexsort((match.rows.rank, -np.abs(moved)))[: min(listed, int(changed.sum()))]
    rows = [
        (
            int(match.rows.positions[row]) + 1,
            float(match.champion.predicted[row]),
            float(match.challenger.predicted[row]),
            float(moved[row]),
            float(new[row] - old[row]),
        )
        for row in where
    ]
    columns = ("champion says", "challenger says", "change", "change of the error")
    found.tables.append(_list_table(rows, int(changed.sum()), columns))
    found.curves.append(_histogram(moved))
    return found


def _histogram(moved: NDArray[np.float64]) -> Curve:
    low, high = (float(end) for end in np.quantile(moved, [0.005, 0.995]))
    counts, edges = equal_bins(moved, low, high, bins=_BARS)
    middles = (edges[:-1] + edges[1:]) / 2
    return Curve(
        name="changes",
        title="How far predictions move",
        shape=Shape.BARS,
        x_title="Challenger less champion",
        y_title="Rows",
        series=(Series(name="rows", x=tuple(float(at) for at in middles), y=tuple(float(count) for count in counts)),),
        note="The outermost 0.5 % on each side are counted in the outermost bars.",
    )
