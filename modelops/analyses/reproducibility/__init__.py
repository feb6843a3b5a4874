"""Does the same give the same: asking again, opening the file again, training again.

`repeats` asks for the same rows in other ways, `trained` trains an untrained copy again where the file holds a recipe
and training data is there. How far answers and quality move with nothing but the seed of training is offered as a
margin: what other analyses find below it is noise.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from modelops.analyses.asked import asked, truth_of
from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.reproducibility.display import repeat_findings, seed_findings, summary
from modelops.analyses.reproducibility.repeats import Repeat, repeats
from modelops.analyses.reproducibility.trained import RECIPE, SAME_SEED, Seeded, retrained, training
from modelops.domain.columns import Task
from modelops.errors import NotMeasured

_SEEDS = 2**32


class ReproducibilityParameters(Parameters):
    """How many rows are asked about again, and how often the model is trained again."""

    rows: int = Field(default=2_000, ge=2, le=200_000, description="Rows asked about at most; drawn at random.")
    single_rows: int = Field(default=50, ge=1, le=2_000, description="Rows that are also asked one at a time.")
    seeds: int = Field(default=5, ge=2, le=50, description="Seeds that an untrained copy of the model is trained with.")
    train_rows: int = Field(
        default=50_000,
        ge=10,
        le=1_000_000,
        description="Training rows used at most; of fewer than there are, the recipe cannot give the model back.",
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def repeat(data: EvaluationData, parameters: ReproducibilityParameters, run: Run) -> Computed:
    """Ask ``data.model`` again in every way that should not matter, and train it again where that is possible.

    Returns
    -------
    Computed
        For each way the share of rows with another answer (0: reproducible), to the last bit and beyond rounding.

    Raises
    ------
    NotMeasured
        If there is no model, or no rows.
    InvalidInput
        If the table lacks a column of the model, or the model refuses its rows.
    """
    run.progress(0.0, "asking the model")
    subject = asked(data, limit=parameters.rows, seed=run.seed)
    base = np.asarray(subject.model.answers(subject.rows), dtype=np.float64)
    is_classes = bool(subject.model.classes)
    unit = "score" if is_classes else "prediction"
    found: list[Repeat] = []
    for one in repeats(subject, base, data.again, alone=parameters.single_rows, rng=run.rng()):
        found.append(one)
        run.progress(0.05 * len(found), f"asked again: {one.name}")
    runs: list[Seeded] = []
    target = data.data.roles.target
    notes = list(subject.notes)
    try:
        train = training(data, limit=parameters.train_rows, seed=run.seed)
        if not train.is_whole:
            notes.append(f"Trained on {len(train.target):,} rows drawn at random, not on all of the training data.")
        seeds = tuple((run.seed + k) % _SEEDS for k in range(parameters.seeds))
        again, runs = retrained(
            subject,
            base,
            train,
            seeds=seeds,
            truth=None if target is None else truth_of(data.data, target, subject.model.classes)[subject.positions],
            progress=lambda fraction, text: run.progress(0.2 + 0.78 * fraction, text),
        )
        if again[0].answers is not None and not train.is_whole:
            # Trained on a part of the rows it is another model, which says nothing against the recipe.
            again[0] = Repeat(RECIPE, base, None, _ONLY_A_PART)
    except NotMeasured as reason:
        again = [Repeat(name, base, None, str(reason)) for name in (RECIPE, SAME_SEED)]
    found += again
    findings = repeat_findings(found, unit=unit)
    findings.add(seed_findings(runs, again[-1].why, n_rows=subject.n_rows, is_classes=is_classes, unit=unit))
    findings.notes += [*notes, _ABOUT_TRAINING] if runs else notes
    run.progress(1.0, "done")
    return findings.computed(summary(found, runs, n_rows=subject.n_rows, is_classes=is_classes), dropped={})


_ONLY_A_PART = "Only a part of the training data was used, which cannot give the model back; raise train_rows."
_ABOUT_TRAINING = (
    "The recipe is the estimator with its settings. Training rows are given in the order of the table; weights and "
    "other arguments of the original training are not in the file and are not repeated."
)


REPRODUCIBILITY = Analysis(
    key="reproducibility",
    title="Reproducibility",
    question="Does the model give the same answers again, also from another process, and can it be trained again?",
    serves=("preprocessing.reproducible", "works.recreate", "works.replicate"),
    needs=frozenset({Need.MODEL}),
    uses=frozenset({Need.TRAIN, Need.TARGET}),
    tasks=frozenset(Task),
    parameters=ReproducibilityParameters,
    source=(
        "J. Pineau et al., Improving reproducibility in machine learning research, JMLR 22, 2021; X. Bouthillier et "
        "al., Accounting for variance in machine learning benchmarks, MLSys 2021; M. Milani Fard et al., Launch and "
        "iterate: reducing prediction churn, NeurIPS 2016"
    ),
    compute=repeat,
    reopens=True,
)
