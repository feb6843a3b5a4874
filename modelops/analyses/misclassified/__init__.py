"""Which cases people should read: the model's mistakes, queued by how sure it was, by cost, or by doubt in the label.

The result holds row numbers, outcomes and scores. The values of the rows are handed out apart from it (`cases`), for
the page on which people say of each case who was wrong: the model, the label, the data, or nobody.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.misclassified.amounts import Errors
from modelops.analyses.misclassified.classes import Mistakes
from modelops.analyses.misclassified.queue import FIRST_COLUMNS, cases, first_by, row_keys, row_number
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.performance.regression import quantities
from modelops.analyses.performance.value import matrix_from_text
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.domain.columns import Task
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Measurement, ResultTable
from modelops.errors import InvalidInput, NotMeasured

_ORDERS = {
    "confidence": "the surest first",
    "cost": "the most costly first",
    "label_suspicion": "those whose label is most in doubt first",
    "random": "drawn at random",
}

Numbers = NDArray[np.float64]


class MisclassifiedParameters(Parameters):
    """What a person may set for `misclassified`."""

    order: Literal["confidence", "cost", "label_suspicion", "random"] = Field(
        default="confidence",
        description=(
            "Which mistakes come first: the surest (of a regression the largest), the most costly, those with a "
            "doubtful label; or a random sample, from which all mistakes can be judged."
        ),
    )
    rows: int = Field(default=100, ge=5, le=1_000, description="Length of the queue.")
    threshold: float = Field(
        default=0.5, description="Score from which a row counts as positive, where the table has no prediction column."
    )
    cost_false_positive: float = Field(
        default=1.0,
        ge=0,
        description="Cost of a false alarm; of a regression, of each unit that a prediction is too high.",
    )
    cost_false_negative: float = Field(
        default=1.0,
        ge=0,
        description="Cost of a missed positive; of a regression, of each unit that a prediction is too low.",
    )
    cost_matrix: str = Field(
        default="",
        max_length=20_000,
        description="Costs for any number of classes: label > prediction = number; separated by semicolons.",
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")


# Infinite and huge values overflow on the way; what is not finite in the end is handed back as not measured.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def compute(data: EvaluationData, parameters: MisclassifiedParameters, run: Run) -> Computed:
    """Queue the mistakes, or of a regression the largest errors.

    Doubt in a label is ordered by how much the model speaks for another class, each score measured by its mean on rows
    labelled so. A label is suspected only where it is more likely wrong than right: see `label_noise`. Cases that rank
    alike are ordered by content and seed.

    Raises
    ------
    NotMeasured
        If there is no target, no prediction, or no row with both.
    InvalidInput
        If the costs do not fit the classes.
    """
    if data.data.roles.target is None:
        raise NotMeasured("Finding mistakes needs a target column; there is none.")
    run.progress(0.0, "Reading labels and predictions")
    if data.task is Task.REGRESSION:
        rows = quantities(data.data)
        uncertainty = Uncertainty(run.rng(), level=parameters.level)
        errors = Errors(rows, parameters.cost_false_positive, parameters.cost_false_negative, uncertainty)
        found, queue = _queued(data, errors, rows.rows, [rows.truth, rows.predicted], parameters, run)
        share = _queued_error(errors, queue)
        found.measurements += _queue_measurements(queue, share, rows.n_rows, "Every prediction is exactly right.")
        summary = _regression_summary(found, queue, share, parameters.order)
        return found.computed(summary, dropped=rows.dropped, cases=cases(data, queue))
    labelled = outcomes(data, threshold=parameters.threshold).labelled()
    if not labelled.n_rows or (labelled.weights is not None and not labelled.weights.any()):
        raise NotMeasured("No row has a label, a prediction and a weight above zero.")
    mistakes = Mistakes(labelled, _costs(labelled, parameters), parameters.level)
    parts = [labelled.truth.astype(np.float64), labelled.predicted.astype(np.float64)]
    parts += [] if labelled.scores is None else list(labelled.scores.T)
    found, queue = _queued(data, mistakes, labelled.rows, parts, parameters, run)
    n_wrong = int(mistakes.wrong.sum())
    share = len(queue.rows) / n_wrong if n_wrong else None
    found.measurements += _queue_measurements(queue, share, n_wrong, "No prediction is wrong.")
    found.notes += labelled.notes
    summary = _classification_summary(mistakes, n_wrong, len(queue.rows), parameters.order)
    return found.computed(summary, dropped=labelled.dropped, cases=cases(data, queue))


def _queued(
    data: EvaluationData,
    subject: Mistakes | Errors,
    rows: NDArray[np.intp],
    parts: list[Numbers],
    parameters: MisclassifiedParameters,
    run: Run,
) -> tuple[Findings, ResultTable]:
    run.progress(0.3, "Finding the mistakes")
    found = subject.findings()
    run.progress(0.6, "Ordering the queue")
    keys = row_keys(data.data, rows, parts, seed=run.seed)
    rank, note = subject.rank(parameters.order, keys)
    places = [place for place in first_by(rank, keys, parameters.rows) if not np.isnan(rank[place])]
    order = parameters.order if note is None else "random"
    queue = ResultTable(
        name="queue",
        title=f"Cases to read, {_order_words(order, is_regression=data.task is Task.REGRESSION)}",
        columns=(*FIRST_COLUMNS, *subject.table_columns()),
        rows=tuple((row_number(rows[place]), *subject.cells(int(place))) for place in places),
        note="Row 1 is the first row of the table. The values of the rows are not part of this result.",
    )
    found.tables.append(queue)
    found.notes += [note] if note else []
    return found, queue


def _queue_measurements(queue: ResultTable, share: float | None, size: int, otherwise: str) -> list[Measurement]:
    return [
        measured("queue_length", float(len(queue.rows)), size=size),
        measured("queued_error_share", share, size=size, otherwise=otherwise),
    ]


def _queued_error(errors: Errors, queue: ResultTable) -> float | None:
    total = float(errors.size.sum())
    place = {int(row): k for k, row in enumerate(errors.rows.rows)}
    mine = sum(float(errors.size[place[int(row[0]) - 1]]) for row in queue.rows if isinstance(row[0], int))
    return mine / total if total > 0 else None


def _costs(rows: Outcomes, parameters: MisclassifiedParameters) -> Numbers:
    matrix = matrix_from_text(parameters.cost_matrix, rows.classes)
    if matrix is not None:
        if (matrix < 0).any():
            raise InvalidInput("A cost in 'cost_matrix' is negative; costs are 0 or more.")
        return matrix
    costs = np.ones((len(rows.classes), len(rows.classes)))
    np.fill_diagonal(costs, 0)
    if rows.positive is not None:
        costs[1 - rows.positive, rows.positive] = parameters.cost_false_positive
        costs[rows.positive, 1 - rows.positive] = parameters.cost_false_negative
    return costs


def _order_words(order: str, *, is_regression: bool) -> str:
    return "the largest errors first" if is_regression and order == "confidence" else _ORDERS[order]


def _classification_summary(mistakes: Mistakes, n_wrong: int, queued: int, order: str) -> str:
    n = mistakes.rows.n_rows
    if not n_wrong:
        return f"None of {n:,} predictions is wrong, so there is nothing to read."
    text = f"The model is wrong in {n_wrong:,} of {n:,} rows ({percent(n_wrong / n)}); "
    text += f"{queued:,} of these are queued for reading, {_ORDERS[order]}." if queued else "none is queued."
    if mistakes.suspected is not None and (count := int(mistakes.suspected.sum())):
        text += f" In {count:,} of the mistakes the label is more likely wrong than the model."
    return text


def _regression_summary(found: Findings, queue: ResultTable, share: float | None, order: str) -> str:
    mean = next(one for one in found.measurements if one.metric == "mean_absolute_error")
    if share is None:
        return "Every prediction is exactly right, so there is nothing to read."
    return (
        f"Predictions are off by {quantity(mean.value or 0.0)} on average; {len(queue.rows):,} cases are queued for "
        f"reading, {_order_words(order, is_regression=True)}. They hold {percent(share)} of all error."
    )


MISCLASSIFIED = Analysis(
    key="misclassified",
    title="Misclassified cases",
    question="Which cases does the model get wrong, and which of them should people read first?",
    serves=("predictions.misclassified",),
    needs=frozenset({Need.TARGET}),
    uses=frozenset({Need.SCORE, Need.FEATURES}),
    tasks=frozenset(Task),
    parameters=MisclassifiedParameters,
    source=(
        "C. Northcutt, L. Jiang, I. Chuang, Confident learning, JAIR 70, 2021 (order by doubt); D. Angluin, P. Laird, "
        "Machine Learning 2, 1988 (labels wrong at random); E. B. Wilson, JASA "
        "22, 1927 (rates); E. R. DeLong et al., Biometrics 44, 1988 (how well scores tell mistakes)"
    ),
    unseen=("data",),
    compute=compute,
)
