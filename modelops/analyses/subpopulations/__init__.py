"""Where the model errs most: groups by one and two columns, weak segments confirmed on other rows, a tree of errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run, Sample
from modelops.analyses.composed import content_keys, hashed
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.statistics.association import ordered_values
from modelops.analyses.statistics.intervals import LEVEL
from modelops.analyses.subpopulations.columns import Column, chosen_names, columns
from modelops.analyses.subpopulations.contrast import Law, moments
from modelops.analyses.subpopulations.display import summary
from modelops.analyses.subpopulations.groups import pairs, single_columns
from modelops.analyses.subpopulations.losses import Losses, Metric, losses
from modelops.analyses.subpopulations.weakest import Halves, error_tree, weak_segments
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured


class SubpopulationsParameters(Parameters):
    """What a person may set for `subpopulations`."""

    columns: tuple[str, ...] = Field(
        default=(),
        max_length=500,
        description="Columns that groups are made of; empty: sensitive columns and features.",
        json_schema_extra={"choose": "column"},
    )
    metric: Metric = Field(
        default="automatic",
        description="What is compared; automatic: accuracy, or the mean absolute error of a regression.",
    )
    threshold: float = Field(
        default=0.5, description="Score from which a row counts as positive, where the table has no prediction column."
    )
    bins: int = Field(default=6, ge=2, le=12, description="Ranges that numbers are cut into, of about equal size.")
    levels: int = Field(default=12, ge=2, le=30, description="Levels of a text column that are kept apart.")
    depth: int = Field(default=2, ge=1, le=3, description="Conditions that a weak segment may have.")
    segments: int = Field(default=5, ge=1, le=20, description="Weak segments that are looked for.")
    minimum_share: float = Field(
        default=0.02,
        gt=0,
        le=0.4,
        description="Share of the rows that a weak segment and a leaf of the tree has at least.",
    )
    minimum_rows: int = Field(default=30, ge=10, le=100_000, description="Rows that a group needs to be compared.")
    pair_columns: int = Field(
        default=20, ge=2, le=60, description="Columns that are combined with each other, at most."
    )
    tree_depth: int = Field(default=3, ge=1, le=5, description="Branchings one after the other in the tree of errors.")
    alpha: float = Field(
        default=0.05, gt=0, lt=0.5, description="False alarms accepted among the groups that are called worse."
    )
    rows: int = Field(
        default=1_000_000, ge=1_000, le=50_000_000, description="Rows that are looked at at most; drawn at random."
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")


@dataclass(frozen=True)
class _Prepared:
    found: Losses
    columns: list[Column]
    halves: Halves
    notes: list[str]


# Infinite and huge values overflow on the way; what is not finite in the end is handed back as not measured.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def compute(data: EvaluationData, parameters: SubpopulationsParameters, run: Run) -> Computed:
    """Compare the model's losses between groups of rows.

    Each level of each column, and each combination of levels of two columns, is compared with all other rows:
    Newcombe's interval and the pooled z test for shares, Welch's t for numbers, p-values adjusted by Benjamini and
    Hochberg over the levels, and over the combinations. Then the rows are divided (by time where there is a time
    column, else at random by content and seed; rows of one entity stay together): weak segments and the tree of errors
    are found on the first half and measured on the second, so that the weakest are not just the unluckiest.

    Raises
    ------
    NotMeasured
        If there is no target, no prediction, no column to make groups of, or too few rows.
    InvalidInput
        If a column to look at does not exist, or the metric is for another task.
    """
    run.progress(0.0, "Reading labels and predictions")
    prepared = _prepared(data, parameters, run)
    found, halves = prepared.found, prepared.halves
    law = Law(found.is_share, found.effect, parameters.level)
    whole = moments(found.values, found.weights)
    sheet = Findings(notes=[*found.notes, *prepared.notes])
    sheet.measurements.append(
        measured(
            found.metric,
            found.shown(whole.mean),
            size=whole.rows,
            interval=found.interval_shown(law.mean_interval(whole)),
            level=parameters.level,
        )
    )
    weak = weak_segments(
        halves,
        law,
        depth=parameters.depth,
        most=parameters.segments,
        pair_columns=parameters.pair_columns,
        alpha=parameters.alpha,
        progress=lambda share: run.progress(0.25 + 0.3 * share, "Looking for weak segments"),
    )
    sheet.add(weak.findings)
    run.progress(0.57, "Growing the tree of errors")
    sheet.add(error_tree(halves, law, depth=parameters.tree_depth, alpha=parameters.alpha))
    run.progress(0.65, "Comparing the levels of each column")
    sheet.add(single_columns(found, prepared.columns, law, minimum_rows=parameters.minimum_rows))
    sheet.add(
        pairs(
            found,
            prepared.columns[: parameters.pair_columns],
            law,
            minimum_rows=parameters.minimum_rows,
            progress=lambda share: run.progress(0.7 + 0.3 * share, "Comparing pairs of columns"),
        )
    )
    if len(prepared.columns) > parameters.pair_columns:
        sheet.notes.append(
            f"Pairs are made of the first {parameters.pair_columns} of {len(prepared.columns)} columns, sensitive ones "
            "first; name others in 'columns'. Weak segments are looked for in all of them."
        )
    return sheet.computed(summary(found, weak, whole.mean), dropped=found.dropped)


def _prepared(data: EvaluationData, parameters: SubpopulationsParameters, run: Run) -> _Prepared:
    sample = data.data
    names = chosen_names(sample, parameters.columns)
    if absent := [name for name in names if name not in sample.source.names]:
        raise InvalidInput(f"There is no column {absent[0]!r} to make groups of.")
    outcome = {sample.roles.target, sample.roles.prediction, *sample.roles.scores}
    if taken := [name for name in names if name in outcome]:
        raise InvalidInput(
            f"Column {taken[0]!r} is the target, a prediction or a score: groups are made of what is known of a row "
            "before."
        )
    if not names:
        raise NotMeasured("There is no feature and no sensitive column to make groups of.")
    found = losses(data, parameters.metric, threshold=parameters.threshold)
    run.progress(0.05, "Cutting columns into levels")
    made, notes = [], []
    for done, (column, note) in enumerate(
        columns(sample, names, found.rows, bins=parameters.bins, most=parameters.levels)
    ):
        made += [column] if column is not None else []
        notes += [note] if note else []
        run.progress(0.05 + 0.15 * (done + 1) / len(names), "Cutting columns into levels")
    if not made:
        raise NotMeasured("Every column has the same value in all rows, so there are no groups to compare.")
    # The same rows in another order come out in the same order here, and all that follows with them.
    keys = _keys(sample, found, made, run.seed)
    order = np.argsort(keys, kind="stable")
    if order.size > parameters.rows:
        notes.append(
            f"{parameters.rows:,} of {order.size:,} rows were drawn at random with seed {run.seed}; the intervals hold "
            "the error this adds."
        )
        order = order[: parameters.rows]
    found, made = found.take(order), [column.take(order) for column in made]
    second, how = _second_half(sample, found, keys[order])
    notes.append(
        f"Weak segments and the tree of errors are found on one half of the rows and measured on the other: {how}."
    )
    smallest = max(float(parameters.minimum_rows), parameters.minimum_share * order.size / 2)
    return _Prepared(found, made, Halves(found, made, second, smallest), notes)


def _keys(sample: Sample, found: Losses, made: list[Column], seed: int) -> NDArray[np.uint64]:
    parts = [found.values, *(column.codes.astype(np.uint64) for column in made)]
    parts += [found.weights] if found.weights is not None else []
    parts += [hashed(sample.series(name))[found.rows] for name in sample.roles.ids]
    return content_keys(parts, found.rows.size, seed=seed)


def _second_half(sample: Sample, found: Losses, keys: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], str]:
    """Return which rows are in the half that confirms, and how they were chosen."""
    if found.entities is not None:
        first = np.full(int(found.entities.max(initial=-1)) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
        np.minimum.at(first, found.entities, keys)
        second = np.asarray(first > np.sort(first)[first.size // 2 - 1])
        return second[found.entities], "divided at random, all rows of one entity in the same half"
    times = None if sample.roles.time is None else ordered_values(sample.series(sample.roles.time))
    if times is not None:
        mine = times[found.rows]
        later = mine > np.nanmedian(mine) if np.isfinite(mine).any() else np.zeros(mine.size, dtype=bool)
        if later.any():
            return later, f"the earlier and the later rows by {sample.roles.time}"
    # The keys decide which rows are drawn too: another of their bits decides about the half.
    return np.asarray(keys >> np.uint64(7) & np.uint64(1), dtype=bool), "divided at random"


SUBPOPULATIONS = Analysis(
    key="subpopulations",
    title="Subpopulations",
    question="In which groups of rows is the model worse than elsewhere, and when is it going to make a mistake?",
    serves=("predictions.explained", "predictions.fails_when"),
    needs=frozenset({Need.TARGET}),
    uses=frozenset({Need.SENSITIVE, Need.FEATURES}),
    tasks=frozenset(Task),
    parameters=SubpopulationsParameters,
    source=(
        "Y. Chung et al., Slice finder, ICDE 2019, and S. Sagadeeva, M. Boehm, SliceLine, SIGMOD 2021 (segments of few "
        "conditions); S. Athey, G. Imbens, PNAS 113, 2016 (found on one half, measured on the other); T. Hothorn et "
        "al., 2006 (branchings that stand out from chance); R. G. Newcombe 1998, B. L. Welch 1947 (differences); "
        "Y. Benjamini, Y. Hochberg, 1995 (many groups)"
    ),
    unseen=("data",),
    compute=compute,
)
