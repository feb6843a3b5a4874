"""What a decision is worth or costs: one number for each pair of label and prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import LARGEST_PARAMETER
from modelops.errors import InvalidInput

Numbers = NDArray[np.float64]


def matrix_from_text(text: str, classes: Sequence[str]) -> Numbers | None:
    """Read ``label > prediction = number`` entries, separated by semicolons; pairs that are not named count 0.

    Returns
    -------
    ndarray of shape (k, k) or None
        Rows by label, columns by prediction, in the order of ``classes``; ``None`` for an empty text.

    Raises
    ------
    InvalidInput
        If an entry cannot be read, or names a label that does not occur.

    Examples
    --------
    >>> matrix_from_text("yes > yes = 100; no > yes = -20", ["no", "yes"]).tolist()
    [[0.0, -20.0], [0.0, 100.0]]
    """
    entries = [entry.strip() for entry in text.replace("\n", ";").split(";") if entry.strip()]
    if not entries:
        return None
    place = {label: position for position, label in enumerate(classes)}
    values = np.zeros((len(classes), len(classes)))
    for entry in entries:
        pair, separator, number = entry.rpartition("=")
        label, arrow, prediction = (part.strip() for part in pair.partition(">"))
        if not separator or not arrow:
            raise InvalidInput(f"Got {entry!r} in the value matrix, expected 'label > prediction = number'.")
        if unknown := [name for name in (label, prediction) if name not in place]:
            known = ", ".join(repr(name) for name in list(classes)[:8])
            raise InvalidInput(f"The value matrix names the class {unknown[0]!r}; the classes are {known}.")
        values[place[label], place[prediction]] = _number(number, entry)
    return values


def _number(text: str, entry: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST_PARAMETER:
        raise InvalidInput(
            f"Got {text.strip()!r} as the value in {entry!r}, expected a number of at most {LARGEST_PARAMETER:g}."
        )
    return number
