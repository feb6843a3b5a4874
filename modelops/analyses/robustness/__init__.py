"""How the model behaves on input that it should not get, or gets seldom, and what a guard around it would do.

Every scenario is tried on the same rows (`scenarios`), each in one column and some in all; what came of it is counted
(`outcomes`). `adversarial` searches the smallest plausible change that turns an answer, `guard` simulates catching
unusual rows. Nothing here says what is good enough: a refusal may be right, and an extreme value may rightly turn an
answer.
"""

from __future__ import annotations

import numpy as np

from modelops.analyses.asked import ROUNDING, Asked, Numbers, asked, finite_rows
from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Run
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.robustness.adversarial import Turned, turned
from modelops.analyses.robustness.display import adversarial_findings, summary, trial_findings
from modelops.analyses.robustness.guard import simulate, truth_range
from modelops.analyses.robustness.outcomes import Questioner, Ruler
from modelops.analyses.robustness.parameters import RobustnessParameters
from modelops.analyses.robustness.scenarios import SINGLE, trials
from modelops.domain.columns import Task
from modelops.domain.number_words import quantity
from modelops.errors import InvalidInput, NotMeasured, WorkerFailed

_TRIALS_PER_FEATURE = 20


# Infinite and huge values are what is asked about here.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def withstand(data: EvaluationData, parameters: RobustnessParameters, run: Run) -> Computed:
    """Try unusual input on ``data.model``.

    Returns
    -------
    Computed
        For each scenario, in one feature or in all: whether the model refuses it, and the shares of rows with answers
        that are no numbers, out of range, or other ones than for the unchanged rows (0: the model does not mind).

    Raises
    ------
    NotMeasured
        If there is no model, or it answers no row with a number.
    InvalidInput
        If the table lacks a column of the model, or the model refuses the rows as they are.
    """
    run.progress(0.0, "asking about the rows as they are")
    subject, base, dropped = _usable(asked(data, limit=parameters.rows, seed=run.seed))
    ruler, notes = _ruler(data, base, parameters)
    features = subject.model.features[: parameters.features]
    questioner = Questioner(subject, ruler)
    outcomes = [questioner.one_by_one(SINGLE, parameters.single_rows)]
    expected = len(features) * _TRIALS_PER_FEATURE + 12
    for one in questioner.outcomes(trials(subject.rows, features, run.rng())):
        outcomes.append(one)
        where = f" in {one.feature}" if one.feature else ""
        run.progress(0.02 + 0.58 * min(len(outcomes) / expected, 1), f"{one.scenario}{where}")
    findings = trial_findings(outcomes, ruler, unit="score" if subject.model.classes else "prediction")
    findings.notes += [*subject.notes, *notes, *dropped, _HOW]
    if len(features) < len(subject.model.features):
        left = len(subject.model.features) - len(features)
        findings.notes.append(
            f"{left} more features were not spoiled one by one, nor changed in the search; see the parameter features."
        )
    found: tuple[Turned, ...] = ()
    why = ""
    try:
        found = turned(
            subject,
            ruler,
            features,
            rows=parameters.adversarial_rows,
            at_once=parameters.adversarial_features,
            progress=lambda fraction, text: run.progress(0.6 + 0.2 * fraction, text),
        )
    except (InvalidInput, WorkerFailed) as reason:
        why = f"The model would not answer: {reason}"
    has_scores = bool(subject.model.classes)
    findings.add(adversarial_findings(found, why, small=parameters.adversarial_distance, has_scores=has_scores))
    run.progress(0.8, "trying the guard")
    findings.add(_guarded(data, parameters, run))
    run.progress(1.0, "done")
    return findings.computed(summary(outcomes, found, n_rows=subject.n_rows), dropped={})


_HOW = (
    "Minimum and maximum are those of the rows tried; where the minimum is not negative, the maximum with its sign "
    "turned is multiplied in its place. Noise keeps whole numbers whole. Each column is swapped with the next one of "
    "its kind."
)


def _guarded(data: EvaluationData, parameters: RobustnessParameters, run: Run) -> Findings:
    subject = asked(data, limit=parameters.guard_rows, seed=run.seed)
    bounds = truth_range(data, margin=parameters.range_margin)
    try:
        answers = np.asarray(subject.model.answers(subject.rows), dtype=np.float64)
    except (InvalidInput, WorkerFailed) as reason:
        why = f"The model would not answer the rows: {reason}"
        return Findings([measured("guard_hit_rate", None, size=0, scope={"guard": "any"}, otherwise=why)])
    return simulate(data, subject, answers, parameters, bounds=bounds)


def _usable(subject: Asked) -> tuple[Asked, Numbers, tuple[str, ...]]:
    """Return the rows that the model answers with numbers as they are, with these answers."""
    base = np.asarray(subject.model.answers(subject.rows), dtype=np.float64)
    usable = np.flatnonzero(finite_rows(base))
    if not usable.size:
        raise NotMeasured("The model gives no number for any row as it is, so there is nothing to compare with.")
    if usable.size == len(base):
        return subject, base, ()
    note = f"{len(base) - usable.size:,} rows are left out: the model gives no number for them as they are."
    return subject.taken(usable), base[usable], (note,)


def _ruler(data: EvaluationData, base: Numbers, parameters: RobustnessParameters) -> tuple[Ruler, tuple[str, ...]]:
    if data.task is Task.CLASSIFICATION:
        if base.ndim != 2:
            raise InvalidInput("The task is classification, the model names no classes. Give it as a regression.")
        are_probabilities = bool(base.min() >= 0 and base.max() <= 1)
        low, high = (0.0, 1.0) if are_probabilities else (None, None)
        return Ruler(base, low, high, None), ()
    if base.ndim != 1:
        raise InvalidInput("The task is regression, the model gives scores of classes. Give it as a classification.")
    bounds = truth_range(data, margin=parameters.range_margin)
    low, high = bounds if bounds is not None else (None, None)
    step, note = _step(base, parameters.other_answer)
    return Ruler(base, low, high, step), (note,)


def _step(base: Numbers, deviations: float) -> tuple[float, str]:
    """Return from where on a number is another answer, and say so."""
    largest = float(np.abs(base).max()) or 1.0
    spread = float((base / largest).std()) * largest  # whose squares do not overflow
    if spread <= ROUNDING * largest:
        return ROUNDING * largest, "All rows get the same prediction as they are: one that moves at all is another."
    step = deviations * spread
    return step, f"A prediction that moves by {quantity(step)} or more ({deviations:g} standard deviations) is another."


ROBUSTNESS = Analysis(
    key="robustness",
    title="Robustness",
    question="What does the model do with zeroes, extreme, missing, noisy and wrong input, and would a guard help?",
    serves=("tests.extreme", "preprocessing.missing", "operations.unusual"),
    needs=frozenset({Need.MODEL}),
    uses=frozenset({Need.TARGET, Need.TRAIN, Need.REFERENCE, Need.SENSITIVE}),
    tasks=frozenset(Task),
    parameters=RobustnessParameters,
    source=(
        "E. Breck et al., The ML test score, IEEE Big Data 2017; I. Goodfellow, J. Shlens, C. Szegedy, Explaining and "
        "harnessing adversarial examples, ICLR 2015; W. Brendel, J. Rauber, M. Bethge, Decision-based adversarial "
        "attacks, ICLR 2018; C. K. Chow, On optimum recognition error and reject tradeoff, 1970 (abstaining)"
    ),
    compute=withstand,
)
