"""Every metric that an analysis may report, and what it says in one line: for pages, reports and the documentation.

Each family of analyses says what its own metrics mean; a metric that several report stands with the one that it is
named for.
"""

from __future__ import annotations

import re

from modelops.analyses.baseline.metrics import METRICS as _BASELINE
from modelops.analyses.calibration.metrics import METRICS as _CALIBRATION
from modelops.analyses.champion_challenger.metrics import METRICS as _CHAMPION_CHALLENGER
from modelops.analyses.data_contract.metrics import METRICS as _DATA_CONTRACT
from modelops.analyses.data_quality.metrics import METRICS as _DATA_QUALITY
from modelops.analyses.drift.metrics import METRICS as _DRIFT
from modelops.analyses.explainability.metrics import METRICS as _EXPLAINABILITY
from modelops.analyses.fairness.metrics import METRICS as _FAIRNESS
from modelops.analyses.feedback_loop.metrics import METRICS as _FEEDBACK_LOOP
from modelops.analyses.footprint.metrics import METRICS as _FOOTPRINT
from modelops.analyses.ground_truth.metrics import METRICS as _GROUND_TRUTH
from modelops.analyses.label_quality.metrics import METRICS as _LABEL_QUALITY
from modelops.analyses.leakage.metrics import METRICS as _LEAKAGE
from modelops.analyses.learning_curve.metrics import METRICS as _LEARNING_CURVE
from modelops.analyses.misclassified.metrics import METRICS as _MISCLASSIFIED
from modelops.analyses.overfitting.metrics import METRICS as _OVERFITTING
from modelops.analyses.performance.metrics import METRICS as _PERFORMANCE
from modelops.analyses.representativeness.metrics import METRICS as _REPRESENTATIVENESS
from modelops.analyses.reproducibility.metrics import METRICS as _REPRODUCIBILITY
from modelops.analyses.residuals.metrics import METRICS as _RESIDUALS
from modelops.analyses.robustness.metrics import METRICS as _ROBUSTNESS
from modelops.analyses.subpopulations.metrics import METRICS as _SUBPOPULATIONS
from modelops.analyses.what_if.metrics import METRICS as _WHAT_IF

FAMILIES: dict[str, dict[str, str]] = {
    "performance": _PERFORMANCE,
    "data_quality": _DATA_QUALITY,
    "leakage": _LEAKAGE,
    "label_quality": _LABEL_QUALITY,
    "calibration": _CALIBRATION,
    "baseline": _BASELINE,
    "overfitting": _OVERFITTING,
    "learning_curve": _LEARNING_CURVE,
    "champion_challenger": _CHAMPION_CHALLENGER,
    "fairness": _FAIRNESS,
    "drift": _DRIFT,
    "explainability": _EXPLAINABILITY,
    "representativeness": _REPRESENTATIVENESS,
    "data_contract": _DATA_CONTRACT,
    "residuals": _RESIDUALS,
    "ground_truth": _GROUND_TRUTH,
    "feedback_loop": _FEEDBACK_LOOP,
    "subpopulations": _SUBPOPULATIONS,
    "misclassified": _MISCLASSIFIED,
    "what_if": _WHAT_IF,
    "robustness": _ROBUSTNESS,
    "reproducibility": _REPRODUCIBILITY,
    "footprint": _FOOTPRINT,
}
"""By the key of the analysis that a metric is named for; the order is that of lists of metrics."""

METRICS: dict[str, str] = {name: text for family in FAMILIES.values() for name, text in family.items()}

_LOW_IS_GOOD = re.compile(
    r"error|loss|brier_score|false_\w+_rate|difference|_gap$|distance|missing|duplicate|conflicting|drifted|churn"
    r"|negative_flip|flip_rate|latency|load_time|memory|cost|statistic|cramers_v|label_issue|shared_row|trials"
)
# Improvements and skills count upwards whatever they are made of; a mean error is best at zero.
_HIGH_OR_NEITHER = re.compile(r"improvement|skill|^mean_error|detection|estimat|p_value$|enough|coverage")


def is_better_low(metric: str) -> bool:
    """Return whether people usually ask that a metric be at most something; where that is open, they choose.

    Examples
    --------
    >>> [is_better_low(name) for name in ("mean_absolute_error", "log_loss", "false_positive_rate", "churn_rate")]
    [True, True, True, True]
    >>> [is_better_low(name) for name in ("accuracy", "log_loss_improvement", "brier_skill_score", "mean_error", "r2")]
    [False, False, False, False, False]
    """
    return bool(_LOW_IS_GOOD.search(metric)) and not _HIGH_OR_NEITHER.search(metric)
