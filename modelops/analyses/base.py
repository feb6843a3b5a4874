"""What every analysis is made of: the data it gets, how it is declared, what it hands back.

An analysis measures and holds no threshold; it gets its data, seed and parameters as arguments and touches neither
clock nor files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.inventory import DatasetRole
from modelops.domain.result import Curve, Measurement, ResultTable
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_LONG = 2.0**63
"""From here on no column holds whole numbers, and 1e300 written out would have 301 digits."""


class Need(StrEnum):
    """What an analysis cannot do without."""

    TARGET = "target"
    PREDICTION = "prediction"
    SCORE = "score"
    SENSITIVE = "sensitive"
    FEATURES = "features"
    REFERENCE = "reference"
    TRAIN = "train"
    TIME = "time"
    MODEL = "model"
    CHAMPION = "champion"


class Source(Protocol):
    """One table, read a column at a time."""

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in their order."""
        ...

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column; text columns are dictionary-encoded."""
        ...


class Model(Protocol):
    """The model under test, in a process of its own. Its answers are checked for length and finiteness only."""

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that the model wants, in its order."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The class labels in the order of the score columns; empty for regression."""
        ...

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return shape (n,): numbers for regression, class labels as text for classification."""
        ...

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return shape (n, n_classes): one score for each class, the order of ``classes``."""
        ...

    def contributions(self, rows: pd.DataFrame, *, label: str | None = None) -> Contributions | None:
        """Return exact tree SHAP values where the model is a tree model without preprocessing, else ``None``.

        They are those of the class ``label``; of the positive class, or of the last one, if it is ``None``.
        """
        ...

    def answers(self, rows: pd.DataFrame) -> np.ndarray:
        """Return what the model says of each row, whatever it is: the raw answer may hold NaN and infinities.

        Shape (n,): numbers for regression; shape (n, n_classes): scores for classification.

        Raises
        ------
        InvalidInput
            If the model refuses these rows; the message is the model's own.
        """
        ...

    def refit(
        self, train: pd.DataFrame, target: np.ndarray, rows: pd.DataFrame, *, seed: int | None
    ) -> np.ndarray | None:
        """Train an untrained copy of the model on ``train`` and return its `answers` for ``rows``.

        With ``seed`` ``None`` the copy keeps the random state that the file holds. ``target`` has shape (n_train,):
        numbers for regression, class labels as text for classification. ``None`` where the file holds no recipe to
        train by: only scikit-learn estimators saved with skops do. This is the one question that hands labels to the
        model's process, and only those of training rows.
        """
        ...

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Staged | None:
        """Return the answers after part of the boosting rounds; ``None`` where the model is not boosted."""
        ...

    def timed(self, rows: pd.DataFrame, *, batch: int, repeats: int, seconds: float) -> np.ndarray:
        """Return what answering costs: wall-clock and processor seconds of calls with ``batch`` rows each.

        Measured inside the model's process, so that sending the rows costs nothing; the first call is not counted.
        Shape (n_calls, 2), with ``n_calls`` from 1 to ``repeats``: no call begins later than ``seconds`` after the
        first. The rows are used in turn, again from the start where they do not suffice.
        """
        ...

    def resources(self, *, repeats: int) -> Resources:
        """Return what the model takes up; the file is opened ``repeats`` more times to see how long that takes."""
        ...


@dataclass(frozen=True)
class Contributions:
    """SHAP values of shape (n, n_features), the base value, and what they add up to.

    ``unit`` is ``"probability"``, ``"log odds"``, ``"raw score"`` (of more than two classes: the softmax of all is the
    probability), ``"prediction"`` or ``"log of the prediction"``.
    """

    values: np.ndarray
    base: float
    unit: str
    method: str


@dataclass(frozen=True)
class Staged:
    """What a boosted model answers after ``rounds`` of its rounds, shape (n_stages,), increasing, the last one whole.

    ``answers`` has shape (n_stages, n) for regression, (n_stages, n, n_classes) for classification.
    """

    rounds: np.ndarray
    answers: np.ndarray


