"""Every analysis there is: pages, command line, API, reports and the shared tests all derive from here."""

from __future__ import annotations

from modelops.analyses.base import Analysis
from modelops.analyses.baseline import BASELINE
from modelops.analyses.calibration import CALIBRATION
from modelops.analyses.champion_challenger import CHAMPION_CHALLENGER
from modelops.analyses.data_contract import DATA_CONTRACT
from modelops.analyses.data_quality import DATA_QUALITY
from modelops.analyses.drift import DRIFT
from modelops.analyses.explainability import EXPLAINABILITY
from modelops.analyses.fairness import FAIRNESS
from modelops.analyses.feedback_loop import FEEDBACK_LOOP
from modelops.analyses.footprint import FOOTPRINT
from modelops.analyses.ground_truth import GROUND_TRUTH
from modelops.analyses.label_quality import LABEL_QUALITY
from modelops.analyses.leakage import LEAKAGE
from modelops.analyses.learning_curve import LEARNING_CURVE
from modelops.analyses.misclassified import MISCLASSIFIED
from modelops.analyses.overfitting import OVERFITTING
from modelops.analyses.performance import PERFORMANCE
from modelops.analyses.representativeness import REPRESENTATIVENESS
from modelops.analyses.reproducibility import REPRODUCIBILITY
from modelops.analyses.residuals import RESIDUALS
from modelops.analyses.robustness import ROBUSTNESS
from modelops.analyses.subpopulations import SUBPOPULATIONS
from modelops.analyses.what_if import WHAT_IF
from modelops.errors import InvalidInput

FAMILIES: dict[str, tuple[Analysis, ...]] = {
    "The data": (DATA_QUALITY, LABEL_QUALITY, LEAKAGE, REPRESENTATIVENESS, DATA_CONTRACT),
    "How good it is": (PERFORMANCE, BASELINE, CALIBRATION, OVERFITTING, LEARNING_CURVE),
    "Where it errs": (FAIRNESS, SUBPOPULATIONS, RESIDUALS, MISCLASSIFIED),
    "Why it decides so": (EXPLAINABILITY, WHAT_IF),
    "What it withstands": (ROBUSTNESS, REPRODUCIBILITY, FOOTPRINT),
    "In production": (DRIFT, GROUND_TRUTH, CHAMPION_CHALLENGER, FEEDBACK_LOOP),
}
"""In the order in which they are shown to people."""

ANALYSES: tuple[Analysis, ...] = tuple(one for family in FAMILIES.values() for one in family)


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
