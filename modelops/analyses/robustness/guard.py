"""What a guard around the model would do: catch unusual rows, and truncate them, answer by a rule, or abstain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.asked import Asked, Numbers, decided, finite_rows, truth_of
from modelops.analyses.base import EvaluationData
from modelops.analyses.levels import Coded, groups
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.robustness.scenarios import kind_of
from modelops.analyses.statistics.intervals import Interval, normal_quantile, wilson
from modelops.domain.columns import Task
from modelops.domain.number_words import percent
from modelops.domain.result import Measurement, ResultTable
from modelops.errors import InvalidInput, WorkerFailed

if TYPE_CHECKING:
    import pandas as pd

    from modelops.analyses.robustness.parameters import RobustnessParameters

_GROUPS = 12
_NO_TARGET = "There is no target, so what the guard does to the quality is not known."

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Usual:
    """What is usual in each column: a range for numbers, a set of levels for the rest; whether values go missing."""

    ranges: dict[str, tuple[float, float]]
    levels: dict[str, frozenset[str]]
    complete: frozenset[str]
    source: str

    def unusual(self, rows: pd.DataFrame) -> Mask:
        """Say for each row whether any value is out of range, never seen, or missing where none ever was."""
        found = np.zeros(len(rows), dtype=bool)
        for name, (low, high) in self.ranges.items():
            if kind_of(rows[name]) != "number":  # text where a number is usual
                found |= rows[name].notna().to_numpy()
                continue
            values = _numbers(rows[name])
            with np.errstate(invalid="ignore"):
                found |= (values < low) | (values > high)
        for name, known in self.levels.items():
            column = rows[name]
            found |= ~column.isna().to_numpy() & ~column.astype(str).isin(known).to_numpy()
        for name in self.complete:
            found |= rows[name].isna().to_numpy()
        return found

    def truncated(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with every number brought back into its range; other values stay as they are."""
        clipped = {}
        for name, (low, high) in self.ranges.items():
            if kind_of(rows[name]) != "number":
                continue
            values = np.clip(_numbers(rows[name]), low, high)
            clipped[name] = values.astype(np.int64) if _whole(rows[name]) and _are_whole(values) else values
        return rows.assign(**clipped)


def usual(data: EvaluationData, names: tuple[str, ...], *, tail: float) -> Usual:
    """Learn what is usual from the training data, else the reference, else the data itself.

    A share ``tail`` at each end of a column, and levels rarer than that, count as unusual.
    """
    source, sample = next(
        (word, one)
        for word, one in (("training data", data.train), ("reference", data.reference), ("data itself", data.data))
        if one is not None and set(names) <= set(one.source.names)
    )
    ranges, levels, complete = {}, {}, set()
    for name in names:
        column = sample.series(name)
        if kind_of(column) == "number":
            values = _numbers(column)
            known = values[np.isfinite(values)]
            if known.size:
                low, high = np.quantile(known, [tail, 1 - tail], method="nearest")
                ranges[name] = float(low), float(high)
        else:
            shares = column.astype(object).dropna().astype(str).value_counts(normalize=True)
            levels[name] = frozenset(shares.index[shares >= tail])
        if len(column) and not column.isna().any():
            complete.add(name)
    return Usual(ranges, levels, frozenset(complete), source)


def _numbers(column: pd.Series[Any]) -> Numbers:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _whole(column: pd.Series[Any]) -> bool:
    return column.dtype.kind in "iu"


def _are_whole(values: Numbers) -> bool:
    return bool((values == np.floor(values)).all())


@dataclass(frozen=True)
class _Case:
    """The rows that the guard is tried on: answers, truth (codes or numbers, NaN for missing), groups."""

    answers: Numbers
    truth: Numbers | None
    groups: dict[str, Coded]
    is_classes: bool

    def predicted(self, answers: Numbers) -> Numbers:
        return decided(answers).astype(np.float64) if self.is_classes else answers


