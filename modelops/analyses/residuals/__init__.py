"""Where and in which direction the errors lie: the declaration of `residuals` and its parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run, Sample
from modelops.analyses.composed import drawn
from modelops.analyses.measuring import Findings, finite, thinned
from modelops.analyses.pending_tests import PendingTest
from modelops.analyses.pending_tests import adjusted as adjusted_tests
from modelops.analyses.residuals.bias import Bias, bias_measurements, bias_table, error_bias, tails
from modelops.analyses.residuals.columns import (
    ByColumn,
    Cells,
    by_column,
    cells,
    column_curve,
    column_measurements,
    columns_table,
)
from modelops.analyses.residuals.shape import (
    shape_curves,
    spread_measurements,
    spread_ratio,
    unevenness_measurements,
)
from modelops.analyses.residuals.time import InTime, in_time, lag_1_p_value, time_findings
from modelops.analyses.residuals.values import Residuals, residuals
from modelops.analyses.statistics.bootstrap import DRAWS, Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.domain.columns import Task
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Curve, Measurement, Scope, Series, Shape
from modelops.errors import NotMeasured

_SCATTER = 400
_MOST_CELLS = 40
PREDICTION = "(prediction)"


class ResidualsParameters(Parameters):
    """What a person may set for `residuals`."""

    tail: float = Field(
        default=0.05,
        gt=0,
        le=0.25,
        description="Share of the rows that count as most overestimated, and as most under.",
    )
    parts: int = Field(default=10, ge=2, le=20, description="Ranges that numbers and times are cut into.")
    largest_levels: int = Field(
        default=20, ge=2, le=100, description="How many levels of a column are kept apart; rarer ones go together."
    )
    curves: int = Field(
        default=8, ge=0, le=100, description="Columns that are drawn, those that explain most of the residuals first."
    )
    lags: int = Field(default=10, ge=1, le=100, description="Lags in time over which autocorrelation is tested.")
    rows: int = Field(
        default=50_000,
        ge=100,
        le=1_000_000,
        description="Rows sampled for the tests of uneven spread over all features.",
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=DRAWS, ge=1000, le=20_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: ResidualsParameters, run: Run) -> Computed:
    """Measure what is left in the errors.

    Residuals are target less prediction (label less score for a class). By column: means of cells, the test that
    they are equal, omega squared. Over the prediction and all features: studentised Breusch-Pagan and White. Over time:
    Durbin-Watson and Ljung-Box. Error bias: the worst errors of each side against all other rows, column by column. The
    p-values of each family are adjusted by Benjamini and Hochberg.

    Raises
    ------
    NotMeasured
        If there is no target, no prediction, or no row with both.
    """
    if data.data.roles.target is None:
        raise NotMeasured("Residuals need a target column; there is none.")
    run.progress(0.02, "Reading predictions and labels")
    seen, dropped, notes = residuals(data, seed=run.seed)
    study = _Study(data.data, parameters, run, Uncertainty(run.rng(), parameters.draws, parameters.level))
    study.found.notes += notes
    for place, one in enumerate(seen):
        study.look_at(one, start=0.05 + 0.9 * place / len(seen), share=0.9 / len(seen))
    study.found.measurements += adjusted_tests(study.in_order)
    return study.found.computed(_summary(study, seen), dropped=dropped)


def _order_test(measurements: Sequence[Measurement]) -> PendingTest:
    first = next(one for one in measurements if one.metric == "residual_autocorrelation")
    p_value = None if first.value is None else lag_1_p_value(first.value, first.sample_size)
    return PendingTest(first.metric, first.scope, p_value, first.sample_size, first.note or "")


class _Study:
    """One run: what it looks at and what it has found."""

    def __init__(self, sample: Sample, parameters: ResidualsParameters, run: Run, uncertainty: Uncertainty) -> None:
        self.sample = sample
        self.parameters = parameters
        self.run = run
        self.uncertainty = uncertainty
        self.found = Findings()
        self.columns: list[tuple[Residuals, ByColumn, float | None]] = []
        self.in_order: list[PendingTest] = []

    def look_at(self, one: Residuals, *, start: float, share: float) -> None:
        titled = f" ({one.title})" if one.scope else ""
        level = self.uncertainty.level
        self.found.measurements += spread_measurements(one, self.uncertainty)
        self.found.measurements.append(spread_ratio(one, self.uncertainty))
        self.found.curves.append(_scatter(one, titled))
        worst = tails(one.values, share=self.parameters.tail)
        compared: list[ByColumn] = []
        biases: list[Bias] = []
        for place, name in enumerate(names := self._names()):
            self.run.progress(start + share * place / (len(names) + 1), f"Residuals by {name}")
            column = self._cells(name, one)
            compared.append(by_column(one, column))
            if name != PREDICTION:
                biases += error_bias(self.sample, column, one, worst, seed=self.run.seed)
        self.run.progress(start + share * len(names) / (len(names) + 1), "Testing the spread and the order of time")
        self._by_column(compared, one, titled)
        self._bias(biases, one.scope, titled)
        chosen, columns = self._encoded(one)
        self.found.measurements += unevenness_measurements(one, columns, chosen)
        series = self._in_time(one)
        over_time = time_findings(series, one, titled, lags=self.parameters.lags, level=level)
        self.in_order.append(_order_test(over_time.measurements))
        self.found.add(over_time)
        self.found.curves += shape_curves(one, titled)

    def _names(self) -> list[str]:
        roles = self.sample.roles
        time = [roles.time] if roles.time else []
        return list(dict.fromkeys([PREDICTION, *roles.features, *roles.sensitive, *time]))

    def _cells(self, name: str, one: Residuals) -> Cells:
        parts, most = self.parameters.parts, self.parameters.largest_levels
        if name != PREDICTION:
            return cells(self.sample, name, one.rows, most=most, parts=parts)
        edges = np.unique(np.quantile(one.predicted, np.arange(1, parts) / parts))
        codes = np.searchsorted(edges, one.predicted, side="left")
        bounds = [(one.predicted[codes == code].min(), one.predicted[codes == code].max()) for code in np.unique(codes)]
        codes = np.unique(codes, return_inverse=True)[1]
        levels = [f"{_end(low)} to {_end(high)}" if low < high else _end(low) for low, high in bounds]
        names = tuple(f"{level} ({place})" if level in levels[:place] else level for place, level in enumerate(levels))
        return Cells(PREDICTION, codes, names, ordered=True)

    def _by_column(self, compared: Sequence[ByColumn], one: Residuals, titled: str) -> None:
        values = benjamini_hochberg([np.nan if each.p_value is None else each.p_value for each in compared])
        adjusted = finite(values)
        self.columns += [(one, each, value) for each, value in zip(compared, adjusted, strict=True)]
        for each, value in zip(compared, adjusted, strict=True):
            scope: Scope = {"feature": each.cells.name, **one.scope}
            self.found.measurements += column_measurements(each, value, scope)
        order = sorted(range(len(compared)), key=lambda place: compared[place].rank_key)
        ranked = [compared[place] for place in order]
        self.found.tables.append(columns_table(ranked, [adjusted[place] for place in order], one, titled))
        shown = [each for each in ranked if each.cells.name == PREDICTION and self.parameters.curves]
        shown += [each for each in ranked if each.cells.name != PREDICTION][: self.parameters.curves]
        level = self.uncertainty.level
        self.found.curves += [column_curve(each, one, titled, level=level, most=_MOST_CELLS) for each in shown]

    def _bias(self, biases: Sequence[Bias], scope: Scope, titled: str) -> None:
        values = benjamini_hochberg([np.nan if each.p_value is None else each.p_value for each in biases])
        adjusted = finite(values)
        for each, value in zip(biases, adjusted, strict=True):
            self.found.measurements += bias_measurements(each, value, scope)
        if biases:
            self.found.tables.append(bias_table(biases, adjusted, scope, titled))
            note = (
                f"Error bias compares the {percent(self.parameters.tail)} most overestimated rows, and as many most "
                "underestimated ones, with all other rows."
            )
            self.found.notes.append(note)

    def _encoded(self, one: Residuals) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Rows for the tests of uneven spread, and all features as numbers: levels as indicators."""
        chosen = np.arange(one.values.size)
        if not one.is_quantity:
            return chosen[:0], np.zeros((0, 0))
        if one.values.size > self.parameters.rows:
            roles = self.sample.roles
            names = [name for name in (roles.target, roles.prediction, roles.time, *roles.ids) if name]
            order = drawn(self.sample, names, limit=self.sample.n_rows, seed=self.run.seed)
            place = np.full(self.sample.n_rows, -1, dtype=np.intp)
            place[one.rows] = chosen
            order = place[order]
            chosen = np.sort(order[order >= 0][: self.parameters.rows])
            self.found.notes.append(
                f"Uneven spread was tested on {chosen.size:,} of {one.values.size:,} rows, drawn at random with seed "
                f"{self.run.seed}: a weaker unevenness than {self.parameters.rows:,} rows can show is not seen."
            )
        blocks = [_as_numbers(self.sample, name, one.rows[chosen]) for name in self.sample.roles.features]
        width = sum(block.shape[1] for block in blocks)
        return chosen, np.column_stack(blocks) if width else np.zeros((chosen.size, 0))

    def _in_time(self, one: Residuals) -> InTime | str:
        name = self.sample.roles.time
        if name is None:
            return "There is no time column, so the order of the rows is not known."
        try:
            return in_time(self.sample, one, name)
        except NotMeasured as reason:
            return str(reason)


