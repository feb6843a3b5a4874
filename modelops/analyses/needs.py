"""What analyses need, in words: the one place that says it for screens, the API and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelops.analyses.base import Need
from modelops.domain.names import listed


@dataclass(frozen=True)
class NeedWords:
    """One need in words.

    ``name`` is a label that fits on a badge; ``wanted`` what has to be given; ``option`` how on the command line, and
    ``on_screen`` what has to be there on the pages, where that is said otherwise.
    """

    name: str
    wanted: str
    option: str
    on_screen: str = ""


NEEDS: dict[Need, NeedWords] = {
    Need.TARGET: NeedWords("what came true", "a target column, the true outcome", "--target COL"),
    Need.PREDICTION: NeedWords(
        "predictions",
        "predictions",
        "--prediction COL, or --model FILE",
        "a column with the prediction, or a model file",
    ),
    Need.SCORE: NeedWords(
        "scores", "scores", "--score COL, or --model FILE", "a column with the score, or a model file"
    ),
    Need.SENSITIVE: NeedWords("a sensitive column", "a sensitive column", "--sensitive COL"),
    Need.FEATURES: NeedWords("features", "feature columns", "--features COL,COL"),
    Need.REFERENCE: NeedWords(
        "data to compare with", "reference data", "--reference FILE", "a reference dataset to compare with"
    ),
    Need.TRAIN: NeedWords("the training data", "the training data", "--train FILE"),
    Need.TIME: NeedWords("a time column", "a time column", "--time COL"),
    Need.MODEL: NeedWords("a model file", "a model file", "--model FILE", "a version with a model file"),
    Need.CHAMPION: NeedWords(
        "the model in use today",
        "the file of the model in use today",
        "--champion FILE",
        "a version with a model file to compare with (the champion)",
    ),
}
"""In the order in which pages show them."""


def wanted_on_screen(needs: Iterable[Need]) -> str:
    """Return what has to be there, for a page or the API.

    Examples
    --------
    >>> wanted_on_screen([Need.TARGET, Need.MODEL])
    'a target column, the true outcome; a version with a model file'
    """
    return "; ".join(NEEDS[need].on_screen or NEEDS[need].wanted for need in needs)


def wanted_on_command_line(needs: Iterable[Need]) -> str:
    """Return what has to be given, each with its option.

    Examples
    --------
    >>> wanted_on_command_line([Need.TARGET, Need.TRAIN, Need.MODEL])
    'a target column, the true outcome (--target COL), the training data (--train FILE) and a model file (--model FILE)'
    """
    return listed([f"{NEEDS[need].wanted} ({NEEDS[need].option})" for need in needs])