def simulate(
    data: EvaluationData,
    subject: Asked,
    answers: Numbers,
    parameters: RobustnessParameters,
    *,
    bounds: tuple[float, float] | None,
) -> Findings:
    """Try the guard on rows and say what it catches and what each way to act on it does.

    Parameters
    ----------
    subject : Asked
        The rows, and ``answers`` what the model says of them.
    bounds : (float, float) or None
        The range of plausible predictions of a regression.
    """
    known = usual(data, subject.model.features, tail=parameters.guard_tail)
    case = _case(data, subject, answers)
    caught = {"unusual input": known.unusual(subject.rows), **_by_answer(case, parameters, bounds)}
    caught["any"] = np.logical_or.reduce(list(caught.values()))
    findings = Findings(notes=[_note(known, parameters)])
    findings.measurements += [_hits(name, mask) for name, mask in caught.items()]
    for column, codes in case.groups.items():
        for level, name in enumerate(codes.levels):
            mine = codes.codes == level
            findings.measurements.append(_hits("any", caught["any"][mine], group={column: name}))
    findings.add(_actions(data, subject, case, known, caught["any"], parameters, bounds))
    return findings


def _case(data: EvaluationData, subject: Asked, answers: Numbers) -> _Case:
    sample, model = data.data, subject.model
    is_classes = bool(model.classes)
    truth = None
    if sample.roles.target is not None:
        truth = truth_of(sample, sample.roles.target, model.classes)[subject.positions]
    coded = {name: groups(sample, name, most=_GROUPS)[0].take(subject.positions) for name in sample.roles.sensitive}
    return _Case(answers, truth, coded, is_classes)


def _by_answer(case: _Case, parameters: RobustnessParameters, bounds: tuple[float, float] | None) -> dict[str, Mask]:
    """Return what is caught by looking at the answer: no number, little confidence, or out of range."""
    caught = {"no number": ~finite_rows(case.answers)}
    with np.errstate(invalid="ignore"):
        if case.is_classes and parameters.guard_confidence is not None:
            caught["low confidence"] = case.answers.max(axis=1) < parameters.guard_confidence
        if not case.is_classes and bounds is not None:
            caught["unusual prediction"] = (case.answers < bounds[0]) | (case.answers > bounds[1])
    return caught


def _note(known: Usual, parameters: RobustnessParameters) -> str:
    return (
        f"The guard catches rows with a value outside the central {percent(1 - 2 * parameters.guard_tail)} of the "
        f"{known.source}, a level rarer than {percent(parameters.guard_tail)} there, a missing value where it has "
        "none, or an answer that is no number or out of range."
    )


def _hits(name: str, mask: Mask, *, group: dict[str, str] | None = None) -> Measurement:
    scope: dict[str, Any] = {"guard": name} | ({"group": group} if group else {})
    hits, size = int(np.count_nonzero(mask)), len(mask)
    return measured(
        "guard_hit_rate",
        hits / size if size else None,
        size=size,
        scope=scope,
        interval=wilson(hits, size) if size else None,
        otherwise="No row is in this group.",
    )


def _actions(
    data: EvaluationData,
    subject: Asked,
    case: _Case,
    known: Usual,
    caught: Mask,
    parameters: RobustnessParameters,
    bounds: tuple[float, float] | None,
) -> Findings:
    plain = case.predicted(case.answers).copy()
    plain[~finite_rows(case.answers)] = np.nan
    acted: dict[str, tuple[Numbers, str]] = {"none": (plain, "")}
    acted["truncate"] = _truncated(subject, case, known, caught, plain, bounds)
    fallback, rule = _fallback(data, case, parameters, subject.model.classes)
    acted["fall back"] = np.where(caught, fallback, plain), rule
    acted["abstain"] = np.where(caught, np.nan, plain), "rows that are caught get no answer"
    findings = Findings()
    lines = []
    for action, (predicted, how) in acted.items():
        quality = _quality(case, predicted, {"guard": action})
        findings.measurements.append(quality)
        for column, codes in case.groups.items():
            for level, name in enumerate(codes.levels):
                mine = codes.codes == level
                scope: dict[str, Any] = {"guard": action, "group": {column: name}}
                findings.measurements.append(_quality(case, np.where(mine, predicted, np.nan), scope))
        changed = int(np.count_nonzero(~np.isclose(plain, predicted, equal_nan=True)))
        lines.append((action, how, changed, quality.sample_size, shown(quality.value)))
    metric = "accuracy" if case.is_classes else "mean absolute error"
    findings.tables.append(
        ResultTable(
            name="guard",
            title=f"What a guard would do on {len(caught):,} rows",
            columns=("action", "how", "answers changed", "rows answered and judged", metric),
            rows=tuple(lines),
        )
    )
    return findings


