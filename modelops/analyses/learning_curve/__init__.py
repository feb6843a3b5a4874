"""What more labels would bring: the declaration of `learning_curve` and its parameters."""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.learning_curve.curve import learning_curve
from modelops.analyses.learning_curve.display import findings, summary_of
from modelops.analyses.learning_curve.training import scores_of, sizes_of, split_of
from modelops.analyses.refitting import NO_MODEL, Learner, metric_of
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.domain.columns import Task
from modelops.errors import NotMeasured


class LearningCurveParameters(Parameters):
    """What a person may set for `learning_curve`."""

    rows: int = Field(
        default=20_000, ge=40, le=500_000, description="Rows to train on at most; drawn at random where there are more."
    )
    test_rows: int = Field(default=5_000, ge=20, le=50_000, description="Rows to score on at most; drawn at random.")
    repeats: int = Field(default=5, ge=2, le=50, description="Orders of the rows; each is cut into nested parts.")
    points: int = Field(default=7, ge=3, le=15, description="Numbers of rows: all, half, a quarter and so on.")
    margin: float = Field(
        default=0.005, gt=0, le=1, description="Rise of the score that would be worth twice as many labels."
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=1000, ge=1000, le=10_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: LearningCurveParameters, run: Run) -> Computed:
    """Train on more and more rows, score on others, and extrapolate by a power law.

    Untrained copies of the model are trained where its file holds a recipe, otherwise histogram gradient boosting. Each
    repeat takes the rows in another order; its parts are nested and keep the shares of the classes. Test rows and
    repeats are resampled together for every interval. Score: area under the ROC curve for two classes, balanced
    accuracy for more, R2 for quantities.

    Raises
    ------
    NotMeasured
        If there is no target, no feature, only one class, or too few rows.
    """
    if data.data.roles.target is None:
        raise NotMeasured("A learning curve needs a target column; there is none.")
    run.progress(0.02, "Reading the rows")
    split = split_of(data, parameters, seed=run.seed)
    sizes = sizes_of(split, points=parameters.points)
    run.progress(0.05, "Training")
    scores = scores_of(
        split,
        Learner(split.pool.n_rows, data.model),
        sizes,
        repeats=parameters.repeats,
        seed=run.seed,
        progress=lambda done: run.progress(0.05 + 0.85 * done, "Training on more and more rows"),
    )
    curve = learning_curve(
        scores, Uncertainty(run.rng(), parameters.draws, parameters.level), entities=split.test.entities
    )
    metric = metric_of(split.pool.classes)
    found = findings(curve, metric, margin=parameters.margin)
    found.notes += [split.note, *scores.notes]
    if data.model is None:
        found.notes.append(f"{NO_MODEL} So {scores.learner.called} was trained; the model itself may learn otherwise.")
    found.notes.append(
        f"{split.pool.n_rows:,} rows to train on, {split.test.n_rows:,} to score on, {parameters.repeats} repeats. "
        "Intervals hold for these test rows' population and the power law, not for other shapes of the curve."
    )
    run.progress(1.0, "Done")
    lost = split.test.without_target
    dropped = {"the target is missing or infinite": lost} if lost else {}
    return found.computed(summary_of(curve, metric, margin=parameters.margin), dropped=dropped)


LEARNING_CURVE = Analysis(
    key="learning_curve",
    title="Learning curve",
    question="What would more labels bring, and is the sample large enough?",
    serves=("data.label_effort", "data.size"),
    needs=frozenset({Need.TARGET, Need.FEATURES}),
    uses=frozenset({Need.TRAIN, Need.MODEL, Need.TIME}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=LearningCurveParameters,
    source=(
        "C. Cortes et al., NIPS 1993, and T. Viering, M. Loog, IEEE TPAMI 45, 2023 (power law); E. R. DeLong et al., "
        "Biometrics 44, 1988 (area under the ROC curve); B. Efron, JASA 82, 1987 (bootstrap)"
    ),
    compute=compute,
)
