"""What `baseline` reports, each metric in one line; `champion_challenger` reports the same differences."""

from __future__ import annotations

from modelops.analyses.side_by_side import CLASS_METRICS, NUMBER_METRICS, SKILL, p_value_name

_CALLED = {
    "f1": "F1",
    "matthews_corrcoef": "Matthews correlation",
    "roc_auc": "area under the ROC curve",
    "r2": "R2",
    "brier_score": "Brier score",
}


def _improvements() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in (*CLASS_METRICS, *NUMBER_METRICS):
        called = _CALLED.get(name, name.replace("_", " "))
        found[f"{name}_improvement"] = f"By how much the {called} is better than the other's on the same rows."
        test = p_value_name(name)
        chance = f"How often two equally good methods would differ as much in {called} on the same rows"
        found[test] = f"{chance}."
        found[test.replace("_p_value", "_adjusted_p_value")] = f"{chance}, adjusted for how many tests the run made."
    return found


METRICS: dict[str, str] = _improvements() | {
    "smallest_detectable_improvement": "The smallest improvement that these rows would show at 80 % power.",
    SKILL: "By which share the mean absolute error is smaller than the other's; 0: no better.",
    "mcnemar_statistic": "McNemar's chi-squared of the rows that only one of two methods gets right.",
}