def _truncated(
    subject: Asked, case: _Case, known: Usual, caught: Mask, plain: Numbers, bounds: tuple[float, float] | None
) -> tuple[Numbers, str]:
    found = plain.copy()
    if caught.any():
        rows = subject.rows[caught].reset_index(drop=True)
        try:
            answers = np.asarray(subject.model.answers(known.truncated(rows)), dtype=np.float64)
        except (InvalidInput, WorkerFailed) as reason:
            return found, f"the model refuses the truncated rows: {reason}"[:200]
        again = case.predicted(answers).copy()
        again[~finite_rows(answers)] = np.nan
        found[caught] = again if case.is_classes or bounds is None else np.clip(again, *bounds)
    return found, "numbers are brought back into their range" + ("" if case.is_classes else ", predictions too")


def _fallback(
    data: EvaluationData, case: _Case, parameters: RobustnessParameters, classes: tuple[str, ...]
) -> tuple[float, str]:
    """Return what is answered in the place of the model, as a position of a class or a number."""
    given = parameters.fallback
    if given is not None:
        value = _position(given, classes) if classes else _number(given)
        return value, f"rows that are caught get {given}"
    sample = data.train if data.train is not None and data.train.roles.target is not None else None
    if sample is not None and sample.roles.target is not None:
        known, where = truth_of(sample, sample.roles.target, classes), "training data"
    elif case.truth is not None:
        known, where = case.truth, "data"
    else:
        known, where = case.predicted(case.answers), "predictions"
    known = known[np.isfinite(known)]
    if not known.size:
        return float("nan"), "there is nothing to take a fall-back from"
    if not classes:
        return float(np.median(known)), f"rows that are caught get the median of the {where}"
    commonest = int(np.bincount(known.astype(np.intp), minlength=len(classes)).argmax())
    return float(commonest), f"rows that are caught get {classes[commonest]}, the commonest class of the {where}"


def _position(label: str, classes: tuple[str, ...]) -> float:
    if label not in classes:
        raise InvalidInput(f"The fall-back {label!r} is no class of the model; it has {', '.join(classes[:10])}.")
    return float(classes.index(label))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"Got {text!r} as the fall-back of a regression, a number is needed.") from None


def _quality(case: _Case, predicted: Numbers, scope: dict[str, Any]) -> Measurement:
    metric = "accuracy" if case.is_classes else "mean_absolute_error"
    if case.truth is None:
        return measured(metric, None, size=0, scope=scope, otherwise=_NO_TARGET)
    usable = np.isfinite(predicted) & np.isfinite(case.truth)
    size = int(np.count_nonzero(usable))
    if not size:
        return measured(metric, None, size=0, scope=scope, otherwise="No row has both an answer and a target.")
    with np.errstate(over="ignore"):
        apart = np.abs(predicted[usable] - case.truth[usable])
    if case.is_classes:
        right = int(np.count_nonzero(apart == 0))
        return measured(metric, right / size, size=size, scope=scope, interval=wilson(right, size))
    return measured(metric, float(apart.mean()), size=size, scope=scope, interval=_mean_interval(apart))


def _mean_interval(values: Numbers) -> Interval | None:
    if len(values) < 2:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        half = normal_quantile() * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half


def truth_range(data: EvaluationData, *, margin: float) -> tuple[float, float] | None:
    """Return the range that predictions of a regression should keep: that of the target, wider by ``margin``.

    The target of the training data where it is there, else of the data; ``None`` without a target.
    """
    if data.task is not Task.REGRESSION:
        return None
    for sample in (data.train, data.data):
        if sample is not None and sample.roles.target is not None:
            known = sample.numbers(sample.roles.target)
            known = known[np.isfinite(known)]
            if known.size:
                low, high = float(known.min()), float(known.max())
                with np.errstate(over="ignore"):
                    wider = (high - low) * margin
                return low - wider, high + wider
    return None
