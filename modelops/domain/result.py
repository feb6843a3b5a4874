"""What an analysis hands back: measurements, curves, tables; and the verdicts that a policy adds.

The JSON form of `AnalysisResult` is the result file ``modelops.result/1`` that other programs read.
"""

from __future__ import annotations

from enum import StrEnum
from operator import not_
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from modelops.domain.digest import Digest
from modelops.domain.record import Record, Scalar

RESULT_SCHEMA: Final = "modelops.result/1"

Scope = dict[str, str | int | float | bool | dict[str, str]]


class Outcome(StrEnum):
    """What a policy says of one measurement."""

    PASSED = "passed"
    FAILED = "failed"
    IMMATERIAL = "immaterial"
    NOT_ENOUGH_DATA = "not enough data"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"
    WAIVED = "waived"


class Measurement(Record):
    """One number with everything needed to read it.

    ``value`` is ``None`` where it could not be measured, and then ``note`` says why. ``interval`` is the
    confidence interval at ``level``; ``sample_size`` is the denominator that counts (for a false positive rate,
    the negatives). ``applies`` is false, and only then written, where there is nothing of the kind to measure (the
    rounds of a model that has none): more data would not bring a value, and none is owed.
    """

    metric: str
    value: float | None
    unit: str | None = None
    scope: Scope = Field(default_factory=dict)
    interval: tuple[float, float] | None = None
    level: float | None = None
    sample_size: int = Field(ge=0)
    note: str | None = None
    applies: bool = Field(default=True, exclude_if=bool)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.value is None and not self.note:
            raise ValueError(f"{self.metric}: a value that was not measured needs a note with the reason")
        if self.value is not None and not self.applies:
            raise ValueError(f"{self.metric}: there is a value, so it applies")
        if (self.interval is None) != (self.level is None):
            raise ValueError(f"{self.metric}: an interval and its level come together")
        return self


class Shape(StrEnum):
    """How a curve is to be drawn; one function of ``charts`` for each."""

    LINE = "line"
    STEP = "step"
    BARS = "bars"
    FOREST = "forest"
    HEATMAP = "heatmap"
    SCATTER = "scatter"
    BEESWARM = "beeswarm"


class Series(Record):
    """One line, set of bars or row of a heat map.

    ``low`` and ``high`` are the ends of the interval of each ``y``; ``size`` is how many rows stand behind each
    point; ``shade`` colours each point of a scatter (0 low to 1 high). ``part`` says how much it matters: what the
    chart is about, a faint backdrop (single rows behind their average), or the density of the data under it.
    """

    name: str
    x: tuple[float | str | None, ...]
    y: tuple[float | str | None, ...]
    low: tuple[float | None, ...] | None = None
    high: tuple[float | None, ...] | None = None
    size: tuple[int, ...] | None = None
    shade: tuple[float | None, ...] | None = None
    part: Literal["main", "backdrop", "density"] = "main"

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for name in ("y", "low", "high", "size", "shade"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.x):
                raise ValueError(f"series {self.name!r}: {len(self.x)} x values and {len(values)} {name} values")
        return self


class Curve(Record):
    """What one chart shows, without any drawing library.

    A heat map has one series for each row (``name``: the row, ``x``: the columns, ``y``: the values). A forest plot has
    the labels in ``x``, the estimates in ``y``. ``reference`` is a line that the reader compares with (the diagonal of
    a calibration curve is ``"diagonal"``, a number is a level). ``x_scale`` is written only where it is not linear:
    equal ratios are equal distances then, and every ``x`` is a number above zero.
    """

    name: str
    title: str
    shape: Shape
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    scope: Scope = Field(default_factory=dict)
    reference: float | Literal["diagonal"] | None = None
    note: str | None = None
    x_scale: Literal["linear", "log"] = Field(default="linear", exclude_if=lambda scale: scale == "linear")

    @model_validator(mode="after")
    def _placeable(self) -> Self:
        values = [x for series in self.series for x in series.x] if self.x_scale == "log" else []
        if any(not isinstance(x, float | int) or x <= 0 for x in values):
            raise ValueError(f"curve {self.name!r}: on a log scale every x is a number above 0")
        return self


class ResultTable(Record):
    """A small table for people; what programs read stands in the measurements.

    ``units`` says for columns, by their names, what their numbers count: seconds, megabytes. It is written only where a
    column has one; the names stay what they are, and people see `headings`.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    note: str | None = None
    units: dict[str, str] = Field(default_factory=dict, exclude_if=lambda units: not units)

    @property
    def headings(self) -> tuple[str, ...]:
        """The names of the columns with their units: ``median (ms)``."""
        return tuple(f"{name} ({self.units[name]})" if name in self.units else name for name in self.columns)

    @model_validator(mode="after")
    def _of_columns(self) -> Self:
        if unknown := sorted(set(self.units) - set(self.columns)):
            raise ValueError(f"table {self.name!r}: a unit is given for {unknown[0]!r}, which is no column")
        return self

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name!r}: a row has another length than the {len(self.columns)} columns")
        return self

    @property
    def filled(self) -> Self:
        """The table for people: without columns that have a value in no row, as a class where quantities are told."""
        kept = [place for place in range(len(self.columns)) if any(row[place] is not None for row in self.rows)]
        if not kept or len(kept) == len(self.columns):
            return self
        rows = tuple(tuple(row[place] for place in kept) for row in self.rows)
        columns = tuple(self.columns[place] for place in kept)
        units = {name: unit for name, unit in self.units.items() if name in columns}
        return self.model_copy(update={"columns": columns, "rows": rows, "units": units})


class Verdict(Record):
    """What the policy says, on what, and why."""

    rule: str
    verdict: Outcome
    because: str
    metric: str | None = None
    scope: Scope = Field(default_factory=dict)


class InputRecord(Record):
    """One input of a run: which bytes, how many rows, which were left out and why.

    ``classes`` are what the classes of a model were called, where its file only numbers them.
    """

    digest: Digest
    rows: int | None = None
    rows_used: int | None = None
    dropped: dict[str, int] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)
    format: str | None = None
    size: int | None = None
    classes: tuple[str, ...] = Field(default=(), exclude_if=not_)


class Protection(Record):
    """How well the process that opened the files was walled in: level A, B or C, and the layers that were active."""

    level: Literal["A", "B", "C"]
    layers: tuple[str, ...] = ()


class AnalysisResult(Record):
    """One run: on what, how, what came out, and what the policy says of it."""

    schema_: Literal["modelops.result/1"] = Field(default=RESULT_SCHEMA, alias="schema")
    analysis: str
    inputs: dict[str, InputRecord]
    task: str
    positive: str | None = None
    parameters: dict[str, Scalar | list[Scalar]]
    seed: int
    environment: dict[str, str]
    protection: Protection
    summary: str
    measurements: tuple[Measurement, ...]
    curves: tuple[Curve, ...] = ()
    tables: tuple[ResultTable, ...] = ()
    notes: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def find(self, metric: str, **scope: str | float | bool | dict[str, str]) -> Measurement | None:
        """Return the measurement of ``metric`` with exactly this scope, or ``None``."""
        return next((m for m in self.measurements if m.metric == metric and m.scope == scope), None)
