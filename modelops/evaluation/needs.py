"""What an analysis lacks, and how to give it."""

from __future__ import annotations

from collections.abc import Iterable

from modelops.analyses.base import Analysis, Need
from modelops.errors import InvalidInput

_HOW_TO_GIVE = {
    Need.TARGET: "a target column, the true outcome (--target COL)",
    Need.PREDICTION: "predictions (--prediction COL, or --model FILE)",
    Need.SCORE: "scores (--score COL, or --model FILE)",
    Need.SENSITIVE: "a sensitive column (--sensitive COL)",
    Need.FEATURES: "feature columns (--features COL,COL)",
    Need.REFERENCE: "reference data (--reference FILE)",
    Need.TRAIN: "the training data (--train FILE)",
    Need.TIME: "a time column (--time COL)",
    Need.MODEL: "a model file (--model FILE)",
    Need.CHAMPION: "the file of the model in use today (--champion FILE)",
}


def lacking(declared: Analysis, missing: Iterable[Need]) -> InvalidInput:
    """Return the error that lists what is missing, each with the way to give it."""
    listed = [_HOW_TO_GIVE[need] for need in missing]
    text = listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
    return InvalidInput(f"The analysis {declared.key!r} needs {text}.")
