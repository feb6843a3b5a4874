"""Which labels are likely wrong, how many there are, and in which order a person should look at them.

`confident` finds wrong classes from scores that did not see the labels, `deviations` targets that lie far from their
prediction, `scoring` makes such scores where none are given; `run` walks through it. This module only declares: it is
imported wherever analyses are listed.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.domain.columns import Task
from modelops.domain.inventory import DatasetRole

Scores = Literal["automatic", "given", "cross-fitted"]


class LabelQualityParameters(Parameters):
    """Which scores the labels are held against, and how long the queue is."""

    scores: Scores = Field(
        default="automatic",
        description="What labels are held against: the scores that were given, those of a classifier of our own that"
        " did not see the row, or (automatic) the second where there are none or they saw most labels.",
    )
    rows: int = Field(
        default=20_000,
        ge=100,
        le=1_000_000,
        description="Rows that a classifier of our own learns and judges at most; drawn at random.",
    )
    queue: int = Field(
        default=200, ge=1, le=5000, description="Rows in the review queue, the most suspicious labels first."
    )
    deviations: float = Field(
        default=5.0,
        gt=1,
        le=100,
        description="Regression: robust standard deviations from the prediction at which a target is suspicious.",
    )
    draws: int = Field(default=200, ge=50, le=10_000, description="Resamples for the intervals and the test.")
    level: float = Field(default=0.95, gt=0.5, lt=1, description="Confidence level of the intervals.")


def label_quality(data: EvaluationData, parameters: LabelQualityParameters, run: Run) -> Computed:
    """Hold the labels of ``data.data`` against scores that did not see them.

    Nothing is judged and no label is changed: the queue is for people.

    Raises
    ------
    NotMeasured
        If no row has a label, or there are neither scores nor features to learn from.
    """
    from modelops.analyses.label_quality.run import Checking

    return Checking(data, parameters, run).computed()


LABEL_QUALITY = Analysis(
    key="label_quality",
    title="Label quality",
    question="Which labels are likely wrong, and how many are there?",
    serves=("data.labels_checked",),
    needs=frozenset({Need.TARGET}),
    tasks=frozenset(Task),
    parameters=LabelQualityParameters,
    source=(
        "C. Northcutt, L. Jiang and I. Chuang 2021 (confident learning); B. Phipson and G. Smyth 2010 (Monte Carlo"
        " p-values); F. Hampel 1974 (median absolute deviation)"
    ),
    uses=frozenset({Need.FEATURES, Need.PREDICTION, Need.SCORE, Need.TRAIN, Need.MODEL}),
    looks_at=(DatasetRole.TEST, DatasetRole.TRAIN, DatasetRole.REFERENCE, DatasetRole.PRODUCTION),
    compute=label_quality,
)
