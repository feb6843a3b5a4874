"""Features made from earlier scores: by their names, and by going along with what was said of the entity before."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.feedback_loop.decisions import Decisions, Numbers
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.statistics.intervals import (
    LEVEL,
    Interval,
    normal_quantile,
    two_sided_p_value,
    wilson,
)
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape
from modelops.errors import NotMeasured

FEWEST_PAIRS = 30
_DRAWN = 30
_EQUAL = 1e-6
_RANK_INFLATION = 1.06
"""Variance of Fisher's z for rank correlations, times n - 3 (Fieller and others 1957)."""

_SUSPICIOUS = frozenset(
    {
        *("score", "scores", "scored", "prediction", "predictions", "predicted", "pred", "preds", "proba"),
        *("probability", "probabilities", "propensity", "model", "flagged", "rank", "ranked", "ranking"),
        *("recommended", "recommendation", "recommendations", "decision", "decisions", "decided"),
        *("approved", "rejected", "granted", "impression", "impressions", "exposure", "exposures"),
        *("exposed", "shown", "click", "clicks", "clicked"),
    }
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

NO_PAIRS = "No entity has two rows in an order of time: an id that repeats and a time column are needed."


def suspicious_names(names: Sequence[str]) -> dict[str, str]:
    """Return the names that sound like something that a model said, each with the word that does.

    Examples
    --------
    >>> suspicious_names(["income", "lastScore", "n_impressions_7d", "Scoreboard"])
    {'lastScore': 'score', 'n_impressions_7d': 'impressions'}
    """
    found = {}
    for name in names:
        words = [word.lower() for word in _WORDS.findall(name)]
        word = next((word for word in words if word in _SUSPICIOUS), None)
        if word is not None:
            found[name] = word
    return found


@dataclass(frozen=True)
class Pairs:
    """Of each entity its last row and the one before, as positions among the decisions; shape (m,) each."""

    last: NDArray[np.intp]
    before: NDArray[np.intp]


def last_pairs(data: Decisions) -> Pairs:
    """Return the last two rows of every entity; one whose last three rows are not told apart by time has none.

    One pair for each entity, so that pairs are independent of each other.

    Raises
    ------
    NotMeasured
        If there are no times, no id repeats, or too few entities have two rows.
    """
    if data.entities is None or data.times is None:
        raise NotMeasured(NO_PAIRS)
    known = np.flatnonzero(np.isfinite(data.times))
    times, entities = data.times[known], data.entities[known]
    order = np.lexsort((times, entities))
    times, entities, rows = times[order], entities[order], known[order]
    is_last = np.append(entities[1:] != entities[:-1], True) if rows.size else np.zeros(0, dtype=bool)
    ends = np.flatnonzero(is_last)
    ends = ends[ends >= 1]
    ends = ends[(entities[ends] == entities[ends - 1]) & (times[ends] > times[ends - 1])]
    third = np.maximum(ends - 2, 0)
    clear = (ends < 2) | (entities[third] != entities[ends]) | (times[third] < times[ends - 1])
    ends = ends[clear]
    if ends.size < FEWEST_PAIRS:
        raise NotMeasured(
            f"Not enough data: {ends.size} entities have two rows in an order of time; {FEWEST_PAIRS} are needed."
        )
    return Pairs(rows[ends], rows[ends - 1])


@dataclass(frozen=True)
class Association:
    """How a feature goes along with the score before; ``reason`` says why it could not be seen."""

    feature: str
    pairs: int
    value: float | None = None
    interval: Interval | None = None
    p_value: float = math.nan
    matches: int = 0
    compared: int = 0
    reason: str = ""


def association(feature: str, now: Numbers, then: Numbers, before: Numbers) -> Association:
    """Measure how a feature goes along with the entity's score before, with its own value before held fixed.

    The partial rank correlation, by its size: a lasting trait goes along with its own earlier value and adds nothing,
    a feature that was made from the score does. The interval and p are Fisher's, with Fieller's factor for ranks.

    Parameters
    ----------
    now, then : ndarray of shape (m,)
        The feature in the last row and in the one before; NaN where missing.
    before : ndarray of shape (m,)
        The score in the row before.

    References
    ----------
    E. C. Fieller, H. O. Hartley, E. S. Pearson, "Tests for rank correlation coefficients", Biometrika 44, 1957.
    """
    from scipy.stats import rankdata

    both = np.isfinite(now) & np.isfinite(before)
    compared, matches = int(np.count_nonzero(both)), int(np.count_nonzero(both & _alike(now, before)))
    usable = both & np.isfinite(then)
    size = int(np.count_nonzero(usable))
    if size < FEWEST_PAIRS:
        return Association(feature, size, matches=matches, compared=compared, reason=_few(size))
    x, y, z = (rankdata(values[usable]) for values in (now, before, then))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Association(feature, size, matches=matches, compared=compared, reason="It, or the score, is constant.")
    with_score = float(np.corrcoef(x, y)[0, 1])
    if np.ptp(z) == 0:
        value, held = with_score, 0
    else:
        own, other = float(np.corrcoef(x, z)[0, 1]), float(np.corrcoef(y, z)[0, 1])
        spare = (1 - own**2) * (1 - other**2)
        if spare < 1e-9:
            alike = "It does not change from one row of an entity to the next, or always goes along with the score."
            return Association(feature, size, matches=matches, compared=compared, reason=alike)
        value, held = max(-1.0, min(1.0, (with_score - own * other) / math.sqrt(spare))), 1
    error = math.sqrt(_RANK_INFLATION / (size - 3 - held))
    z_value = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, value)))
    half = normal_quantile(LEVEL) * error
    ends = math.tanh(z_value - half), math.tanh(z_value + half)
    low = 0.0 if ends[0] <= 0 <= ends[1] else min(abs(ends[0]), abs(ends[1]))
    interval = min(low, abs(value)), max(abs(ends[0]), abs(ends[1]), abs(value))
    return Association(
        feature, size, abs(value), interval, two_sided_p_value(z_value / error), matches=matches, compared=compared
    )