@dataclass(frozen=True)
class Resources:
    """What a model takes up: ``size`` bytes of its file, ``load_seconds`` of shape (n_repeats,) to open it again.

    ``resident`` and ``peak`` are bytes of its whole process, libraries included, now and at the most so far; ``None``
    where the system does not tell.
    """

    size: int
    load_seconds: np.ndarray
    resident: int | None
    peak: int | None


@dataclass(frozen=True)
class Sample:
    """One table with the roles of its columns."""

    source: Source
    roles: ColumnRoles

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.source.n_rows

    def series(self, name: str) -> pd.Series[Any]:
        """Return one column as pandas (text as ``category``, missing as NaN or NaT)."""
        column: pd.Series[Any] = self.source.column(name).to_pandas()
        return column

    def numbers(self, name: str) -> np.ndarray:
        """Return one column as float64 with NaN for missing; a column without any value is all NaN.

        Raises
        ------
        NotMeasured
            If the column is not numeric.
        """
        if self.source.column(name).type == "null":
            return np.full(self.n_rows, np.nan)
        column = self.series(name)
        if column.dtype == bool or column.dtype.kind in "iufb":
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        held = "times" if column.dtype.kind == "M" else "text"
        raise NotMeasured(f"Column {name!r} holds {held}, numbers are needed.")

    def labels(self, name: str) -> np.ndarray:
        """Return one column as class labels: text, ``None`` for missing; whole numbers without a decimal point."""
        return as_labels(self.series(name))

    def frame(self, names: tuple[str, ...]) -> pd.DataFrame:
        """Return some columns as one frame."""
        import pandas as pd

        return pd.DataFrame({name: self.series(name) for name in names})


def as_labels(column: pd.Series[Any]) -> np.ndarray:
    """Return values as class labels: object array of text, ``None`` where missing.

    ``1``, ``1.0`` and ``True`` all stay distinguishable from text, but 1 and 1.0 are the same label ``"1"``.

    Examples
    --------
    >>> import pandas as pd
    >>> as_labels(pd.Series([1.0, 0.0, None])).tolist()
    ['1', '0', None]
    """
    present = column.notna().to_numpy()
    labels = np.full(len(column), None, dtype=object)
    if column.dtype.kind == "f":
        labels[present] = [_number_label(float(value)) for value in column[present]]
    else:
        labels[present] = [str(value) for value in column[present]]
    return labels


