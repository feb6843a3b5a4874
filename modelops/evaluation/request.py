"""What is asked of an evaluation, and what the analysis process answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.record import Record, Scalar
from modelops.domain.result import Curve, Measurement, ResultTable

ParameterValue = Scalar | list[Scalar]

MODEL_PARTS = ("model", "champion")
"""The inputs of an evaluation that are models; all others are tables."""

ModelPart = Literal["model", "champion", "again"]
"""A model process that an analysis may ask: of the model under test, of the one in use today, of the first anew."""


@dataclass(frozen=True)
class InputFiles:
    """The files of one evaluation. Their names are only shown, never trusted."""

    data: Path
    reference: Path | None = None
    train: Path | None = None
    model: Path | None = None
    champion: Path | None = None
    names: tuple[tuple[str, str], ...] = ()

    def name(self, part: str) -> str:
        """Return what people call the file of ``part`` (``"data"``, ``"model"``, ...)."""
        path: Path | None = getattr(self, part)
        return dict(self.names).get(part) or (path.name if path else part)

    @property
    def models(self) -> dict[str, Path]:
        """The models that are there, by part."""
        parts = {"model": self.model, "champion": self.champion}
        return {part: path for part, path in parts.items() if path is not None}

    @property
    def tables(self) -> dict[str, Path]:
        """The tables that are there, by part."""
        parts = {"data": self.data, "reference": self.reference, "train": self.train}
        return {part: path for part, path in parts.items() if path is not None}


class EvaluationRequest(Record):
    """One analysis with its parameters, and what the columns are for.

    ``reference_roles`` and ``train_roles`` are those of the data where they are not given. With ``guess_roles`` every
    role that is empty is guessed, and the result says so; ``task`` and ``positive`` follow from the data where they are
    ``None``. ``classes`` names the classes of a model whose file only numbers them; without, they follow from the
    target.
    """

    analysis: str
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    task: Task | None = None
    positive: str | None = None
    data_roles: ColumnRoles = ColumnRoles()
    reference_roles: ColumnRoles | None = None
    train_roles: ColumnRoles | None = None
    guess_roles: bool = False
    classes: dict[ModelPart, tuple[str, ...]] = Field(default_factory=dict)


class TableInput(Record):
    """One table as the analysis process gets it: the name of its input file, its format, what people call it."""

    file: str
    format: str
    name: str


class Order(Record):
    """What the parent asks of the analysis process; ``models`` are linked to it in this order."""

    request: EvaluationRequest
    tables: dict[str, TableInput]
    models: tuple[ModelPart, ...] = ()


class TableUse(Record):
    """What became of one table."""

    rows: int = Field(ge=0)
    dropped: dict[str, int] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)


class Answer(Record):
    """What the analysis process hands back; the parent adds everything that it must not be believed about.

    ``cases`` are single rows with their values; they never become part of the result.
    """

    task: Task
    positive: str | None
    tables: dict[str, TableUse]
    classes: dict[ModelPart, tuple[str, ...]] = Field(default_factory=dict)
    summary: str
    measurements: tuple[Measurement, ...]
    curves: tuple[Curve, ...] = ()
    tables_shown: tuple[ResultTable, ...] = ()
    notes: tuple[str, ...] = ()
    cases: ResultTable | None = None


MAX_ANSWER = 32 << 20
"""Bytes of JSON that an answer may have."""