def _alike(now: Numbers, before: Numbers) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.abs(now - before) <= _EQUAL * np.maximum(1.0, np.abs(before)))


def _few(size: int) -> str:
    return f"Not enough data: {size} entities have the feature twice and a score before; {FEWEST_PAIRS} are needed."


def earlier_findings(data: Decisions, sample: Sample, *, progress: Callable[[float], None]) -> Findings:
    """Look at every feature: its name, and whether it goes along with what was said of the same entity before."""
    found = Findings()
    names = sample.roles.features
    if not names:
        none = "No column is a feature."
        found.measurements.append(measured("suspicious_name_count", None, size=0, otherwise=none))
        return found
    suspicious = suspicious_names(names)
    note = ", ".join(list(suspicious)[:10]) if suspicious else None
    found.measurements.append(measured("suspicious_name_count", float(len(suspicious)), size=len(names), note=note))
    associations = []
    for one in _associations(data, sample, names):
        associations.append(one)
        progress(len(associations) / len(names))
    adjusted = benjamini_hochberg([one.p_value for one in associations]).tolist()
    for one, value in zip(associations, adjusted, strict=True):
        found.measurements += _measurements(one, value)
    found.curves += _forest(associations)
    if suspicious or any(one.value is not None for one in associations):
        found.tables.append(_table(associations, adjusted, suspicious))
    return found


def _associations(data: Decisions, sample: Sample, names: Sequence[str]) -> Iterator[Association]:
    scores = data.scores
    if scores is None:
        yield from (Association(name, 0, reason=data.no_scores) for name in names)
        return
    try:
        pairs = last_pairs(data)
    except NotMeasured as reason:
        yield from (Association(name, 0, reason=str(reason)) for name in names)
        return
    for name in names:
        try:
            values = sample.numbers(name)[data.rows]
        except NotMeasured as reason:
            yield Association(name, 0, reason=str(reason))
            continue
        yield association(name, values[pairs.last], values[pairs.before], scores[pairs.before])


def _measurements(one: Association, adjusted: float) -> Iterator[Measurement]:
    scope: Scope = {"feature": one.feature}
    yield measured(
        "earlier_score_association",
        one.value,
        size=one.pairs,
        scope=scope,
        interval=one.interval,
        otherwise=one.reason,
    )
    yield measured("earlier_score_p_value", one.p_value, size=one.pairs, scope=scope, otherwise=one.reason)
    yield measured("earlier_score_adjusted_p_value", adjusted, size=one.pairs, scope=scope, otherwise=one.reason)
    yield measured(
        "earlier_score_match_rate",
        one.matches / one.compared if one.compared else None,
        size=one.compared,
        scope=scope,
        interval=wilson(one.matches, one.compared) if one.compared else None,
        otherwise=one.reason or _few(0),
    )


def _forest(associations: Sequence[Association]) -> list[Curve]:
    known = [one for one in associations if one.value is not None and one.interval is not None]
    known.sort(key=lambda one: (-(one.value or 0.0), one.feature))
    if not known:
        return []
    drawn = known[:_DRAWN]
    series = Series(
        name="rank correlation",
        x=tuple(one.feature for one in drawn),
        y=tuple(one.value for one in drawn),
        low=tuple(one.interval[0] if one.interval else None for one in drawn),
        high=tuple(one.interval[1] if one.interval else None for one in drawn),
        size=tuple(one.pairs for one in drawn),
    )
    return [
        Curve(
            name="earlier_scores",
            title="Features that go along with the score before",
            shape=Shape.FOREST,
            x_title="feature",
            y_title="rank correlation with the score before, own earlier value held fixed",
            series=(series,),
            reference=0.0,
        )
    ]


def _table(associations: Sequence[Association], adjusted: Sequence[float], names: dict[str, str]) -> ResultTable:
    lines = sorted(
        zip(associations, adjusted, strict=True),
        key=lambda pair: (-(pair[0].value or 0.0), pair[0].feature not in names, pair[0].feature),
    )
    return ResultTable(
        name="earlier_scores",
        title="Features and earlier scores",
        columns=("feature", "correlation with the score before", "adjusted p", "equals it", "word in its name", "note"),
        rows=tuple(
            (
                one.feature,
                one.value,
                value if math.isfinite(value) else None,
                one.matches / one.compared if one.compared else None,
                names.get(one.feature),
                one.reason or None,
            )
            for one, value in lines
        ),
        note="A name is a hint for a person to look at, no more.",
    )
