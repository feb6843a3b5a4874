"""Rules between columns that a changed row must keep, such as ``years_employed <= age - 16``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import as_labels
from modelops.analyses.statistics.association import ordered_values
from modelops.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_SPLIT = re.compile(r"(<=|>=|!=|==|<|>|=)")
_SHIFT = re.compile(r"^(.*\S)\s*([+-])\s*(\d+(?:\.\d+)?)$")
_FORM = "expected 'column <= other + number', \"column = 'level'\" or 'if ... then ...'"


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: a column with a number added, or a constant."""

    column: str | None
    number: float = 0.0
    text: str | None = None


@dataclass(frozen=True)
class _Condition:
    left: _Side
    compare: str
    right: _Side

    def holds(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Return where the condition holds; a missing value breaks none."""
        left: NDArray[Any]
        right: NDArray[Any]
        if self.left.text is not None or self.right.text is not None or self._is_of_levels(rows):
            left, right = (_labels(side, rows) for side in (self.left, self.right))
            known = np.array([a is not None and b is not None for a, b in zip(left, right, strict=True)], dtype=bool)
        else:
            left, right = (_numbers(side, rows) for side in (self.left, self.right))
            known = ~(np.isnan(left) | np.isnan(right))
        kept = np.ones(len(rows), dtype=bool)
        kept[known] = _COMPARISONS[self.compare](left[known], right[known])
        return kept

    def _is_of_levels(self, rows: pd.DataFrame) -> bool:
        named = [side.column for side in (self.left, self.right) if side.column is not None]
        return any(ordered_values(rows[name]) is None for name in named)


@dataclass(frozen=True)
class RowRule:
    """One rule: ``then`` must hold wherever ``given`` does (everywhere, if there is none)."""

    text: str
    then: _Condition
    given: _Condition | None = None

    def holds(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows keep the rule, shape (n,)."""
        kept = self.then.holds(rows)
        return kept if self.given is None else kept | ~self.given.holds(rows)


def row_rule(text: str, columns: Sequence[str]) -> RowRule:
    """Read a rule.

    Parameters
    ----------
    text : str
        ``left <= right``, with any of ``<= >= < > = !=``; each side a column, a column plus or minus a number, a
        number, or a level (in quotes where it could be taken for a column). Or ``if CONDITION then CONDITION``.
    columns : sequence of str
        The columns there are.

    Raises
    ------
    InvalidInput
        If it cannot be read, or names no column.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"age": [30, 30], "employed": [10, 20]})
    >>> row_rule("employed <= age - 16", ["age", "employed"]).holds(rows).tolist()
    [True, False]
    """
    words = text.strip()
    if words.lower().startswith("if "):
        given, separator, then = words[3:].partition(" then ")
        if not separator:
            raise InvalidInput(f"Got the rule {text!r}, {_FORM}.")
        return RowRule(words, _condition(then, columns, text), _condition(given, columns, text))
    return RowRule(words, _condition(words, columns, text))


def _condition(words: str, columns: Sequence[str], rule: str) -> _Condition:
    parts = _SPLIT.split(words)
    if len(parts) != 3:
        raise InvalidInput(f"Got the rule {rule!r}, {_FORM}.")
    left, right = _side(parts[0].strip(), columns), _side(parts[2].strip(), columns)
    if left.column is None and right.column is None:
        known = ", ".join(list(columns)[:10])
        raise InvalidInput(f"The rule {rule!r} names no column; there are {known}.")
    if parts[1] not in {"=", "==", "!="} and (left.text is not None or right.text is not None):
        raise InvalidInput(f"The rule {rule!r} orders levels; levels can only be equal or not.")
    return _Condition(left, parts[1], right)


def _side(words: str, columns: Sequence[str]) -> _Side:
    if words in columns:
        return _Side(words)
    shifted = _SHIFT.match(words)
    if shifted and shifted[1] in columns:
        return _Side(shifted[1], float(f"{shifted[2]}{shifted[3]}"))
    if len(words) > 1 and words[0] == words[-1] and words[0] in "'\"":
        return _Side(None, text=words[1:-1])
    try:
        return _Side(None, float(words))
    except ValueError:
        return _Side(None, text=words)


def _numbers(side: _Side, rows: pd.DataFrame) -> NDArray[np.float64]:
    if side.column is None:
        return np.full(len(rows), side.number)
    values = ordered_values(rows[side.column])
    return np.full(len(rows), np.nan) if values is None else values + side.number


def _labels(side: _Side, rows: pd.DataFrame) -> NDArray[np.object_]:
    if side.column is not None:
        return np.asarray(as_labels(rows[side.column]))
    text = side.text if side.text is not None else f"{side.number:g}"
    return np.full(len(rows), text, dtype=object)
