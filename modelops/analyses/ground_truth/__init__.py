"""How good have the predictions been since they are used: the declaration of `ground_truth` and its parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.statistics.intervals import LEVEL
from modelops.domain.columns import Task
from modelops.domain.inventory import DatasetRole


class GroundTruthParameters(Parameters):
    """What a person may set for `ground_truth`."""

    period: Literal["rows", "day", "week", "month", "quarter", "year"] = Field(
        default="rows", description="Calendar periods, or parts of equally many rows in the order of time."
    )
    rows_per_period: int | None = Field(
        default=None, ge=10, description="Rows of a part; empty: a twelfth of all rows, at least 100."
    )
    metric: Literal[
        "automatic",
        "accuracy",
        "balanced_accuracy",
        "f1",
        "roc_auc",
        "brier_score",
        "log_loss",
        "mean_absolute_error",
        "root_mean_squared_error",
    ] = Field(
        default="automatic",
        description="What is held against the reference; automatic: ROC AUC, accuracy or mean absolute error.",
    )
    fewest_labels: int = Field(
        default=30, ge=2, description="Labels that a period needs for its metrics to be measured."
    )
    label_time: str | None = Field(
        default=None,
        description="Column with the time at which each label came.",
        json_schema_extra={"choose": "column"},
    )
    label_days: float | None = Field(
        default=None,
        ge=0,
        description="Days after which a label should have come; empty: when nine in ten have, if that is known.",
    )
    value_matrix: str = Field(
        default="",
        max_length=20_000,
        description="Business value: label > prediction = number; separated by semicolons.",
    )
    cost_over: float | None = Field(default=None, description="Regression: cost of a prediction too high by one unit.")
    cost_under: float | None = Field(default=None, description="Regression: cost of a prediction too low by one unit.")
    rows: int = Field(
        default=50_000,
        ge=200,
        le=1_000_000,
        description="Rows that are sampled to learn the loss, and to tell labelled from unlabelled rows.",
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of intervals and bands.")


def compute(data: EvaluationData, parameters: GroundTruthParameters, run: Run) -> Computed:
    """Measure predictions over time: against labels where they have come, by estimates where not.

    Every metric by period with its interval. One metric is held against the reference: the band that all periods stay
    in, if nothing has changed, from the sampling error of the reference for so many rows; p-values are one-sided and
    adjusted for the number of periods (Holm). Trend: Mann-Kendall and Theil-Sen. Labels: coverage, delay
    (Kaplan-Meier), and whether labelled rows are like the others. Estimates: CBPE for classes, DLE for quantities, with
    the share of rows out of the reference's support, and the error that they turned out to have.

    Raises
    ------
    NotMeasured
        If there is no time column, or no row has a time and a prediction.
    InvalidInput
        If parameters do not fit the table.
    """
    from modelops.analyses.ground_truth.study import Study

    return Study(data, parameters, run).computed()


GROUND_TRUTH = Analysis(
    key="ground_truth",
    title="Ground truth",
    question="How good have the predictions been over time, and what is to be expected where labels have not come yet?",
    serves=("monitoring.ground_truth", "use.real_world"),
    needs=frozenset({Need.TIME}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=GroundTruthParameters,
    source=(
        "S. Holm, Scandinavian Journal of Statistics 6, 1979 (repeated looks); H. B. Mann, Econometrica 13, 1945, and "
        "P. K. Sen, JASA 63, 1968 (trend); E. L. Kaplan, P. Meier, JASA 53, 1958 (delay); J. Bialek et al., 2024 "
        "(confidence-based estimates)"
    ),
    unseen=("data", "reference"),
    compute=compute,
    uses=frozenset({Need.TARGET, Need.PREDICTION, Need.SCORE, Need.FEATURES, Need.REFERENCE}),
    looks_at=(DatasetRole.PRODUCTION, DatasetRole.TEST, DatasetRole.TRAIN, DatasetRole.REFERENCE),
)
