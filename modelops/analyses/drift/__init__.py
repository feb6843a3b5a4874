"""Has the data moved since the reference: column by column, in the model's outputs, and in all columns together.

Each column is read, compared and forgotten, two at a time; `columns` compares one, `findings` judges a
family of them, `classifier` looks at all features at once, `measurements` and `display` show what was
found, `run` walks through it all. This module only declares: it is imported wherever analyses are listed.
"""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.domain.columns import Task
from modelops.domain.inventory import DatasetRole
from modelops.errors import NotMeasured


class DriftParameters(Parameters):
    """How drift is looked for, and from where on a change counts in the share of drifted features."""

    domain_classifier: bool = Field(
        default=True, description="Whether to train a classifier that tries to tell current rows from the reference."
    )
    alpha: float = Field(
        default=0.05, gt=0, lt=0.5, description="False alarms accepted among the columns that are reported as changed."
    )
    margin: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Least effect (K-S statistic or Cramér's V, 0 to 1) from which a real change of values matters.",
    )
    missing_margin: float = Field(
        default=0.05, ge=0, le=1, description="Least change of the missing share from which a real change matters."
    )
    rows: int = Field(
        default=50_000,
        ge=200,
        le=1_000_000,
        description="Rows of each table that the domain classifier gets at most; drawn at random.",
    )
    minimum_rows: int = Field(
        default=30, ge=5, le=100_000, description="Values that a column needs on each side to be tested."
    )
    bins: int = Field(default=10, ge=2, le=100, description="Bins of equal reference mass for the stability index.")
    importance: tuple[str, ...] = Field(
        default=(),
        max_length=10_000,
        description="What matters to the model, as column=weight; empty: asked of the model, if one is given.",
    )
    rehearsals: int = Field(
        default=0,
        ge=0,
        le=2_000,
        description="Random splits of the reference on which the thresholds are rehearsed: how often they would alarm"
        " where nothing has moved. 200 tell 5 % from 10 %.",
    )
    rehearsal_rows: int | None = Field(
        default=None,
        ge=30,
        le=1_000_000,
        description="Rows of a batch in the rehearsal; those of the data if it is not set, at most half the reference.",
    )
    overlays: int = Field(
        default=8, ge=0, le=100, description="Features whose two distributions are drawn, the largest changes first."
    )


def drift(data: EvaluationData, parameters: DriftParameters, run: Run) -> Computed:
    """Compare ``data.data`` with ``data.reference``.

    Numbers are compared by the two-sample Kolmogorov-Smirnov test, categories by the chi-squared test of homogeneity,
    missing values by two proportions; p-values are adjusted over the features (and apart from them over prediction,
    scores and target) by Benjamini and Hochberg. Where both tables have a time column, p-values are corrected for
    autocorrelated rows. Nothing is judged: ``alpha`` and the margins enter the share of drifted features and the
    sentence alone.

    Raises
    ------
    NotMeasured
        If there is no reference, or a table has no rows, or there is no column to compare.
    InvalidInput
        If ``importance`` cannot be read.
    """
    reference = data.reference
    if reference is None:
        raise NotMeasured("No reference table is given: drift is measured against one.")
    if not (reference.n_rows and data.data.n_rows):
        raise NotMeasured("One of the tables has no rows: there is nothing to compare.")
    from modelops.analyses.drift.run import Comparing

    return Comparing(data, data.data, reference, parameters, run).computed()


DRIFT = Analysis(
    key="drift",
    title="Drift",
    question="Has the data moved since the reference: in single columns, in the predictions, in all columns together?",
    serves=("monitoring.input_drift", "monitoring.prediction_drift", "monitoring.domain_classifier", "use.real_world"),
    needs=frozenset({Need.REFERENCE}),
    tasks=frozenset(Task),
    parameters=DriftParameters,
    source=(
        "N. Smirnov 1948 and W. G. Cochran 1954 (tests); P. Massart 1990 (interval); Y. Benjamini and Y. Hochberg 1995"
        " (many columns); B. Yurdakul and J. Naranjo 2020 (stability index); D. Lopez-Paz and M. Oquab 2017 (domain"
        " classifier)"
    ),
    looks_at=(DatasetRole.PRODUCTION, DatasetRole.TEST, DatasetRole.TRAIN, DatasetRole.REFERENCE),
    # Model, target, predictions and times are looked at where they are there.
    uses=frozenset({Need.MODEL, Need.TIME, Need.TARGET, Need.PREDICTION, Need.SCORE}),
    compute=drift,
)
