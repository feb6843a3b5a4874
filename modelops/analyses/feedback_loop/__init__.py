"""Does the model shape the data that it is judged by and will be trained on.

Four ways in which it can: outcomes become known only where it said yes, features are made from what it said earlier,
what it shows or grants drifts by itself, and nobody is ever decided otherwise than it says. The last figure is what a
hold-out would cost that answers what the loop hides.
"""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.domain.columns import Task
from modelops.domain.inventory import DatasetRole


class FeedbackLoopParameters(Parameters):
    """How decisions are read, and what a hold-out should be able to show."""

    decision_threshold: float | None = Field(
        default=None,
        description="Score from which the model says yes; empty: the one that fits the decisions in the table best.",
    )
    exploration_column: str = Field(
        default="",
        description="Column that marks rows which were decided at random (1, true or yes), if there is one.",
        json_schema_extra={"choose": "column"},
    )
    periods: int = Field(default=10, ge=2, le=100, description="Periods of about equal rows in which time is cut.")
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="False alarms accepted by the planned comparison.")
    power: float = Field(default=0.8, gt=0.5, lt=1, description="How surely a hold-out should find the difference.")
    precision: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="How well the outcome of those who are refused should be known: half the width of its interval.",
    )
    detectable_difference: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="The difference of the rate of positive outcomes that a hold-out should find.",
    )
    detectable_effect: float = Field(
        default=0.2,
        gt=0,
        le=5,
        description="The same for regression, in standard deviations of the target.",
    )


def feedback_loop(data: EvaluationData, parameters: FeedbackLoopParameters, run: Run) -> Computed:
    """Look for traces of the model's own decisions in ``data.data``.

    Rows without a label are kept: which ones they are is what is measured. Earlier scores are those of the same
    entity's row before, so they need an id that repeats and a time; what is missing is said for each measurement.

    Raises
    ------
    NotMeasured
        If no row has a prediction.
    InvalidInput
        If ``exploration_column`` is not in the table.
    """
    from modelops.analyses.feedback_loop.run import Looking

    return Looking(data, parameters, run).computed()


FEEDBACK_LOOP = Analysis(
    key="feedback_loop",
    title="Feedback loop",
    question="Does the model influence the data that it is judged by, and what would show it?",
    serves=("monitoring.feedback_loops",),
    needs=frozenset({Need.PREDICTION}),
    # Labels, scores, times and features are looked at where they are there.
    uses=frozenset({Need.TARGET, Need.SCORE, Need.TIME, Need.FEATURES}),
    tasks=frozenset(Task),
    parameters=FeedbackLoopParameters,
    source=(
        "H. Lakkaraju et al. 2017 (selective labels); D. Sculley et al. 2015 (hidden feedback loops); E. R. DeLong et"
        " al. 1988 (area under the curve); E. C. Fieller et al. 1957 (rank correlation); Y. Benjamini and Y. Hochberg"
        " 1995; J. Cohen 1988 (sample size)"
    ),
    looks_at=(DatasetRole.PRODUCTION, DatasetRole.TEST, DatasetRole.TRAIN, DatasetRole.REFERENCE),
    compute=feedback_loop,
)
