"""Should the new model replace the one in use: the declaration of `champion_challenger` and its parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.champion_challenger.champion import champion_answers, model_answers
from modelops.analyses.champion_challenger.churn import churn
from modelops.analyses.champion_challenger.cost import cost_pair
from modelops.analyses.champion_challenger.display import improvements, summary_of
from modelops.analyses.champion_challenger.match import Match
from modelops.analyses.champion_challenger.segments import wins_and_losses
from modelops.analyses.champion_challenger.switching import switch, switch_findings
from modelops.analyses.measuring import Findings
from modelops.analyses.outcomes import outcomes
from modelops.analyses.performance.regression import quantities
from modelops.analyses.side_by_side import (
    Answers,
    Rows,
    class_rows,
    compared,
    improvement_measurements,
    number_rows,
    own_measurements,
    with_adjusted,
)
from modelops.analyses.statistics.bootstrap import DRAWS, Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.analyses.statistics.paired import Pair
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured

DECIDING = {
    Task.CLASSIFICATION: ("balanced_accuracy", "accuracy", "f1", "roc_auc", "log_loss", "brier_score", "cost_per_row"),
    Task.REGRESSION: ("mean_absolute_error", "root_mean_squared_error", "r2", "cost_per_row"),
}


class ChampionChallengerParameters(Parameters):
    """What a person may set for `champion_challenger`."""

    champion_prediction: str = Field(
        default="",
        max_length=200,
        description="Column with the champion's predictions, where its model file is not given.",
        json_schema_extra={"choose": "column"},
    )
    champion_score: str = Field(
        default="",
        max_length=200,
        description="Column with the champion's score of the positive class.",
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
        "cost_per_row",
    ] = Field(
        default="automatic",
        description="Metric that decides; automatic is balanced accuracy, or the mean absolute error.",
    )
    goal: Literal["superiority", "non-inferiority"] = Field(
        default="superiority", description="Whether the challenger must be better, or only not worse by the margin."
    )
    margin: float = Field(
        default=0.01,
        ge=0,
        description="Difference that matters: in the metric; for errors and costs a share of the champion's.",
    )
    cost_true_positive: float = Field(default=0.0, description="Cost of a correct positive decision.")
    cost_false_positive: float = Field(default=1.0, description="Cost of a false alarm.")
    cost_false_negative: float = Field(default=1.0, description="Cost of a missed positive.")
    cost_true_negative: float = Field(default=0.0, description="Cost of a correct negative decision.")
    cost_matrix: str = Field(
        default="",
        max_length=20_000,
        description="Costs for any number of classes: label > prediction = number; separated by semicolons.",
    )
    cost_too_high: float = Field(default=1.0, ge=0, description="Cost of each unit that a prediction is too high.")
    cost_too_low: float = Field(default=1.0, ge=0, description="Cost of each unit that a prediction is too low.")
    segments: tuple[str, ...] = Field(
        default=(),
        description="Columns whose levels are compared one by one; empty: all features and sensitive columns.",
        json_schema_extra={"choose": "column"},
    )
    minimum_rows: int = Field(default=30, ge=5, le=100_000, description="Rows that a segment needs to be judged.")
    change: float = Field(
        default=0.1,
        ge=0,
        le=10,
        description="Change of a predicted quantity that counts, in standard deviations of the target.",
    )
    listed: int = Field(default=50, ge=0, le=1000, description="How many of the most changed rows are listed.")
    threshold: float = Field(
        default=0.5, description="Score from which a row counts as positive, where there is no prediction column."
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=DRAWS, ge=1000, le=20_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: ChampionChallengerParameters, run: Run) -> Computed:
    """Compare the challenger (the model under test) with the champion on the same rows.

    Paired bootstrap, McNemar's test for the accuracy, DeLong's for the area under the ROC curve, the paired t test for
    errors, losses and costs; wins and losses by segment, adjusted for their number and confirmed on the other half of
    the rows; the decisions that change; and what the intervals advise.

    Raises
    ------
    NotMeasured
        If there is no target, no champion, or no row of which both have an answer.
    InvalidInput
        If a column or the metric does not fit the data.
    """
    if data.data.roles.target is None:
        raise NotMeasured("Comparing champion and challenger needs a target column; there is none.")
    metric = DECIDING[data.task][0] if parameters.metric == "automatic" else parameters.metric
    if metric not in DECIDING[data.task]:
        fitting = ", ".join(DECIDING[data.task])
        raise InvalidInput(f"The metric {metric!r} is not for {data.task}; choose one of {fitting}.")
    run.progress(0.05, "Reading labels and predictions")
    rows, challenger, dropped, notes = _rows(data, parameters, run)
    if data.model and data.champion and not (parameters.champion_prediction or parameters.champion_score):
        # Predictions in the table may be the champion's own.
        challenger = model_answers(data.data, rows, data.model, "challenger")
        notes = ("Both models were asked; predictions and scores in the table play no part.", *notes)
    run.progress(0.1, "Asking the champion")
    match, dropped = _match(rows, challenger, champion_answers(data, rows, parameters), dropped)
    found = Findings(notes=[*notes, *([match.how.note] if match.how.note else [])])
    uncertainty = Uncertainty(run.rng(), parameters.draws, parameters.level)
    run.progress(0.3, "Comparing")
    pairs = compared(match.rows, match.challenger, match.champion, uncertainty, how=match.how)
    pairs.append(cost_pair(match, parameters, uncertainty))
    level = parameters.level
    for model, answers in (("challenger", match.challenger), ("champion", match.champion)):
        own = pairs
        if answers.scores is not None and (match.challenger.scores is None or match.champion.scores is None):
            # The other has no scores to compare with, these have a quality of their own.
            own = [*compared(match.rows, answers, answers, uncertainty, how=match.how), pairs[-1]]
        found.measurements += own_measurements(own, {"model": model}, level=level, second=model == "champion")
    found.measurements += with_adjusted(improvement_measurements(pairs, {}, level=level))
    run.progress(0.5, "Comparing segments")
    wins = wins_and_losses(
        data.data,
        match,
        parameters.segments,
        minimum=parameters.minimum_rows,
        level=level,
        progress=lambda done: run.progress(0.5 + 0.4 * done, "Comparing segments"),
    )
    changes = churn(match, change=parameters.change, listed=parameters.listed, level=level)
    deciding = next((pair for pair in pairs if pair.metric == metric), Pair(metric, 0))
    verdict = switch(
        deciding,
        margin=parameters.margin,
        non_inferiority=parameters.goal == "non-inferiority",
        losses=wins.confirmed_losses,
        level=level,
    )
    found.curves.append(improvements(pairs))
    found.add(switch_findings(verdict, deciding, margin=parameters.margin, goal=parameters.goal))
    found.add(wins.found)
    found.add(changes)
    run.progress(1.0, "Done")
    return found.computed(summary_of(deciding, verdict, found.measurements), dropped=dropped)


def _rows(
    data: EvaluationData, parameters: ChampionChallengerParameters, run: Run
) -> tuple[Rows, Answers, dict[str, int], tuple[str, ...]]:
    if data.task is Task.REGRESSION:
        usable = quantities(data.data)
        return *number_rows(usable, data.data, seed=run.seed), usable.dropped, ()
    labelled = outcomes(data, threshold=parameters.threshold).labelled()
    if not labelled.n_rows:
        raise NotMeasured("No row has both a label and a prediction.")
    if labelled.positive is not None:
        labelled = labelled.one_against_rest(labelled.positive)
    return *class_rows(labelled, data.data, seed=run.seed), labelled.dropped, labelled.notes


def _match(rows: Rows, challenger: Answers, champion: Answers, dropped: dict[str, int]) -> tuple[Match, dict[str, int]]:
    both = champion.answered() & challenger.answered()
    if left := int((~both).sum()):
        dropped = {**dropped, "the champion has no answer": left}
    rows, challenger, champion = rows.taken(both), challenger.taken(both), champion.taken(both)
    if not rows.n_rows or (rows.weights is not None and not rows.weights.any()):
        raise NotMeasured("No row with a weight above zero has a label and an answer of both models.")
    return Match(rows, challenger, champion, rows.weighting(rows.gain(challenger, champion))), dropped


CHAMPION_CHALLENGER = Analysis(
    key="champion_challenger",
    title="Champion and challenger",
    question="Should the new model replace the one in use, and who would notice?",
    serves=("monitoring.switching",),
    needs=frozenset({Need.TARGET}),
    uses=frozenset({Need.CHAMPION, Need.MODEL, Need.FEATURES, Need.SENSITIVE, Need.TIME}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=ChampionChallengerParameters,
    source=(
        "Q. McNemar, Psychometrika 12, 1947, and T. Tango, Statistics in Medicine 17, 1998 (accuracy); E. R. DeLong et "
        "al., Biometrics 44, 1988 (area under the ROC curve); Y. Benjamini and Y. Hochberg 1995 (segments); S. Yan et "
        "al., Positive-congruent training, CVPR 2021 (flips)"
    ),
    unseen=("data",),
    compute=compute,
)
