"""Is the model better than simple methods: the declaration of `baseline` and its parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.baseline.contest import contest_of_classes, contest_of_numbers
from modelops.analyses.baseline.display import charts, summary_of, table_of
from modelops.analyses.baseline.results import results_of
from modelops.analyses.statistics.bootstrap import DRAWS, Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured

HEADLINES = {
    Task.CLASSIFICATION: ("balanced_accuracy", "accuracy", "f1", "roc_auc", "log_loss", "brier_score"),
    Task.REGRESSION: ("mean_absolute_error", "root_mean_squared_error", "r2"),
}


class BaselineParameters(Parameters):
    """What a person may set for `baseline`."""

    columns: tuple[str, ...] = Field(
        default=(),
        description="Columns with the predictions of a rule or an earlier method.",
        json_schema_extra={"choose": "column"},
    )
    metric: Literal[
        "automatic",
        "balanced_accuracy",
        "accuracy",
        "f1",
        "roc_auc",
        "log_loss",
        "brier_score",
        "mean_absolute_error",
        "root_mean_squared_error",
        "r2",
    ] = Field(
        default="automatic",
        description="Metric that decides; automatic is balanced accuracy, or the mean absolute error.",
    )
    margin: float = Field(
        default=0.02,
        ge=0,
        description="Improvement that is worth a model: in the metric; for an error, as a share of the baseline's.",
    )
    linear: bool = Field(default=True, description="Whether to train a linear model on the features.")
    rows: int = Field(default=50_000, ge=100, le=1_000_000, description="Rows that the linear model is trained on.")
    threshold: float = Field(
        default=0.5, description="Score from which a row counts as positive, where the table has no prediction column."
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=DRAWS, ge=1000, le=20_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: BaselineParameters, run: Run) -> Computed:
    """Hold the model's predictions against simple methods, on the same rows.

    Baselines: always the commonest class, guessing by the shares of the classes, the last value in time; the mean, the
    median; a linear model on the features; columns with the predictions of another method. Each is compared on the rows
    where both have an answer: paired bootstrap, McNemar's test for the accuracy, DeLong's for the area under the ROC
    curve, the paired t test for errors and losses; p-values adjusted over baselines and metrics.

    Raises
    ------
    NotMeasured
        If there is no target, no prediction, or no row with both.
    InvalidInput
        If a column or the metric does not fit the data.
    """
    if data.data.roles.target is None:
        raise NotMeasured("Comparing with baselines needs a target column; there is none.")
    metric = HEADLINES[data.task][0] if parameters.metric == "automatic" else parameters.metric
    if metric not in HEADLINES[data.task]:
        fitting = ", ".join(HEADLINES[data.task])
        raise InvalidInput(f"The metric {metric!r} is not for {data.task}; choose one of {fitting}.")
    run.progress(0.05, "Reading labels and predictions")
    make = contest_of_classes if data.task is Task.CLASSIFICATION else contest_of_numbers
    contest = make(data, parameters, run)
    uncertainty = Uncertainty(run.rng(), parameters.draws, parameters.level)
    run.progress(0.7, "Comparing")
    found, results = results_of(contest, metric, parameters.margin, uncertainty, run)
    found.tables.append(table_of(results, metric, parameters.margin))
    found.curves += charts(results, metric)
    run.progress(1.0, "Done")
    return found.computed(summary_of(results, metric, parameters.margin, contest.rows.n_rows), dropped=contest.dropped)


BASELINE = Analysis(
    key="baseline",
    title="Baseline",
    question="Is the model better than simple methods, and by enough to be worth it?",
    serves=("problem.ml_needed", "baseline.starting_point", "baseline.metrics"),
    needs=frozenset({Need.TARGET}),
    uses=frozenset({Need.FEATURES, Need.TRAIN, Need.TIME}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=BaselineParameters,
    source=(
        "Q. McNemar, Psychometrika 12, 1947, and T. Tango, Statistics in Medicine 17, 1998 (accuracy); E. R. DeLong et "
        "al., Biometrics 44, 1988 (area under the ROC curve); B. Efron, JASA 82, 1987 (bootstrap); Y. Benjamini and "
        "Y. Hochberg 1995 (many comparisons)"
    ),
    unseen=("data",),
    compute=compute,
)
