"""Is the model better on what it has seen than on what it has not: the declaration of `overfitting`."""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.measuring import Findings
from modelops.analyses.overfitting.capacity import capacity_findings, not_measured
from modelops.analyses.overfitting.gap import Gap, gap_findings, gaps_of, split_of, without_training
from modelops.analyses.overfitting.stages import no_stages, stage_findings, staged_losses
from modelops.analyses.refitting import NO_MODEL, Learner, classes_of, labelled, metric_of
from modelops.analyses.statistics.bootstrap import DRAWS, Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.domain.columns import Task
from modelops.domain.metric_words import metric_name
from modelops.errors import NotMeasured

NO_TRAINING = "No training data was given, so the gap between train and test is not known."
_HEADLINES = ("roc_auc", "balanced_accuracy", "r2")


class OverfittingParameters(Parameters):
    """What a person may set for `overfitting`."""

    rows: int = Field(
        default=5_000,
        ge=100,
        le=200_000,
        description="Rows of each table for the rounds of boosting and for training copies; drawn at random.",
    )
    stages: int = Field(default=50, ge=2, le=500, description="Parts of the rounds of boosting that are looked at.")
    permutations: int = Field(
        default=5, ge=0, le=100, description="Copies of the model that are trained on permuted labels; 0: none."
    )
    threshold: float = Field(
        default=0.5, description="Score from which a row counts as positive, where there is no prediction column."
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=DRAWS, ge=1000, le=20_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: OverfittingParameters, run: Run) -> Computed:
    """Compare training rows with test rows, look at the rounds of boosting, and at what the model can memorise.

    The interval of a gap comes from the intervals of both sides (independent rows). The rise of the loss after the best
    round is measured on the half of the test rows that did not choose the round. Copies of the model are trained on
    permuted labels where its file holds a recipe and training data is given.

    Raises
    ------
    NotMeasured
        If the data has no target, no prediction, or no row with both.
    """
    run.progress(0.05, "Measuring test rows")
    uncertainty = Uncertainty(run.rng(), parameters.draws, parameters.level)
    test = split_of(data, data.data, parameters, uncertainty, seed=run.seed)
    found, gaps, reason = Findings(), [], NO_TRAINING
    if data.train is not None:
        run.progress(0.25, "Measuring training rows")
        try:
            train = split_of(data, data.train, parameters, uncertainty, seed=run.seed)
        except NotMeasured as why:
            reason = f"The training data could not be measured: {why}"
        else:
            gaps = gaps_of(train, test)
            found.add(gap_findings(train, test, gaps, level=parameters.level))
    if not gaps:
        found.measurements += without_training(test, reason, level=parameters.level)
        found.notes.append(reason)
    run.progress(0.5, "Looking at the model")
    of_model, said = _of_model(data, parameters, run)
    found.add(of_model)
    run.progress(1.0, "Done")
    return found.computed(_summary(gaps, reason) + said, dropped=test.dropped)


def _of_model(data: EvaluationData, parameters: OverfittingParameters, run: Run) -> tuple[Findings, str]:
    level = parameters.level
    metric = metric_of(("", "") if data.task is Task.CLASSIFICATION else ())
    if data.model is None:
        found = no_stages(NO_MODEL)
        found.add(not_measured(metric, NO_MODEL))
        return found, ""
    try:
        samples = (data.data,) if data.train is None else (data.data, data.train)
        classes = classes_of(data, samples)
        names = data.model.features
        rows = [labelled(data, sample, names, classes, limit=parameters.rows, seed=run.seed) for sample in samples]
    except NotMeasured as reason:
        found = no_stages(str(reason))
        found.add(not_measured(metric, str(reason)))
        return found, ""
    known = set(classes) <= set(data.model.classes)
    if known:
        loss = metric_name("log_loss" if classes else "mean_squared_error")
        losses = [staged_losses(data.model, part, stages=parameters.stages) for part in rows]
        found, said = stage_findings(losses[1] if len(losses) > 1 else None, losses[0], loss=loss, level=level)
    else:
        found, said = no_stages("The labels hold classes that the model does not know."), ""
    found.notes.append(
        f"Rounds of boosting and copies of the model: at most {parameters.rows:,} rows of each table, drawn at random."
    )
    metric = metric_of(classes)
    if len(rows) == 1 or not parameters.permutations:
        why = "No training data was given, so no copy was trained." if len(rows) == 1 else "It was not asked for."
        found.add(not_measured(metric, why))
        return found, said
    capacity, says = capacity_findings(
        Learner(rows[1].n_rows, data.model),
        rows[1],
        permutations=parameters.permutations,
        rng=run.rng(),
        seed=run.seed,
        level=level,
        progress=lambda done: run.progress(0.6 + 0.39 * done, "Training copies on permuted labels"),
    )
    found.add(capacity)
    return found, said + says


def _summary(gaps: list[Gap], reason: str) -> str:
    if not gaps:
        return f"Overfitting was looked for without training rows. {reason}"
    by_name = {gap.metric: gap for gap in gaps}
    gap = next((by_name[name] for name in _HEADLINES if name in by_name and by_name[name].interval is not None), None)
    if gap is None or gap.interval is None:
        return "Training and test rows could not be compared by any metric without a unit."
    called = metric_name(gap.metric)
    text = f"{called} is {gap.train.first:.3g} on training rows and {gap.test.first:.3g} on test rows"
    low, high = gap.interval
    ends = f"({low:.3g} to {high:.3g})"
    if low > 0:
        return f"{text}: it is better by {gap.value:.3g} {ends} where the model has seen the rows."
    if high < 0:
        return f"{text}: it is even better on rows that the model has not seen, by {-gap.value:.3g}."
    return f"{text}: no more apart than chance explains {ends}."


OVERFITTING = Analysis(
    key="overfitting",
    title="Overfitting",
    question="Is the model much better on rows that it was trained on than on new ones?",
    serves=("works.overfitting",),
    needs=frozenset({Need.TARGET}),
    uses=frozenset({Need.TRAIN, Need.MODEL, Need.TIME}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=OverfittingParameters,
    source=(
        "R. G. Newcombe, Statistics in Medicine 17, 1998, and G. Y. Zou, A. Donner, Statistics in Medicine 27, 2008 "
        "(gap); E. R. DeLong et al., Biometrics 44, 1988 (area under the ROC curve); C. Zhang et al., ICLR 2017 "
        "(permuted labels)"
    ),
    unseen=("data",),
    compute=compute,
)
