"""Do predictions come true as often, or as large, as they say: the declaration of `calibration` and its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.calibration.classes import (
    TOP_LABEL_SCOPE,
    Judging,
    View,
    group_findings,
    view_findings,
    views,
)
from modelops.analyses.calibration.classwise import TWO_CLASSES, classwise_measurements
from modelops.analyses.calibration.coverage import Asked, interval_findings, set_findings
from modelops.analyses.calibration.distributions import (
    NO_DISTRIBUTION,
    pit_findings,
    quantile_columns,
    quantile_findings,
)
from modelops.analyses.calibration.quantities import group_findings as quantity_group_findings
from modelops.analyses.calibration.quantities import quantity_findings
from modelops.analyses.fairness.data import Grouping, groupings
from modelops.analyses.measuring import Findings, inapplicable, measured
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.pending_tests import adjusted
from modelops.analyses.performance.regression import Quantities, quantities
from modelops.analyses.statistics.bootstrap import DRAWS, Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.analyses.statistics.reliability import BINS
from modelops.domain.columns import Task
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Measurement
from modelops.errors import InvalidInput, NotMeasured


class CalibrationParameters(Parameters):
    """What a person may set for `calibration`."""

    bins: int = Field(default=BINS, ge=2, le=50, description="Bins of equal mass, by score or prediction.")
    coverage: float = Field(
        default=0.9, ge=0.5, le=0.999, description="Share of rows that conformal sets or intervals are to cover."
    )
    conformal_sets: Literal["smallest", "adaptive"] = Field(
        default="smallest",
        description="Sets of classes that are as small as possible, or that are larger where the model is unsure.",
    )
    deviation: str | None = Field(
        default=None,
        description="Regression: column with the predicted standard deviation of each prediction.",
        json_schema_extra={"choose": "column"},
    )
    quantiles: tuple[str, ...] = Field(
        default=(), description="Regression: columns with predicted quantiles, as column=share (high=0.95)."
    )
    intersections: bool = Field(default=True, description="Also look at groups by every two sensitive columns.")
    largest_groups: int = Field(
        default=20, ge=2, le=100, description="How many levels of a column are kept apart; rarer ones go together."
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=DRAWS, ge=1000, le=20_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: CalibrationParameters, run: Run) -> Computed:
    """Measure whether scores and predictions come true.

    Scores: bins of equal mass with Wilson intervals, the Brier score and its parts beside the score of the base rate,
    slope and intercept of a logistic recalibration, and the score test that no recalibration is needed. With more than
    two classes: each class against the rest, the class that is named, and the classwise error of all. Quantities:
    mean target by bin of the prediction, slope and intercept of a linear recalibration; predicted quantiles and
    deviations where there are any. Both: split-conformal sets or intervals with their coverage. Everything over all
    rows and in every group of people.

    Raises
    ------
    NotMeasured
        If there is no target, no score or prediction, or no row with both.
    InvalidInput
        If labels and parameters do not fit together.
    """
    if data.data.roles.target is None:
        raise NotMeasured("Judging calibration needs a target column; there is none.")
    uncertainty = Uncertainty(run.rng(), parameters.draws, parameters.level)
    judging = Judging(uncertainty, parameters.bins)
    run.progress(0.05, "Reading predictions and labels")
    if data.task is Task.REGRESSION:
        return _quantities(data, parameters, run, judging)
    return _classes(data, parameters, run, judging)


def _people(
    data: EvaluationData, rows: NDArray[np.intp], parameters: CalibrationParameters, found: Findings
) -> list[Grouping]:
    if not data.data.roles.sensitive:
        found.notes.append("No sensitive column is named, so calibration by group is not shown.")
        return []
    try:
        people, notes = groupings(
            data.data, rows, largest_groups=parameters.largest_groups, intersections=parameters.intersections
        )
    except NotMeasured as reason:
        found.notes.append(str(reason))
        return []
    found.notes += notes
    return people


def _classes(data: EvaluationData, parameters: CalibrationParameters, run: Run, judging: Judging) -> Computed:
    if not data.data.roles.scores:
        raise NotMeasured(
            "Judging calibration needs a score column (probabilities); predicted labels do not say how sure."
        )
    labelled = outcomes(data, threshold=0.5).labelled()
    if not labelled.n_rows or (labelled.weights is not None and not labelled.weights.any()):
        raise NotMeasured("No row has a label, a score and a weight above zero.")
    how = labelled.weighting()
    found = Findings(notes=[*labelled.notes, *([how.note] if how.note else [])])
    people = _people(data, labelled.rows, parameters, found)
    seen, failed, notes = views(labelled, how)
    found.notes += notes
    for place, view in enumerate(seen):
        run.progress(0.1 + 0.3 * place / len(seen), f"Judging the scores of {view.title}")
        found.add(view_findings(view, judging))
    found.measurements += failed
    run.progress(0.4, "Judging all classes together")
    found.measurements += classwise_measurements(labelled, how, judging.uncertainty, bins=judging.bins)
    found.measurements += _confidence(labelled, seen)
    for place, grouping in enumerate(people if seen else []):
        run.progress(0.4 + 0.4 * place / len(people), f"Judging groups by {grouping.title}")
        # With more than two classes groups are judged by the top label alone: classes times groups is too many.
        found.add(group_findings(seen[0], grouping, judging))
    run.progress(0.8, "Measuring conformal coverage")
    asked = Asked(parameters.coverage, parameters.level, run.seed)
    found.add(set_findings(data.data, labelled, people, asked, cumulative=parameters.conformal_sets == "adaptive"))
    return _finished(found, judging, _score_summary(found, seen), labelled.dropped)


def _confidence(rows: Outcomes, seen: Sequence[View]) -> Iterator[Measurement]:
    """Say why nothing was found of how sure the model is of the class that it names, where nothing was."""
    name, scope = "expected_calibration_error_debiased", TOP_LABEL_SCOPE
    if rows.positive is not None:
        yield inapplicable(name, TWO_CLASSES, size=rows.n_rows, scope=scope)
    elif all(view.scope != scope for view in seen):
        yield measured(name, None, size=0, scope=scope, otherwise="No row has usable scores for all classes.")


def _quantities(data: EvaluationData, parameters: CalibrationParameters, run: Run, judging: Judging) -> Computed:
    rows = quantities(data.data)
    columns = quantile_columns(parameters.quantiles, data.data)
    deviation = _deviation(data, rows, parameters)
    found = Findings(notes=[rows.how.note] if rows.how.note else [])
    people = _people(data, rows.rows, parameters, found)
    run.progress(0.2, "Judging the predictions")
    found.add(quantity_findings(rows, judging))
    for place, grouping in enumerate(people):
        run.progress(0.3 + 0.4 * place / len(people), f"Judging groups by {grouping.title}")
        found.add(quantity_group_findings(rows, grouping, judging))
    run.progress(0.7, "Measuring conformal coverage")
    if columns:
        found.add(quantile_findings(columns, data.data, rows, level=parameters.level))
    if deviation is not None:
        found.add(pit_findings(deviation, rows, level=parameters.level))
    elif not columns:
        found.measurements.append(measured("pit_p_value", None, size=rows.n_rows, otherwise=NO_DISTRIBUTION))
    asked = Asked(parameters.coverage, parameters.level, run.seed)
    usable = deviation if deviation is not None and bool((deviation > 0).all()) else None
    if deviation is not None and usable is None:
        found.notes.append("Some standard deviations are missing or not above 0, so conformal intervals ignore them.")
    found.add(interval_findings(data.data, rows, people, asked, scale=usable))
    return _finished(found, judging, _quantity_summary(found), rows.dropped)


def _deviation(data: EvaluationData, rows: Quantities, parameters: CalibrationParameters) -> NDArray[np.float64] | None:
    if parameters.deviation is None:
        return None
    if parameters.deviation not in data.data.source.names:
        raise InvalidInput(f"The table has no column {parameters.deviation!r} to take standard deviations from.")
    deviation = data.data.numbers(parameters.deviation)[rows.rows]
    return np.where(np.isfinite(deviation), deviation, 0.0)


def _finished(found: Findings, judging: Judging, summary: str, dropped: dict[str, int]) -> Computed:
    for family in judging.families:
        found.measurements += adjusted(family)
    return found.computed(summary, dropped=dropped)


def _first(found: Findings, metric: str, view: View | None = None) -> Measurement:
    scope = view.scope if view else {}
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def _score_summary(found: Findings, seen: Sequence[View]) -> str:
    if not seen:
        return f"Calibration could not be judged: {found.measurements[0].note}"
    view = seen[0]
    scored = view.scored
    mean = float(np.average(scored.scores, weights=scored.weights))
    came = float(np.average(scored.positive, weights=scored.weights))
    shift, slope = _first(found, "calibration_in_the_large", view), _first(found, "calibration_slope", view)
    what = "names the right class" if view.scope.get("prediction") else f"the label is {view.title!r}"
    text = f"The model says on average that it {what}" if view.scope.get("prediction") else f"Scores say that {what}"
    text += f" in {percent(mean)} of {scored.scores.size:,} rows; that came true in {percent(came)}"
    if shift.interval is not None:
        sure = shift.interval[0] > 0 or shift.interval[1] < 0
        text += "" if sure else ", no more apart than chance explains"
    text += "."
    if slope.interval is not None and slope.interval[1] < 1:
        text += f" High scores are too high and low ones too low (slope {slope.value:.2f} instead of 1)."
    elif slope.interval is not None and slope.interval[0] > 1:
        text += f" Scores are too timid: truth is further apart than they say (slope {slope.value:.2f} instead of 1)."
    return text


def _quantity_summary(found: Findings) -> str:
    shift, slope = _first(found, "calibration_in_the_large"), _first(found, "calibration_slope")
    value = shift.value or 0.0
    if shift.interval is not None and shift.interval[0] <= 0 <= shift.interval[1]:
        text = f"Predictions are right on average over {shift.sample_size:,} rows, as far as chance lets one see"
    else:
        side = "low" if value > 0 else "high"
        text = f"Predictions are too {side} by {quantity(abs(value))} on average over {shift.sample_size:,} rows"
    if slope.interval is not None and not slope.interval[0] <= 1 <= slope.interval[1]:
        word = "too far apart" if (slope.value or 0.0) < 1 else "too close together"
        text += f", and large and small ones are {word} (slope {slope.value:.2f} instead of 1)"
    return text + "."


CALIBRATION = Analysis(
    key="calibration",
    title="Calibration",
    question="Do predictions come true as often, or as large, as they say?",
    serves=("predictions.plausible",),
    needs=frozenset({Need.TARGET}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=CalibrationParameters,
    source=(
        "D. R. Cox, Biometrika 45, 1958 (slope and intercept); A. H. Murphy, Journal of Applied Meteorology 12, 1973, "
        "and C. A. T. Ferro, T. E. Fricker, QJRMS 138, 2012 (parts of the Brier score); J. Bröcker, L. A. Smith, "
        "Weather and Forecasting 22, 2007 (error by chance); M. Kull et al., NeurIPS 2019 (classwise error); "
        "V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005 (conformal prediction)"
    ),
    unseen=("data",),
    compute=compute,
    uses=frozenset({Need.SCORE, Need.PREDICTION, Need.SENSITIVE}),
)
