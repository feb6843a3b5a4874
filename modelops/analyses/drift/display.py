"""The drift of a run for people: overlays of both distributions, a forest of effects, tables, one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from modelops.analyses.cores.numeric_pair import QUANTILES, Summary
from modelops.analyses.drift.classifier import DomainClassifier
from modelops.analyses.drift.columns import ColumnDrift
from modelops.analyses.drift.findings import Judged, Margins
from modelops.analyses.drift.shares import MOST_NAMED, Bars
from modelops.analyses.measuring import shown
from modelops.domain.names import listed
from modelops.domain.number_words import percent
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, ResultTable, Series, Shape

_FOREST_ROWS = 30
_NAMES = {"kolmogorov_smirnov_statistic": "Kolmogorov-Smirnov", "cramers_v": "chi-squared (Cramér's V)"}


def overlay(judged: Judged) -> Curve | None:
    """Return both distributions of one column in common bins, as shares of the rows with a value."""
    drift = judged.drift
    if drift.bars is None or min(drift.present) == 0:
        return None
    column = drift.subject.column
    series = _bar_series(drift.bars) if drift.bars.labels else _step_series(drift.bars, drift)
    if series is None:
        return None
    return Curve(
        name="overlay",
        title=f"{column}: reference and current",
        shape=Shape.BARS if drift.bars.labels else Shape.STEP,
        x_title=column,
        y_title="share of rows",
        series=series,
        scope={drift.subject.role: column},
        note=None if drift.bars.labels else "The outermost 1 % at each end stands in the outer bins.",
    )


def _shares(bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    return bars.reference / bars.reference.sum(), bars.current / bars.current.sum()


def _bar_series(bars: Bars) -> tuple[Series, ...]:
    return tuple(
        Series(name=name, x=bars.labels, y=tuple(shares.tolist()))
        for name, shares in zip(("reference", "current"), _shares(bars), strict=True)
    )


def _step_series(bars: Bars, drift: ColumnDrift) -> tuple[Series, ...] | None:
    """Return steps that begin at each left edge; the last share is repeated where the last bin ends."""
    if len(bars.edges) < 2 or drift.numeric is None:
        return None
    width = float(bars.edges[1] - bars.edges[0])
    ends = float(bars.edges[0]) - width, float(bars.edges[-1]) + width
    starts = [max(ends[0], -sys.float_info.max), *bars.edges.tolist(), min(ends[1], sys.float_info.max)]
    return tuple(
        Series(name=name, x=tuple(starts), y=(*shares.tolist(), float(shares[-1])))
        for name, shares in zip(("reference", "current"), _shares(bars), strict=True)
    )


def forest(judged: Sequence[Judged], margin: float) -> Curve | None:
    """Return the effects of the first columns with their intervals and the margin."""
    found = [each for each in judged if each.drift.comparison is not None][:_FOREST_ROWS]
    if not found:
        return None
    comparisons = [each.drift.comparison for each in found if each.drift.comparison is not None]
    series = Series(
        name="effect",
        x=tuple(each.drift.subject.column for each in found),
        y=tuple(comparison.effect for comparison in comparisons),
        low=tuple(comparison.interval[0] for comparison in comparisons),
        high=tuple(comparison.interval[1] for comparison in comparisons),
        size=tuple(min(each.drift.present) for each in found),
    )
    return Curve(
        name="effects",
        title="How far each column has moved",
        shape=Shape.FOREST,
        x_title="column",
        y_title="effect (K-S statistic or Cramér's V)",
        series=(series,),
        reference=margin,
        note="Line: the margin from which a change matters.",
    )


def tables(judged: Sequence[Judged], classifier: DomainClassifier | None) -> tuple[ResultTable, ...]:
    """Return the ranking, the statistics then and now, the new and vanished categories, what drives the classifier."""
    found = [_ranking(judged), _statistics(judged), _categories(judged)]
    if classifier is not None:
        found.append(_drivers(classifier))
    return tuple(table for table in found if table.rows)


def _ranking(judged: Sequence[Judged]) -> ResultTable:
    return ResultTable(
        name="columns",
        title="Columns, the most important change first",
        columns=(
            "column",
            "role",
            "test",
            "effect",
            "low",
            "high",
            "p",
            "adjusted p",
            "smallest detectable",
            "missing then",
            "missing now",
            "adjusted p of missing",
            "importance",
            "not tested because",
        ),
        rows=tuple(_ranking_row(each) for each in judged),
    )


def _ranking_row(judged: Judged) -> tuple[Scalar, ...]:
    drift, found = judged.drift, judged.drift.comparison
    rates = [count / rows if rows else None for count, rows in zip(drift.missing.counts, drift.rows, strict=True)]
    return (
        drift.subject.column,
        drift.subject.role,
        _NAMES[found.metric] if found else None,
        found.effect if found else None,
        found.interval[0] if found else None,
        found.interval[1] if found else None,
        found.p_value if found else None,
        judged.adjusted_p,
        judged.smallest_detectable,
        *rates,
        judged.missing_adjusted_p,
        judged.weight,
        drift.reason,
    )


def _statistics(judged: Sequence[Judged]) -> ResultTable:
    rows = [
        (each.drift.subject.column, table, *_figures(summary))
        for each in judged
        if each.drift.numeric is not None
        for table, summary in (("reference", each.drift.numeric.reference), ("current", each.drift.numeric.current))
    ]
    return ResultTable(
        name="statistics",
        title="Numbers then and now",
        columns=(
            "column",
            "table",
            "values",
            "missing",
            "mean",
            "standard deviation",
            "minimum",
            *(percent(probability) for probability in QUANTILES),
            "maximum",
        ),
        rows=tuple(rows),
    )


def _figures(summary: Summary) -> Iterator[Scalar]:
    yield summary.present
    yield summary.missing
    yield summary.mean
    yield summary.standard_deviation
    yield summary.minimum
    yield from (summary.quantiles and map(shown, summary.quantiles)) or [None] * len(QUANTILES)
    yield summary.maximum


def _categories(judged: Sequence[Judged]) -> ResultTable:
    rows = [
        (each.drift.subject.column, change.name, word, change.rows, change.share, *change.interval, change.by_chance)
        for each in judged
        for word, changes in (("new", each.drift.new), ("vanished", each.drift.vanished))
        for change in changes.named
    ]
    return ResultTable(
        name="categories",
        title="Categories that only one of the tables holds",
        columns=("column", "category", "change", "rows", "share", "low", "high", "by chance"),
        rows=tuple(rows),
        note=f"At most {MOST_NAMED} for each column and direction. By chance: how likely all its rows would fall in one"
        " table if both were dealt from one pile.",
    )


def _drivers(classifier: DomainClassifier) -> ResultTable:
    return ResultTable(
        name="domain_classifier",
        title="What tells current rows from the reference",
        columns=("column", "fall of the area under the ROC curve", "spread over repeats"),
        rows=tuple((driver.feature, driver.loss, driver.spread) for driver in classifier.drivers),
    )


def summary(
    features: Sequence[Judged],
    outputs: Sequence[Judged],
    classifier: DomainClassifier | None,
    margins: Margins,
) -> str:
    """Return the outcome in words."""
    tested = [each for each in features if each.drifted is not None]
    changed = [each for each in tested if each.drifted]
    untested = len(features) - len(tested)
    sentences = [_changed(tested, changed) if features else "There are no features to compare."]
    immaterial = sum(each.real and not each.drifted for each in tested)
    if immaterial:
        sentences.append(f"{immaterial} more changed measurably, but by less than the margin of {margins.effect:g}.")
    if untested:
        sentences.append(f"{untested} could not be tested.")
    sentences += _outputs_told([each for each in outputs if each.drifted is not None])
    if classifier is not None:
        sentences.append(_told_apart(classifier, margins))
    return " ".join(sentences)


def _changed(tested: Sequence[Judged], changed: Sequence[Judged]) -> str:
    if not tested:
        return "Not enough data: no feature could be tested."
    if not changed:
        return f"None of the {len(tested)} features that could be tested has changed by more than the margin."
    names = ", ".join(each.drift.subject.column for each in changed[:3]) + (", ..." if len(changed) > 3 else "")
    verb = "has" if len(changed) == 1 else "have"
    return f"{len(changed)} of {len(tested)} features {verb} changed by more than the margin: {names}."


def _outputs_told(outputs: Sequence[Judged]) -> list[str]:
    """Say of prediction, scores and target which have changed and which have not, in one sentence."""
    moved = [_named(each) for each in outputs if each.drifted]
    stayed = [_named(each) for each in outputs if not each.drifted]
    parts = []
    if moved:
        parts.append(f"{listed(moved)} {_have(moved)} changed")
    if stayed:
        parts.append(f"{listed(stayed)} {_have(stayed)} not" + ("" if moved else " changed by more than the margin"))
    text = "; ".join(parts)
    return [f"{text[0].upper()}{text[1:]}."] if text else []


def _named(judged: Judged) -> str:
    role, column = judged.drift.subject.role, judged.drift.subject.column
    return f"the {column}" if column.startswith(role) else f"the {role} {column}"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _told_apart(classifier: DomainClassifier, margins: Margins) -> str:
    found = classifier.separation
    if found.p_value > margins.alpha:
        return (
            f"A classifier cannot tell current rows from the reference (area under the ROC curve {found.roc_auc:.2f})."
        )
    return (
        f"A classifier tells current rows from the reference with an area under the ROC curve of {found.roc_auc:.2f}"
        f" (0.5 is guessing), mostly by {classifier.drivers[0].feature}."
    )
