"""Where the challenger wins and where it loses: every level of every column, corrected for how many there are.

A loss is called confirmed only if one half of the rows shows it and the other half, untouched by the search, does too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.champion_challenger.match import Match, errors
from modelops.analyses.levels import groups
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.side_by_side import SKILL, Rows, with_adjusted
from modelops.analyses.statistics.intervals import Interval
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.analyses.statistics.paired import (
    disagreements,
    mcnemar_test,
    mean_p_value,
    paired_proportions_interval,
    ratio_of_means,
)
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape
from modelops.errors import InvalidInput

_MOST_LEVELS = 10
_MOST_COLUMNS = 60
_SHOWN = 30

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Segment:
    """One level of one column. ``improvement`` is of the accuracy, or the skill; ``status`` says how sure it is."""

    column: str
    level: str
    size: int
    champion: float
    challenger: float
    improvement: float
    interval: Interval | None
    p_value: float
    halves: tuple[float, float]
    signs: tuple[float, float]
    status: str = ""

    @property
    def label(self) -> str:
        """What the segment is called."""
        return f"{self.column}: {self.level}"


@dataclass(frozen=True)
class Wins:
    """What was found, and the segments where a loss was found on one half and confirmed on the other."""

    found: Findings
    confirmed_losses: tuple[Segment, ...]


def wins_and_losses(
    sample: Sample,
    match: Match,
    chosen: Sequence[str],
    *,
    minimum: int,
    level: float,
    progress: Callable[[float], None],
) -> Wins:
    """Compare champion and challenger in each level of each column.

    Parameters
    ----------
    chosen : sequence of str
        The columns; empty for all features and sensitive ones.
    minimum : int
        Rows that a segment needs for a status.

    Raises
    ------
    InvalidInput
        If a column is not there.
    """
    names = tuple(chosen) or tuple(dict.fromkeys([*sample.roles.sensitive, *sample.roles.features]))
    if unknown := [name for name in names if name not in sample.source.names]:
        raise InvalidInput(f"There is no column {unknown[0]!r} to cut segments by.")
    found = Findings()
    if len(names) > _MOST_COLUMNS:
        found.notes.append(f"Segments are cut by {_MOST_COLUMNS} of {len(names)} columns; name others to see them.")
        names = names[:_MOST_COLUMNS]
    first_half = halves(match.rows)
    segments: list[Segment] = []
    for place, name in enumerate(names):
        column, note = groups(sample, name, most=_MOST_LEVELS)
        found.notes += [note] if note else []
        codes = column.codes[match.rows.positions]
        for code, label in enumerate(column.levels):
            mask = codes == code
            if mask.any() and not mask.all():
                segments.append(_segment(match, name, label, mask, first_half, level))
        progress((place + 1) / len(names))
    segments = _with_status(segments, minimum=minimum, alpha=1 - level)
    found.measurements += _measurements(match, segments, level)
    if segments:
        found.tables.append(_table(match, segments))
        found.curves.append(_chart(match, segments))
    return Wins(found, tuple(one for one in segments if one.status == "loss, confirmed"))


def halves(rows: Rows) -> Mask:
    """Return which rows are in the half that finds; all rows of one entity are in the same, or nothing is confirmed."""
    if rows.entities is None:
        return np.asarray(np.argsort(np.argsort(rows.rank)) % 2 == 0)
    first = np.full(int(rows.entities.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, rows.entities, rows.rank)
    return np.asarray(np.argsort(np.argsort(first)) % 2 == 0)[rows.entities]


def _segment(match: Match, name: str, label: str, mask: Mask, first_half: Mask, level: float) -> Segment:
    compare = _accuracy if match.rows.classes else _skill
    champion, challenger, improvement, interval, p_value = compare(match, mask, level)
    parts = [compare(match, part, level) for part in (mask & first_half, mask & ~first_half)]
    return Segment(
        column=name,
        level=label,
        size=int(mask.sum()),
        champion=champion,
        challenger=challenger,
        improvement=improvement,
        interval=interval,
        p_value=p_value,
        halves=(parts[0][4], parts[1][4]),
        signs=(float(np.sign(parts[0][2])), float(np.sign(parts[1][2]))),
    )


_Compared = tuple[float, float, float, Interval | None, float]
_NOTHING: _Compared = (np.nan, np.nan, np.nan, None, np.nan)


def _part(how: Weighting, mask: Mask) -> Weighting | None:
    """How the rows of a segment count; ``None`` where they have no weight."""
    if not mask.any():
        return None
    if how.weights is None:
        return how
    weights = how.weights[mask]
    return replace(how, weights=weights / weights.mean()) if weights.any() else None


def _accuracy(match: Match, mask: Mask, level: float) -> _Compared:
    how = _part(match.how, mask)
    if how is None:
        return _NOTHING
    truth = match.rows.truth[mask]
    new, old = (side.taken(mask).right(truth) for side in (match.challenger, match.champion))
    gained, lost = disagreements(new, old, how)
    rows = truth.size / how.design_effect
    interval = paired_proportions_interval(gained, lost, rows, level=level)
    champion, challenger = (float(np.average(right, weights=how.weights)) for right in (old, new))
    return champion, challenger, challenger - champion, interval, mcnemar_test(gained, lost)[1]


def _skill(match: Match, mask: Mask, level: float) -> _Compared:
    how = _part(match.how, mask)
    if how is None:
        return _NOTHING
    new, old = (column[mask] for column in errors(match))
    challenger, champion = (float(np.average(column, weights=how.weights)) for column in (new, old))
    ratio, ends = ratio_of_means(new, old, how, level=level)
    interval = ends and (1 - ends[1], 1 - ends[0])
    return champion, challenger, 1 - ratio, interval, mean_p_value(old - new, how)


def _with_status(segments: list[Segment], *, minimum: int, alpha: float) -> list[Segment]:
    """Found on the first half, confirmed on the second, where only what was found counts as a test."""
    candidates = [
        place
        for place, one in enumerate(segments)
        if one.size >= minimum and one.halves[0] < alpha and one.signs[0] != 0
    ]
    adjusted = benjamini_hochberg([segments[place].halves[1] for place in candidates])
    second = dict(zip(candidates, adjusted, strict=True))
    named = []
    for place, one in enumerate(segments):
        status = "no difference shown"
        if one.size < minimum:
            status = "not enough data"
        elif place in second:
            what = "win" if one.signs[0] > 0 else "loss"
            confirmed = second[place] < alpha and one.signs[0] == one.signs[1]
            status = f"{what}, confirmed" if confirmed else f"{what}, found but not confirmed"
        named.append(replace(one, status=status))
    return named


def _measurements(match: Match, segments: Sequence[Segment], level: float) -> list[Measurement]:
    own, metric, test = "accuracy", "accuracy_improvement", "mcnemar_p_value"
    if not match.rows.classes:
        own, metric, test = "mean_absolute_error", SKILL, "mean_absolute_error_improvement_p_value"
    plain, tested = [], []
    for one in segments:
        group = {one.column: one.level}
        for model, value in (("champion", one.champion), ("challenger", one.challenger)):
            plain.append(measured(own, value, size=one.size, scope={"model": model, "group": group}))
        scope: Scope = {"group": group}
        plain.append(measured(metric, one.improvement, size=one.size, scope=scope, interval=one.interval, level=level))
        tested.append(measured(test, one.p_value, size=one.size, scope=scope))
    return plain + with_adjusted(tested)


def _table(match: Match, segments: Sequence[Segment]) -> ResultTable:
    adjusted = benjamini_hochberg([one.p_value for one in segments])
    own = "accuracy" if match.rows.classes else "mean absolute error"
    rows = []
    for one, p_value in zip(segments, adjusted, strict=True):
        low, high = one.interval or (None, None)
        numbers = (one.champion, one.challenger, one.improvement, low, high, float(p_value))
        rows.append((one.column, one.level, one.size, *map(shown, numbers), one.status))
    order = sorted(range(len(rows)), key=lambda k: (np.nan_to_num(segments[k].improvement), segments[k].label))
    return ResultTable(
        name="segments",
        title="Wins and losses by segment",
        columns=(
            "column",
            "level",
            "rows",
            f"champion's {own}",
            "challenger's",
            "improvement" if match.rows.classes else "improvement, as a share",
            "low",
            "high",
            "adjusted p",
            "status",
        ),
        rows=tuple(rows[k] for k in order),
        note="Confirmed: found on one half of the rows and shown again by the other half.",
    )


def _chart(match: Match, segments: Sequence[Segment]) -> Curve:
    defined = sorted((one for one in segments if np.isfinite(one.improvement)), key=lambda one: one.improvement)
    few = len(defined) > _SHOWN
    kept = [*defined[: _SHOWN // 2], *defined[-_SHOWN // 2 :]] if few else defined
    what = "accuracy" if match.rows.classes else "mean absolute error, as a share of the champion's"
    return Curve(
        name="segments",
        title="Wins and losses by segment",
        shape=Shape.FOREST,
        x_title="Segment",
        y_title=f"Improvement of the {what} (below 0: the challenger is worse)",
        series=(
            Series(
                name="improvement",
                x=tuple(one.label for one in kept),
                y=tuple(one.improvement for one in kept),
                low=tuple(one.interval[0] if one.interval else None for one in kept),
                high=tuple(one.interval[1] if one.interval else None for one in kept),
                size=tuple(one.size for one in kept),
            ),
        ),
        reference=0.0,
        note=f"The {_SHOWN} most unlike of {len(defined)} segments." if few else None,
    )
