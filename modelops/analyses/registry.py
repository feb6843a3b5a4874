"""Every analysis there is: pages, command line, API, reports and the shared tests all derive from this tuple."""

from __future__ import annotations

from modelops.analyses.base import Analysis
from modelops.analyses.drift import DRIFT
from modelops.analyses.explainability import EXPLAINABILITY
from modelops.analyses.fairness import FAIRNESS
from modelops.analyses.performance import PERFORMANCE
from modelops.errors import InvalidInput

ANALYSES: tuple[Analysis, ...] = (PERFORMANCE, DRIFT, FAIRNESS, EXPLAINABILITY)


def analysis(key: str) -> Analysis:
    """Return one analysis.

    Raises
    ------
    InvalidInput
        If there is none with this key; the message lists those that there are.

    Examples
    --------
    >>> analysis("fairness").title
    'Fairness'
    """
    for declared in ANALYSES:
        if declared.key == key:
            return declared
    known = ", ".join(declared.key for declared in ANALYSES)
    raise InvalidInput(f"There is no analysis {key!r}; there are {known}.")
