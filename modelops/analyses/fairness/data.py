"""What `fairness` looks at: groups of people by one sensitive column or two, and the counts of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.confusion_counts import cell_counts
from modelops.analyses.levels import Coded, Codes, groups
from modelops.analyses.outcomes import Outcomes
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.rates import Rate
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Scope
from modelops.errors import NotMeasured

MOST_CELLS = 150
NO_TARGET = "There is no target column, so only predictions can be compared."
NO_ROWS = "The group has no rows."

Numbers = NDArray[np.float64]


def of_class(extra: Scope) -> str:
    """Return what a title adds where each class is compared with the rest; nothing where there is one question.

    Examples
    --------
    >>> of_class({"class": "refund"}), of_class({})
    (' (refund)', '')
    """
    return f" ({extra['class']})" if "class" in extra else ""


@dataclass(frozen=True)
class Grouping:
    """Groups by one column, or by two at once.

    ``codes`` of shape (n,) point into ``names``; -1 where a column is missing. ``names`` says for each group which
    value each column has.
    """

    features: tuple[str, ...]
    names: tuple[dict[str, str], ...]
    codes: Codes

    @property
    def title(self) -> str:
        """The columns as text: ``sex``, ``sex & region``."""
        return " & ".join(self.features)

    @property
    def is_intersection(self) -> bool:
        """Whether more than one column makes the groups."""
        return len(self.features) > 1

    def label(self, group: int) -> str:
        """Return the values of one group as text."""
        return " & ".join(self.names[group].values())


def groupings(
    sample: Sample, rows: NDArray[np.intp], *, largest_groups: int, intersections: bool
) -> tuple[list[Grouping], list[str]]:
    """Return the groupings of some rows, and notes: also on rows without a value, which are in no group of the column.

    Raises
    ------
    NotMeasured
        If there is no sensitive column, or none with a value.
    """
    if not sample.roles.sensitive:
        raise NotMeasured("Comparing groups needs a sensitive column; there is none.")
    found: list[Grouping] = []
    notes: list[str] = []
    columns: dict[str, Coded] = {}
    for name in dict.fromkeys(sample.roles.sensitive):
        column, note = groups(sample, name, most=largest_groups)
        columns[name] = column.take(rows)
        notes += [note] if note else []
        if lost := columns[name].missing:
            notes.append(f"{name} is missing in {lost:,} of {rows.size:,} rows, which count in none of its groups.")
        if not column.levels:
            del columns[name]
            notes.append(f"{name} has no value in any row, so there are no groups by it.")
            continue
        found.append(Grouping((name,), tuple({name: level} for level in column.levels), columns[name].codes))
    if not found:
        raise NotMeasured("No sensitive column has a value in any row, so there are no groups to compare.")
    names = list(columns)
    for first in range(len(names) if intersections else 0):
        for second in range(first + 1, len(names)):
            pair, note = _intersection(names[first], columns[names[first]], names[second], columns[names[second]])
            found.append(pair)
            notes += [note] if note else []
    return found, notes


def _intersection(first: str, one: Coded, second: str, other: Coded) -> tuple[Grouping, str | None]:
    size = len(other.levels)
    codes = np.where((one.codes < 0) | (other.codes < 0), -1, one.codes * size + other.codes).astype(np.int32)
    names = [{first: a, second: b} for a in one.levels for b in other.levels]
    if len(names) <= MOST_CELLS:
        return Grouping((first, second), tuple(names), codes), None
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_CELLS])
    table = np.full(len(names) + 1, -1, dtype=np.int32)
    table[kept] = np.arange(kept.size)
    note = f"Of the {len(names)} groups by {first} & {second} the {MOST_CELLS} largest are measured."
    return Grouping((first, second), tuple(names[place] for place in kept), table[codes]), note


@dataclass(frozen=True)
class RateByGroup:
    """One rate in every group, each array of shape (g,).

    ``hits`` and ``totals`` are effective rows (weights, divided by the design effect), ``sizes`` the number of rows of
    the denominator; ``reasons`` says why the rate is not defined where it is not.
    """

    hits: Numbers
    totals: Numbers
    sizes: Numbers
    reasons: tuple[str, ...]

    @property
    def shares(self) -> Numbers:
        """The rate of each group; NaN where it is not defined."""
        share: Numbers = np.divide(
            self.hits, self.totals, out=np.full(self.totals.shape, np.nan), where=self.totals > 0
        )
        return share


@dataclass(frozen=True)
class Comparison:
    """Everything that depends on counts alone, for the groups of one grouping and one positive class.

    ``selected`` of shape (g, 2) holds rows by prediction, ``confusion`` of shape (g, 2, 2) labelled rows by label and
    prediction; the ``raw`` ones are numbers of rows, the others weights (equal where rows are not weighted). ``extra``
    is what every scope also says (the class, where there are more than two).
    """

    grouping: Grouping
    raw_selected: Numbers
    raw_confusion: Numbers
    selected: Numbers
    confusion: Numbers
    design_effect: float
    has_target: bool
    extra: Scope
    uncertainty: Uncertainty

    def scope(self, group: int) -> Scope:
        """Return the scope of one group: ``{"group": {"race": "Asian"}}``."""
        return {"group": dict(self.grouping.names[group]), **self.extra}

    @property
    def feature_scope(self) -> Scope:
        """The scope of all groups together: ``{"feature": "race"}``."""
        return {"feature": self.grouping.title, **self.extra}

    def rate(self, rate: Rate) -> RateByGroup:
        """Return one rate by group. The selection rate needs predictions alone and counts rows without label too."""
        if rate.needs_labels:
            raw, counts = self.raw_confusion, self.confusion
        else:
            raw, counts = _any_label(self.raw_selected), _any_label(self.selected)
        hits, totals = (part / self.design_effect for part in rate.of(counts))
        absent = rate.needs_labels and not self.has_target
        reasons = tuple(
            NO_TARGET if absent else NO_ROWS if rows == 0 else rate.denominator
            for rows in self.raw_selected.sum(axis=1)
        )
        return RateByGroup(hits, totals, rate.of(raw)[1], reasons)


def _any_label(selected: Numbers) -> Numbers:
    """Counts by prediction, shape (g, 2), as a confusion matrix in which the label says nothing."""
    return np.stack([selected, np.zeros_like(selected)], axis=-2)


def compared(
    rows: Outcomes, grouping: Grouping, how: Weighting, *, extra: Scope, uncertainty: Uncertainty
) -> Comparison:
    """Count ``rows`` (two classes, positive code 1) by group."""
    known = grouping.codes >= 0
    codes, predicted, truth = grouping.codes[known], rows.predicted[known], rows.truth[known]
    weights = None if how.weights is None else how.weights[known]
    size = len(grouping.names)
    labelled = truth >= 0
    every = (codes, predicted)
    with_label = (codes[labelled], truth[labelled], predicted[labelled])
    raw_selected, raw_confusion = cell_counts(every, (size, 2)), cell_counts(with_label, (size, 2, 2))
    selected, confusion = raw_selected, raw_confusion
    if weights is not None:
        selected = cell_counts(every, (size, 2), weights=weights)
        confusion = cell_counts(with_label, (size, 2, 2), weights=weights[labelled])
    return Comparison(
        grouping=grouping,
        raw_selected=raw_selected,
        raw_confusion=raw_confusion,
        selected=selected,
        confusion=confusion,
        design_effect=how.design_effect,
        has_target=rows.has_target,
        extra=extra,
        uncertainty=uncertainty,
    )
