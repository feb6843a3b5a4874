"""How good are the predictions: the declaration of `performance` and its parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.levels import Coded, groups
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.performance.binary import Stakes, binary_performance
from modelops.analyses.performance.multiclass import multiclass_performance
from modelops.analyses.performance.regression import quantities, regression_performance
from modelops.analyses.performance.value import matrix_from_text
from modelops.analyses.performance.workbench import cost_per_row
from modelops.analyses.statistics.bootstrap import DRAWS, Uncertainty, counts_intervals
from modelops.analyses.statistics.intervals import LEVEL
from modelops.domain.columns import Task
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Measurement
from modelops.errors import InvalidInput, NotMeasured

_MOST_GROUPS = 12

Numbers = NDArray[np.float64]


class PerformanceParameters(Parameters):
    """What a person may set for `performance`."""

    threshold: float = Field(
        default=0.5, description="Score from which a row counts as positive, where the table has no prediction column."
    )
    cost_true_positive: float = Field(default=0.0, description="Cost of a correct positive decision.")
    cost_false_positive: float = Field(default=1.0, description="Cost of a false alarm.")
    cost_false_negative: float = Field(default=1.0, description="Cost of a missed positive.")
    cost_true_negative: float = Field(default=0.0, description="Cost of a correct negative decision.")
    capacity: float | None = Field(
        default=None, gt=0, le=1, description="Share of the rows that can be acted on, between 0 and 1."
    )
    value_true_positive: float | None = Field(default=None, description="Business value of a correct positive.")
    value_false_positive: float | None = Field(default=None, description="Business value of a false alarm.")
    value_false_negative: float | None = Field(default=None, description="Business value of a missed positive.")
    value_true_negative: float | None = Field(default=None, description="Business value of a correct negative.")
    value_matrix: str = Field(
        default="",
        max_length=20_000,
        description="Business value for any number of classes: label > prediction = number; separated by semicolons.",
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=DRAWS, ge=1000, le=20_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: PerformanceParameters, run: Run) -> Computed:
    """Measure how good predictions are.

    Rates have Wilson intervals; the area under the ROC curve DeLong's; metrics that depend on the confusion counts
    alone BCa intervals from multinomial draws of the counts; means of losses and errors percentile intervals from
    resampled rows. Weights and repeated entities widen all of them by the design effect.

    Raises
    ------
    NotMeasured
        If there is no target, no prediction, or no row with both.
    InvalidInput
        If labels and parameters do not fit together.
    """
    if data.data.roles.target is None:
        raise NotMeasured("Measuring performance needs a target column; there is none.")
    uncertainty = Uncertainty(run.rng(), parameters.draws, parameters.level)
    run.progress(0.1, "Reading labels and predictions")
    if data.task is Task.REGRESSION:
        rows = quantities(data.data)
        found = regression_performance(rows, uncertainty=uncertainty)
        return found.computed(_regression_summary(found, rows.n_rows), dropped=rows.dropped)
    labelled = outcomes(data, threshold=parameters.threshold).labelled()
    if not labelled.n_rows or (labelled.weights is not None and not labelled.weights.any()):
        raise NotMeasured("No row has a label, a prediction and a weight above zero.")
    run.progress(0.3, "Measuring")
    return _classification(data, labelled, parameters, uncertainty)


def _classification(
    data: EvaluationData, labelled: Outcomes, parameters: PerformanceParameters, uncertainty: Uncertainty
) -> Computed:
    found = Findings(notes=list(labelled.notes))
    if labelled.positive is not None:
        labelled = labelled.one_against_rest(labelled.positive)
        codes: dict[str, Coded] = {}
        for name in data.data.roles.sensitive:
            column, note = groups(data.data, name, most=_MOST_GROUPS)
            codes[name] = column.take(labelled.rows)
            found.notes += [note] if note else []
        found.add(binary_performance(labelled, codes, stakes=_stakes(parameters), uncertainty=uncertainty))
    else:
        found.add(multiclass_performance(labelled, uncertainty=uncertainty))
    found.measurements += _business_value(labelled, parameters, uncertainty)
    return found.computed(_classification_summary(found, labelled), dropped=labelled.dropped)


def _stakes(parameters: PerformanceParameters) -> Stakes:
    costs = np.array(
        [
            [parameters.cost_true_negative, parameters.cost_false_positive],
            [parameters.cost_false_negative, parameters.cost_true_positive],
        ]
    )
    return Stakes(costs, parameters.capacity)


def _business_value(rows: Outcomes, parameters: PerformanceParameters, uncertainty: Uncertainty) -> list[Measurement]:
    matrix = _value_matrix(rows, parameters)
    if matrix is None:
        reason = "No value matrix is set."
        return [
            measured(name, None, size=rows.n_rows, otherwise=reason)
            for name in ("business_value_per_row", "business_value")
        ]
    how = rows.weighting()
    counts = rows.confusion(how.weights)

    def statistic(drawn: Numbers) -> Numbers:
        return cost_per_row(drawn, matrix)[..., None]

    (interval,) = counts_intervals(counts, statistic, uncertainty, design_effect=how.design_effect)
    value = float(statistic(counts)[0])
    return [
        measured(
            name,
            value * scale,
            size=rows.n_rows,
            interval=interval and (interval[0] * scale, interval[1] * scale),
            level=uncertainty.level,
            unit="value",
        )
        for name, scale in (("business_value_per_row", 1.0), ("business_value", float(rows.n_rows)))
    ]


def _value_matrix(rows: Outcomes, parameters: PerformanceParameters) -> Numbers | None:
    named = [
        parameters.value_true_negative,
        parameters.value_false_positive,
        parameters.value_false_negative,
        parameters.value_true_positive,
    ]
    given = any(value is not None for value in named)
    if given and parameters.value_matrix.strip():
        raise InvalidInput("Both a value matrix and single values are set; set one of the two.")
    if given and rows.positive is None:
        raise InvalidInput("With more than two classes set 'value_matrix' instead of the four single values.")
    if given:
        return np.array([value or 0.0 for value in named]).reshape(2, 2)
    return matrix_from_text(parameters.value_matrix, rows.classes)


def _classification_summary(found: Findings, rows: Outcomes) -> str:
    by_name = {one.metric: one for one in found.measurements if not one.scope}
    accuracy = by_name["accuracy"]
    counts = np.bincount(rows.truth, weights=rows.weights, minlength=len(rows.classes))
    text = f"The model is right in {percent(accuracy.value or 0.0)} of {rows.n_rows:,} rows"
    if accuracy.interval is not None:
        text += f" ({percent(accuracy.interval[0])} to {percent(accuracy.interval[1])})"
    commonest = rows.classes[int(np.argmax(counts))]
    text += f"; always saying {commonest!r} would be right in {percent(float(counts.max() / counts.sum()))}."
    area = by_name["roc_auc"]
    if area.value is not None and rows.positive is not None:
        text += f" It puts a positive row before a negative one in {percent(area.value)} of all pairs."
    return text


def _regression_summary(found: Findings, n_rows: int) -> str:
    by_name = {one.metric: one for one in found.measurements}
    typical, bias = by_name["mean_absolute_error"], by_name["mean_error"]
    text = f"Predictions are off by {quantity(typical.value or 0.0)} on average over {n_rows:,} rows"
    explained = by_name["r2"].value
    if explained is not None:
        text += f" and explain {percent(explained)} of the variance of the target" if explained > 0 else ""
    text += "."
    if bias.interval is not None and bias.value is not None and (bias.interval[0] > 0 or bias.interval[1] < 0):
        text += f" They are too {'high' if bias.value > 0 else 'low'} by {quantity(abs(bias.value))} on average."
    return text


PERFORMANCE = Analysis(
    key="performance",
    title="Performance",
    question="How good are the predictions, and is that good enough?",
    serves=(
        "problem.done",
        "works.solves",
        "works.metrics",
        "predictions.plausible",
        "tests.functional",
    ),
    needs=frozenset({Need.TARGET}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=PerformanceParameters,
    source=(
        "E. B. Wilson, JASA 22, 1927 (rates); E. R. DeLong et al., Biometrics 44, 1988 (area under the ROC curve); "
        "B. Efron, JASA 82, 1987 (BCa intervals); names of the metrics as in scikit-learn"
    ),
    unseen=("data",),
    compute=compute,
)