def _number_label(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _LONG else repr(value)


@dataclass(frozen=True)
class EvaluationData:
    """Everything an analysis may look at.

    ``positive`` is the label of the positive class where there are two classes. Predictions and scores come from the
    columns of the table; where those are missing and a model is given, the caller has added them before. ``champion``
    is the model that is in use today, where two are compared; ``again`` the model under test, opened from the same file
    in another process, for analyses that ask for it (`Analysis.reopens`).
    """

    data: Sample
    task: Task
    positive: str | None = None
    reference: Sample | None = None
    train: Sample | None = None
    model: Model | None = None
    champion: Model | None = None
    again: Model | None = None


MOST_ENTRIES = 2_000
LONGEST_ENTRY = 2_000
LARGEST_PARAMETER = 1e100
"""No cost or value of a decision is larger, and sums over all rows stay far below where floats end."""
CLOSEST_TO_BOUND = 1e-9
"""How far a number stays from a bound that it may not reach: nearer, a level is 1 and a share is 0 but for rounding."""


class Parameters(BaseModel):
    """Base of the parameters of one analysis: the form, the command line's ``--param`` and the API are made from it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="after")
    def _not_endless(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            entries = value if isinstance(value, tuple) else ()
            if len(entries) > MOST_ENTRIES or any(len(str(one)) > LONGEST_ENTRY for one in entries):
                raise ValueError(f"{name} has at most {MOST_ENTRIES:,} entries of at most {LONGEST_ENTRY:,} characters")
        return self

    @model_validator(mode="after")
    def _not_at_the_edge(self) -> Self:
        for name, parameter in type(self).model_fields.items():
            value = getattr(self, name)
            if not isinstance(value, float):
                continue
            if abs(value) > LARGEST_PARAMETER:
                raise ValueError(f"{name} lies at most {LARGEST_PARAMETER:g} from 0")
            for bound in (getattr(one, side, None) for one in parameter.metadata for side in ("gt", "lt")):
                if bound is not None and abs(value - bound) < CLOSEST_TO_BOUND:
                    raise ValueError(f"{name} stays at least {CLOSEST_TO_BOUND:g} away from {bound:g}")
        return self


Progress = Callable[[float, str], None]


def _quiet(fraction: float, text: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Run:
    """What a computation needs beside data and parameters: its seed, and somebody to tell how far it is."""

    seed: int = 0
    progress: Progress = _quiet

    def rng(self) -> np.random.Generator:
        """Return a fresh generator: the same numbers for the same seed, whoever asked before."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class Computed:
    """What one computation found. ``summary`` is one sentence that a non-statistician understands.

    ``cases`` are rows with their values, for people who read them one by one. They are kept apart from the result,
    which is evidence and holds no raw rows.
    """

    summary: str
    measurements: tuple[Measurement, ...]
    curves: tuple[Curve, ...] = ()
    tables: tuple[ResultTable, ...] = ()
    notes: tuple[str, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    cases: ResultTable | None = None


@dataclass(frozen=True)
class Analysis:
    """One declaration: pages, command line, API, reports and the shared tests all derive from it.

    ``serves`` names the checklist questions that it is evidence for; ``needs`` what it cannot do without, ``uses`` what
    it also looks at where it is there; ``source`` is the literature. ``looks_at`` and ``compares_with`` are the roles
    of the datasets that it takes as data and as reference if nobody chooses, the best first. ``unseen`` are the inputs
    (``data``, ``reference``) on which it measures the model itself: rows that the model learned from flatter it.

    ``reopens`` asks for a second process that opens the model file anew. ``costs`` names the metrics that are times and
    memory: they depend on the machine and its load, so running again cannot give the same numbers, and the model gets a
    process that has imported nothing but what the model needs.
    """

    key: str
    title: str
    question: str
    serves: tuple[str, ...]
    needs: frozenset[Need]
    tasks: frozenset[Task]
    parameters: type[Parameters]
    source: str
    compute: Callable[[EvaluationData, Any, Run], Computed]
    uses: frozenset[Need] = frozenset()
    looks_at: tuple[DatasetRole, ...] = (
        DatasetRole.TEST,
        DatasetRole.PRODUCTION,
        DatasetRole.TRAIN,
        DatasetRole.REFERENCE,
    )
    compares_with: tuple[DatasetRole, ...] = (DatasetRole.REFERENCE, DatasetRole.TRAIN)
    unseen: tuple[str, ...] = ()
    reopens: bool = False
    costs: frozenset[str] = frozenset()

    def takes(self, need: Need) -> bool:
        """Say whether it looks at ``need`` at all."""
        return need in self.needs or need in self.uses

    def missing(self, data: EvaluationData) -> tuple[Need, ...]:
        """Return what ``data`` lacks, in the order of `Need`."""
        roles = data.data.roles
        there = {
            Need.TARGET: roles.target is not None,
            Need.PREDICTION: roles.prediction is not None,
            Need.SCORE: bool(roles.scores),
            Need.SENSITIVE: bool(roles.sensitive),
            Need.FEATURES: bool(roles.features),
            Need.TIME: roles.time is not None,
            Need.REFERENCE: data.reference is not None,
            Need.TRAIN: data.train is not None,
            Need.MODEL: data.model is not None,
            Need.CHAMPION: data.champion is not None,
        }
        return tuple(need for need in Need if need in self.needs and not there[need])
