"""What the columns of a table are for."""

from __future__ import annotations

from enum import StrEnum
from operator import not_
from typing import Self

from pydantic import Field, model_validator

from modelops.domain.record import Record


class Task(StrEnum):
    """What the model predicts."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class ValueKind(StrEnum):
    """What the values of a column are, in words for people."""

    WHOLE_NUMBER = "whole number"
    NUMBER = "number"
    TRUE_FALSE = "true or false"
    TEXT = "text"
    TIME = "date and time"


class ColumnRole(StrEnum):
    """What one column of a table is for."""

    FEATURE = "feature"
    TARGET = "target"
    PREDICTION = "prediction"
    SCORE = "score"
    SENSITIVE = "sensitive"
    WEIGHT = "weight"
    TIME = "time"
    ID = "id"
    IGNORE = "ignore"


class ColumnRoles(Record):
    """Which column of a table plays which role.

    A sensitive column may also be a feature: it is then named in both. ``scores`` holds one column (the score of the
    positive class) or one for each class, in the order of ``score_classes``.
    """

    features: tuple[str, ...] = ()
    target: str | None = None
    prediction: str | None = None
    scores: tuple[str, ...] = ()
    score_classes: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    weight: str | None = None
    time: str | None = None
    ids: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if len(self.scores) > 1 and len(self.score_classes) != len(self.scores):
            raise ValueError(f"{len(self.scores)} score columns need as many class names")
        taken = [name for name in (self.target, self.prediction, self.weight) if name]
        for name in taken:
            if name in self.features:
                raise ValueError(f"column {name!r} is a feature and has another role too")
        if len(set(taken)) != len(taken):
            raise ValueError("one column has two of the roles target, prediction and weight")
        return self

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that has a role, once, features first."""
        others = (self.target, self.prediction, *self.scores, *self.sensitive, self.weight, self.time, *self.ids)
        return tuple(dict.fromkeys([*self.features, *(name for name in others if name)]))

    def of(self, column: str) -> tuple[ColumnRole, ...]:
        """Return the roles of ``column``; empty if it has none."""
        single = {ColumnRole.TARGET: self.target, ColumnRole.PREDICTION: self.prediction}
        single |= {ColumnRole.WEIGHT: self.weight, ColumnRole.TIME: self.time}
        several = {ColumnRole.FEATURE: self.features, ColumnRole.SCORE: self.scores}
        several |= {ColumnRole.SENSITIVE: self.sensitive, ColumnRole.ID: self.ids}
        found = [role for role, name in single.items() if name == column]
        return tuple(found + [role for role, names in several.items() if column in names])


class ColumnSummary(Record):
    """Statistics of one column for the preview. Numbers are ``None`` where they do not apply."""

    name: str
    kind: str
    missing: int
    distinct: int | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    top: tuple[tuple[str, int], ...] = ()
    histogram: tuple[int, ...] = Field(default=(), description="Counts in equal-width bins from minimum to maximum.")


class TableSummary(Record):
    """What an upload of a table turned out to be."""

    format: str
    rows: int
    columns: tuple[ColumnSummary, ...]
    roles: ColumnRoles
    task: Task | None = None
    preview: tuple[tuple[str | None, ...], ...] = ()
    notes: tuple[str, ...] = ()


class ModelSummary(Record):
    """What an upload of a model turned out to be, read inside the sandbox.

    ``class_names`` are not the file's: a person gave them to ``classes`` that the file only numbers.
    """

    format: str
    framework: str
    task: Task | None
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = Field(default=(), exclude_if=not_)
    steps: tuple[str, ...] = ()
    parameters: dict[str, str] = Field(default_factory=dict)
    size: int
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """What the classes are called."""
        return self.class_names or self.classes
