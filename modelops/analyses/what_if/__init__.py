"""What would the model say if this case were different, and what would have to be different for another outcome.

The values of the case, and of the nearest real case, are handed out apart from the result (`cases`): a result is
evidence and holds no raw rows. It holds what was asked: the edits, and the changes that were found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.what_if.case import Case, case_of
from modelops.analyses.what_if.contributions import case_contributions
from modelops.analyses.what_if.display import Found, computed
from modelops.analyses.what_if.distances import Scale
from modelops.analyses.what_if.permitted import permitted
from modelops.analyses.what_if.response import responses
from modelops.analyses.what_if.search import Search
from modelops.analyses.what_if.wanted import Wanted, bound, decided
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured


class WhatIfParameters(Parameters):
    """Which case, edited how; which outcome is wanted, and what may change for it."""

    row: int = Field(default=1, ge=1, le=2_000_000_000, description="Number of the row to look at; the first is 1.")
    changes: tuple[str, ...] = Field(
        default=(), max_length=200, description="Edits of the case, as column = value; 'missing' takes a value away."
    )
    explained_class: str | None = Field(
        default=None,
        description="Class whose score is explained. Empty: the positive class, or the one the case gets.",
        json_schema_extra={"choose": "class"},
    )
    wanted_class: str | None = Field(
        default=None,
        description="Class that changes should lead to. Empty: any other than the case's.",
        json_schema_extra={"choose": "class"},
    )
    wanted_from: float | None = Field(
        default=None, description="Least prediction that changes should lead to, for quantities."
    )
    wanted_to: float | None = Field(
        default=None, description="Largest prediction that changes should lead to, for quantities."
    )
    threshold: float = Field(default=0.5, description="Score from which the positive class of two is given.")
    immutable: tuple[str, ...] = Field(
        default=(),
        max_length=500,
        description="Columns that keep their value, beside the sensitive ones.",
        json_schema_extra={"choose": "column"},
    )
    sensitive_may_change: bool = Field(
        default=False, description="Whether changes of sensitive columns may be proposed too."
    )
    only_increase: tuple[str, ...] = Field(
        default=(),
        max_length=500,
        description="Columns that can only rise, such as an age.",
        json_schema_extra={"choose": "column"},
    )
    only_decrease: tuple[str, ...] = Field(
        default=(),
        max_length=500,
        description="Columns that can only fall.",
        json_schema_extra={"choose": "column"},
    )
    ranges: tuple[str, ...] = Field(
        default=(), max_length=200, description="Permitted values: column = low to high, or column = level, level."
    )
    rules: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="Rules between columns, such as employed <= age - 16, or if job = none then income <= 500.",
    )
    counterfactuals: int = Field(default=4, ge=0, le=10, description="Sets of changes that are looked for.")
    most_changes: int = Field(default=3, ge=1, le=6, description="Columns that one set may change.")
    rows: int = Field(
        default=2_000, ge=50, le=20_000, description="Real rows that values and neighbours come from; drawn at random."
    )
    background: int = Field(
        default=50, ge=1, le=1_000, description="Rows that stand for the average case, which contributions start from."
    )
    rounds: int = Field(default=2, ge=1, le=100, description="Pairs of feature orders tried for each background row.")
    features: int = Field(
        default=40, ge=2, le=200, description="Features that are looked at one by one, those that move the case most."
    )
    curve_features: int = Field(default=6, ge=1, le=30, description="Features whose effect on the case is drawn.")
    grid_points: int = Field(default=20, ge=3, le=100, description="Points of each curve; levels shown.")


# Infinite and huge values overflow on the way; what is not finite in the end is handed back as not measured.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def compute(data: EvaluationData, parameters: WhatIfParameters, run: Run) -> Computed:
    """Ask the model about one case, as it is and as it is edited, and search for changes that lead elsewhere.

    Contributions are the model's own exact Shapley values where they add up, otherwise permutation Shapley values from
    both cases' columns as given. Counterfactuals are searched among values that real rows hold (`search`), verified
    after they were made, and always shown beside the nearest real case with the wanted outcome.

    Raises
    ------
    InvalidInput
        If there is no such row, an edit, limit or rule does not fit the columns, or the wanted outcome does not exist.
    NotMeasured
        If there is no model, or no other row.
    """
    run.progress(0.0, "Reading the case")
    model = data.model
    if model is None:
        raise NotMeasured("No model is given: asking what it would say needs a model file.")
    classes = model.classes if data.task is Task.CLASSIFICATION else ()
    if data.task is Task.CLASSIFICATION and not classes:
        raise InvalidInput("The task is classification, the model names no classes. Give it as a regression.")
    case = case_of(
        data,
        model,
        row=parameters.row,
        changes=parameters.changes,
        rows=parameters.rows,
        seed=run.seed,
        explained=None,
    )
    run.progress(0.15, "Asking the model")
    answers = _Answers.of(data, case, parameters, classes)
    case.model.explained = answers.explained
    run.progress(0.25, "Contributions")
    contributed = case_contributions(
        case,
        background=parameters.background,
        rounds=parameters.rounds,
        features=parameters.features,
        rng=run.rng(),
    )
    run.progress(0.4, "Moving one feature at a time")
    strength = np.abs(contributed.values.phi).max(axis=0)
    by_name = dict(zip(contributed.players, strength, strict=True))
    kept = sorted(contributed.kept, key=lambda k: (-np.nan_to_num(by_name.get(case.names[k], 0.0)), k))
    moved = responses(case, kept, points=parameters.grid_points)
    run.progress(0.5, "Looking for changes that lead to another outcome")
    if unknown := [name for name in parameters.immutable if name not in data.data.source.names]:
        raise InvalidInput(f"There is no column {unknown[0]!r} that could keep its value.")
    fixed = {*parameters.immutable, *(() if parameters.sensitive_may_change else data.data.roles.sensitive)}
    limits = permitted(
        case,
        fixed=tuple(fixed),
        up=parameters.only_increase,
        down=parameters.only_decrease,
        ranges=parameters.ranges,
        rules=parameters.rules,
    )
    scale = Scale(case.model.pool, case.others)
    search = Search(limits, answers.wanted, scale, kept, parameters.most_changes, float(answers.gaps[case.edited]))
    nearest = answers.with_outcome(case, scale)
    sets = []
    if parameters.counterfactuals and not answers.has_outcome:
        sets = search.found(
            most=parameters.counterfactuals,
            real=nearest,
            progress=lambda share: run.progress(0.5 + 0.45 * share, "Looking for changes that lead to another outcome"),
        )
    return computed(
        Found(
            data=data,
            case=case,
            classes=classes,
            outputs=answers.outputs,
            scores=answers.scores,
            decisions=answers.decisions,
            wanted=answers.wanted,
            has_outcome=answers.has_outcome,
            contributed=contributed,
            responses=moved,
            counterfactuals=tuple(sets),
            searched=parameters.counterfactuals > 0,
            dropped=search.dropped,
            nearest=int(nearest[0]) if nearest.size else None,
            scale=scale,
            permitted=limits,
            notes=(*case.notes, *answers.notes),
        ),
        curve_features=parameters.curve_features,
        seed=run.seed,
    )


@dataclass(frozen=True)
class _Answers:
    """What the model says of every row of the pool, and what follows from it.

    ``scores`` are those of every class, ``outputs`` those of the explained one. ``gaps`` say how far each row is from
    the wanted outcome; ``has_outcome`` that the edited case has it already.
    """

    explained: int | None
    outputs: NDArray[np.float64]
    scores: NDArray[np.float64] | None
    decisions: NDArray[np.intp] | None
    wanted: Wanted
    gaps: NDArray[np.float64]
    has_outcome: bool
    notes: tuple[str, ...]

    @classmethod
    def of(cls, data: EvaluationData, case: Case, parameters: WhatIfParameters, classes: tuple[str, ...]) -> _Answers:
        everything = case.model.unchanged(np.arange(case.model.n_pool))
        if not classes:
            outputs = case.model.output(np.arange(case.model.n_pool))
            wanted, notes = _wanted_quantity(parameters, outputs, case)
            gaps = wanted.gaps(case.model, [everything])[0]
            return cls(None, outputs, None, None, wanted, gaps, bool(gaps[case.edited] <= 0), notes)
        scores = np.asarray(next(case.model.class_scores([everything])), dtype=np.float64)
        positive = classes.index(data.positive) if data.positive in classes else None
        decisions = decided(scores, positive, parameters.threshold)
        present = int(decisions[case.edited])
        label = _class(parameters.wanted_class, classes)
        wanted = Wanted(
            classes=classes,
            present=present,
            label=1 - present if label is None and len(classes) == 2 else label,
            positive=positive,
            threshold=parameters.threshold,
        )
        named = _class(parameters.explained_class, classes)
        explained = named if named is not None else positive if positive is not None else int(decisions[case.original])
        has_outcome = label == present
        gaps = np.where(decisions == label, 0.0, 1.0) if has_outcome else wanted.gaps(case.model, [everything])[0]
        return cls(explained, scores[:, explained], scores, decisions, wanted, gaps, has_outcome, ())

    def with_outcome(self, case: Case, scale: Scale) -> NDArray[np.intp]:
        """Return the places of real rows with the wanted outcome, the nearest to the edited case first."""
        places = case.others[self.gaps[case.others] <= 0]
        distances = scale.between(scale.points[case.edited], scale.points[places])
        return places[np.argsort(distances, kind="stable")]


def _class(label: str | None, classes: tuple[str, ...]) -> int | None:
    if label is None:
        return None
    if label not in classes:
        known = ", ".join(map(repr, classes[:10]))
        raise InvalidInput(f"There is no class {label!r}; the model's classes are {known}.")
    return classes.index(label)


def _wanted_quantity(
    parameters: WhatIfParameters, outputs: NDArray[np.float64], case: Case
) -> tuple[Wanted, tuple[str, ...]]:
    low, high = parameters.wanted_from, parameters.wanted_to
    if low is not None and high is not None and low > high:
        raise InvalidInput(f"The wanted prediction runs from {low:g} down to {high:g}; write the lower end first.")
    if low is None and high is None:
        known = outputs[case.others][np.isfinite(outputs[case.others])]
        middle = float(np.median(known)) if known.size else 0.0
        note = f"No prediction is wanted: changes are to lead across the median prediction, {bound(middle)}."
        if outputs[case.edited] <= middle:
            return Wanted(low=float(np.nextafter(middle, np.inf))), (note,)
        return Wanted(high=float(np.nextafter(middle, -np.inf))), (note,)
    return Wanted(low=-np.inf if low is None else low, high=np.inf if high is None else high), ()


WHAT_IF = Analysis(
    key="what_if",
    title="What if",
    question="What would the model say if this case were different, and what would have to be different?",
    serves=("predictions.explained",),
    needs=frozenset({Need.MODEL}),
    uses=frozenset({Need.SENSITIVE}),
    tasks=frozenset(Task),
    parameters=WhatIfParameters,
    source=(
        "S. Wachter, B. Mittelstadt, C. Russell, Counterfactual explanations without opening the black box, 2018 "
        "(distances); R. Mothilal, A. Sharma, C. Tan, DiCE, FAT* 2020 (diverse sets); R. Poyiadzi et al., FACE, AIES "
        "2020 (values and neighbours that are real); E. Strumbelj, I. Kononenko, 2014 (contributions)"
    ),
    compute=compute,
)
