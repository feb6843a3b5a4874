"""Why the model predicts what it predicts: Shapley values, dependence, permutation importance, LIME; do they agree.

The model is asked in batches of composed rows (`composed`), each method is a pure function in a file of its own,
`study` applies them; `measurements`, `curves` and `tables` show what
they found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from modelops.analyses.asked import features_in
from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.composed import ComposedModel, drawn
from modelops.analyses.explainability.curves import curves
from modelops.analyses.explainability.explanation import Subject
from modelops.analyses.explainability.measurements import measurements, notes, summary
from modelops.analyses.explainability.study import Study
from modelops.analyses.explainability.tables import tables
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    import pandas as pd


class ExplainabilityParameters(Parameters):
    """What to explain, on how many rows, how precisely."""

    explained_class: str | None = Field(
        default=None,
        description="Class whose score is explained. Empty: the positive class; of several without one, the last.",
        json_schema_extra={"choose": "class"},
    )
    rows: int = Field(
        default=1_000, ge=20, le=20_000, description="Rows whose predictions are explained at most; drawn at random."
    )
    background: int = Field(
        default=50, ge=1, le=1_000, description="Rows that stand for the average case, which contributions start from."
    )
    precision: float = Field(
        default=0.03,
        gt=0,
        le=0.5,
        description="Explain more rows until every standard error is under this share of the largest mean.",
    )
    scored_rows: int = Field(
        default=1_000_000,
        ge=1_000,
        le=50_000_000,
        description="Budget: rows that the model may be asked to score for the Shapley values.",
    )
    rounds: int = Field(
        default=1, ge=1, le=100, description="Pairs of feature orders tried for each row and background row."
    )
    repeats: int = Field(default=10, ge=2, le=200, description="Times that each column is shuffled.")
    importance_rows: int = Field(
        default=1_000, ge=20, le=50_000, description="Rows used for permutation importance at most."
    )
    curve_rows: int = Field(default=500, ge=20, le=20_000, description="Rows used for dependence curves at most.")
    grid_points: int = Field(default=20, ge=3, le=100, description="Points of each dependence curve; levels shown.")
    top_features: int = Field(default=8, ge=1, le=50, description="Features that get charts of their own.")
    features: int = Field(
        default=60,
        ge=2,
        le=500,
        description="Features that are looked at one by one; of more, the rest is taken together as one.",
    )
    shown_rows: int = Field(
        default=3, ge=1, le=20, description="Single predictions shown, from the highest to the lowest."
    )
    lime_rows: int = Field(default=20, ge=1, le=500, description="Rows that get a local surrogate model (LIME).")
    lime_samples: int = Field(default=1_000, ge=50, le=50_000, description="Perturbed rows for each surrogate.")
    lime_seeds: int = Field(default=5, ge=2, le=50, description="Times that each surrogate is fitted anew.")
    correlated_from: float = Field(
        default=0.7, ge=0.1, le=1, description="Strength of association from which features are taken as correlated."
    )


# Infinite and huge values overflow on the way; what is not finite in the end is handed back as not measured.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def explain(data: EvaluationData, parameters: ExplainabilityParameters, run: Run) -> Computed:
    """Explain the predictions of ``data.model`` on ``data.data``.

    Contributions of features to single predictions are the model's own exact Shapley values where it is a tree model
    without preprocessing and they add up to its output, otherwise permutation Shapley values on the columns as given.
    Dependence curves, permutation importance (if there is a target) and local surrogates are computed on rows drawn at
    random by content and seed, so that the order of the rows changes nothing. For classification one class is explained
    at a time.

    Raises
    ------
    InvalidInput
        If the table lacks a column of the model, or the class to explain is none of the model's.
    NotMeasured
        If there is no model, or no rows.
    """
    run.progress(0.0, "drawing rows")
    subject, target = _subject(data, parameters, run)
    found = Study(data, subject, target, parameters, run).explanation()
    return Computed(
        summary=summary(found),
        measurements=measurements(found),
        curves=curves(found, top=parameters.top_features),
        tables=tables(found),
        notes=notes(found),
    )


def _subject(
    data: EvaluationData, parameters: ExplainabilityParameters, run: Run
) -> tuple[Subject, pd.Series[Any] | None]:
    model, sample = data.model, data.data
    if model is None:
        raise NotMeasured("No model is given: explaining needs a model file that can be asked for predictions.")
    names = features_in(sample, model)
    if not names or not sample.n_rows:
        raise NotMeasured(f"{sample.n_rows} rows with {len(names)} features: there is nothing to explain.")
    wanted = max(parameters.rows, parameters.importance_rows, parameters.curve_rows) + parameters.background
    roles = sample.roles
    content = (*names, *([roles.target] if roles.target and roles.target not in names else []))
    positions = drawn(sample, content, limit=wanted, seed=run.seed)
    explained, notes = _explained_class(data, parameters.explained_class)
    pool = _pool(data, names, positions)
    composed = ComposedModel(model, pool, explained=explained)
    subject = Subject(
        model=composed,
        names=names,
        explained=None if explained is None else model.classes[explained],
        unit="prediction" if explained is None else "score",
        withheld=frozenset({*roles.sensitive, *roles.ids} & set(names)),
        explained_rows=np.arange(min(parameters.rows, len(positions))),
        background=np.arange(max(0, len(positions) - parameters.background), len(positions)),
        notes=(*notes, *_sampling_note(sample.n_rows, len(positions), run.seed)),
    )
    target = sample.series(roles.target).iloc[positions].reset_index(drop=True) if roles.target else None
    return subject, target


def _pool(data: EvaluationData, names: tuple[str, ...], positions: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    columns = {name: data.data.series(name).iloc[positions].reset_index(drop=True) for name in names}
    return pd.DataFrame(columns)


def _explained_class(data: EvaluationData, wanted: str | None) -> tuple[int | None, tuple[str, ...]]:
    if data.task is Task.REGRESSION or data.model is None:
        return None, ()
    classes = data.model.classes
    if not classes:
        raise InvalidInput("The task is classification, the model names no classes. Give it as a regression.")
    label = wanted or data.positive
    if label is None:
        note = (
            f"No positive class is named: the last class, {classes[-1]!r}, is explained. The settings choose another."
        )
        return len(classes) - 1, (note,)
    if label not in classes:
        known = ", ".join(map(repr, classes[:10]))
        raise InvalidInput(f"The class to explain is {label!r}, the model's classes are {known}. Choose one of these.")
    return classes.index(label), ()


def _sampling_note(n_rows: int, n_drawn: int, seed: int) -> tuple[str, ...]:
    if n_drawn == n_rows:
        return ()
    return (
        f"{n_drawn:,} of {n_rows:,} rows were drawn at random with seed {seed}; intervals hold the error this adds.",
    )


EXPLAINABILITY = Analysis(
    key="explainability",
    title="Explainability",
    question="Why does the model predict what it predicts, overall and for single cases, and do the methods agree?",
    serves=("predictions.explained",),
    needs=frozenset({Need.MODEL}),
    tasks=frozenset(Task),
    parameters=ExplainabilityParameters,
    source=(
        "S. Lundberg, S.-I. Lee, A unified approach to interpreting model predictions, NeurIPS 2017; E. Strumbelj, "
        "I. Kononenko, 2014; J. Friedman, 2001 (partial dependence); D. Apley, J. Zhu, 2020 (accumulated local "
        "effects); L. Breiman, 2001 (permutation importance); M. Ribeiro, S. Singh, C. Guestrin, 2016 (LIME)"
    ),
    compute=explain,
)
