"""The case that is asked about, as it is and as it is edited, among real rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.asked import features_in
from modelops.analyses.base import EvaluationData, Model
from modelops.analyses.composed import ComposedModel, drawn
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    import pandas as pd

_MISSING = {"", "missing", "none", "nan", "null"}
_TRUE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Case:
    """The case and real rows in one pool: ``model`` answers for rows composed of their values.

    ``others`` are the places of the real rows in the pool, ``table_rows`` their positions in the table; ``original``
    and ``edited`` are the places of the case. ``changed`` names the edited columns, in the order of the table.
    """

    model: ComposedModel
    others: NDArray[np.intp]
    table_rows: NDArray[np.intp]
    row: int
    changed: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The features of the model."""
        return tuple(map(str, self.model.pool.columns))

    @property
    def original(self) -> int:
        """The place of the case as it is in the table."""
        return len(self.others)

    @property
    def edited(self) -> int:
        """The place of the case as it is edited."""
        return len(self.others) + 1


def case_of(
    data: EvaluationData, model: Model, *, row: int, changes: Sequence[str], rows: int, seed: int, explained: int | None
) -> Case:
    """Return the case in row number ``row`` (the first is 1), with ``changes``, among up to ``rows`` other rows.

    Raises
    ------
    InvalidInput
        If there is no such row, the table lacks a column of the model, or a change does not fit its column.
    NotMeasured
        If there is no other row.
    """
    sample, names = data.data, features_in(data.data, model)
    if not names or sample.n_rows < 2:
        raise NotMeasured(f"{sample.n_rows} rows with {len(names)} features: a case is looked at among other rows.")
    if row > sample.n_rows:
        raise InvalidInput(f"There is no row {row}: the table has {sample.n_rows:,} rows; the first is row 1.")
    positions = drawn(sample, names, limit=rows + 1, seed=seed)
    positions = positions[positions != row - 1][:rows]
    edits = dict(_edit(text, names) for text in changes)
    columns, notes = {}, []
    for name in names:
        column = sample.series(name)
        values = column.iloc[[*positions, row - 1]].reset_index(drop=True)
        columns[name], note = _with_edit(values, edits.get(name))
        notes += [f"{name}: {note}" for note in [note] if note]
    import pandas as pd

    pool = pd.DataFrame(columns)
    last = len(pool) - 1
    changed = tuple(name for name in names if name in edits and not _same(pool[name], last - 1, last))
    composed = ComposedModel(model, pool, explained=explained)
    return Case(composed, np.arange(len(positions)), positions, row, changed, tuple(notes))


def _edit(text: str, names: Sequence[str]) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or name.strip() not in names:
        # A name may hold an equals sign itself.
        name = next((known for known in names if text.replace(" ", "").startswith(f"{known.replace(' ', '')}=")), "")
        value = text.partition(name)[2].partition("=")[2] if name else ""
    if not name:
        listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise InvalidInput(f"Got the change {text!r}, expected 'column = value' with a feature of the model: {listed}.")
    return name.strip(), value.strip().strip("'\"")


def _with_edit(values: pd.Series[Any], text: str | None) -> tuple[pd.Series[Any], str | None]:
    """Append the edited value to a column whose last value is the case's, and say if it is unlike all others."""
    import pandas as pd

    last = values.iloc[-1:]
    if text is None:
        return pd.concat([values, last], ignore_index=True), None
    if values.isna().all():
        # Nothing says what the column holds: missing numbers are what every model takes.
        values = values.astype(np.float64)
    kind = values.dtype.kind
    is_missing = text.lower() in _MISSING
    if kind in "iuf":
        number = np.nan if is_missing else _number(text, str(values.name))
        numbers = np.append(values.to_numpy(dtype=np.float64), number)
        known = numbers[:-1][np.isfinite(numbers[:-1])]
        outside = known.size and np.isfinite(number) and not known.min() <= number <= known.max()
        note = (
            f"{number:g} lies outside of what the table holds ({known.min():g} to {known.max():g})."
            if outside
            else None
        )
        whole = kind in "iu" and not is_missing and float(number).is_integer()
        edited = pd.Series(numbers, name=values.name)
        return (edited.astype(values.dtype) if whole else edited), note
    if kind == "b":
        if text.lower() not in _TRUE:
            raise InvalidInput(f"Got {text!r} for {values.name}, expected true or false.")
        return pd.Series(np.append(values.to_numpy(), _TRUE[text.lower()]), name=values.name), None
    if kind == "M":
        moment = pd.NaT if is_missing else pd.to_datetime(text, errors="coerce")
        if not is_missing and moment is pd.NaT:
            raise InvalidInput(f"Got {text!r} for {values.name}, expected a time such as 2025-01-31 12:00.")
        return pd.concat([values, pd.Series([moment]).astype(values.dtype)], ignore_index=True), None
    return _with_level(values, None if is_missing else text)


def _with_level(values: pd.Series[Any], text: str | None) -> tuple[pd.Series[Any], str | None]:
    import pandas as pd

    is_coded = isinstance(values.dtype, pd.CategoricalDtype)
    known = list(values.cat.categories if is_coded else values.dropna().unique())
    by_text = {str(level): level for level in known}
    level = None if text is None else by_text.get(text, text)
    note = None if text is None or text in by_text else f"no row of the table holds {text!r}."
    if is_coded:
        kind = pd.CategoricalDtype([*known, level] if note else known)
        return pd.concat([values.astype(kind), pd.Series([level], dtype=kind)], ignore_index=True), note
    return pd.Series([*values, level], name=values.name, dtype=object), note


def _number(text: str, name: str) -> float:
    try:
        number = float(text.replace(",", "") if text.count(",") and "." in text else text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise InvalidInput(f"Got {text!r} for {name}, expected a number.")
    return number


def _same(column: pd.Series[Any], one: int, other: int) -> bool:
    there = column.notna()
    if not there.iloc[one] or not there.iloc[other]:
        return bool(there.iloc[one] == there.iloc[other])
    return bool(column.iloc[one] == column.iloc[other])