def _as_numbers(sample: Sample, name: str, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    try:
        numbers = sample.numbers(name)[rows]
    except NotMeasured:
        column = cells(sample, name, rows, most=10, parts=10)
        return np.asarray(column.codes[:, None] == np.arange(1, len(column.levels)), dtype=np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        return np.zeros((rows.size, 0))
    scale = float(np.abs(numbers[known]).max()) or 1.0
    filled = np.where(known, numbers, 0.0) / scale
    filled[~known] = filled[known].mean()
    return filled[:, None] if known.all() else np.column_stack([filled, known])


def _end(value: float) -> str:
    """Write the end of a range without a power of ten where it is large."""
    return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _scatter(one: Residuals, titled: str) -> Curve:
    order = np.lexsort((one.values, one.predicted))
    kept = order[thinned(np.arange(one.values.size, dtype=np.float64), most=_SCATTER)]
    few = kept.size < one.values.size
    return Curve(
        name="residuals_against_prediction",
        title=f"Residuals against predictions{titled}",
        shape=Shape.SCATTER,
        x_title="Prediction" if one.is_quantity else "Score",
        y_title="Target less prediction",
        series=(Series(name="rows", x=finite(one.predicted[kept]), y=finite(one.values[kept])),),
        scope=one.scope,
        reference=0.0,
        note=f"{kept.size} of {one.values.size:,} rows, evenly spread over the predictions." if few else None,
    )


def _summary(study: _Study, seen: Sequence[Residuals]) -> str:
    """Say what is left where most of it can be explained: of several classes, the one that stands out."""
    told = [
        (one, each)
        for one, each, p in study.columns
        if p is not None and p < 1 - study.uncertainty.level and each.explained
    ]
    one, best = max(told, key=lambda pair: pair[1].explained or 0.0, default=(seen[0], None))
    if best is None and len(seen) > 1:
        return f"No column was found to say anything more about the errors of the scores of {len(seen)} classes."
    mean = next(each for each in study.found.measurements if each.metric == "mean_residual" and each.scope == one.scope)
    cancels = mean.interval is not None and mean.interval[0] <= 0 <= mean.interval[1]
    text = f"over {one.values.size:,} rows "
    if cancels:
        text += "errors to both sides cancel out"
    else:
        amount = f"too {'little' if one.mean > 0 else 'much'} by {quantity(abs(one.mean))} on average"
        text += f"its score is {amount}" if len(seen) > 1 else f"the model says {amount}"
    text = f"Most is left for the class {one.title!r}: {text}" if len(seen) > 1 else text[0].upper() + text[1:]
    if best is None:
        return text + "; no column was found to say anything more about them."
    name = "the size of the prediction" if best.cells.name == PREDICTION else best.cells.name
    still = "but" if cancels else "and"
    return f"{text}, {still} {name} still tells where: it explains {percent(best.explained or 0.0)} of what is left."


RESIDUALS = Analysis(
    key="residuals",
    title="Residuals",
    question="Where and in which direction do the errors lie, and is anything left to learn from them?",
    serves=("predictions.explained",),
    needs=frozenset({Need.TARGET}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=ResidualsParameters,
    source=(
        "T. S. Breusch, A. R. Pagan, Econometrica 47, 1979, and H. White, Econometrica 48, 1980 (uneven spread); "
        "J. Durbin, G. S. Watson, Biometrika 37, 1950, and G. M. Ljung, G. E. P. Box, Biometrika 65, 1978 "
        "(autocorrelation); M. B. Brown, A. B. Forsythe, Technometrics 16, 1974 (means); P. K. Dunn, G. K. Smyth, "
        "JCGS 5, 1996 (quantile residuals)"
    ),
    unseen=("data",),
    compute=compute,
    uses=frozenset({Need.PREDICTION, Need.SCORE, Need.FEATURES, Need.SENSITIVE, Need.TIME}),
)
