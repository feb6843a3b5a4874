"""What `champion_challenger` reports beside the differences of `baseline`, each metric in one line."""

from __future__ import annotations

_CHANCE = "How often two methods of equal cost would differ as much on the same rows"

METRICS: dict[str, str] = {
    "cost_per_row_improvement": "By how much a decision costs less than with the other method, on the same rows.",
    "cost_per_row_improvement_p_value": f"{_CHANCE}.",
    "cost_per_row_improvement_adjusted_p_value": f"{_CHANCE}, adjusted for how many tests the run made.",
    "churn_rate": "Share of rows whose decision changes from champion to challenger.",
    "positive_flip_rate": "Share of rows that the champion gets wrong and the challenger right.",
    "negative_flip_rate": "Share of rows that the champion gets right and the challenger wrong.",
    "mean_absolute_change": "Mean distance of the challenger's prediction from the champion's.",
    "rows_to_decide": "Labelled rows that would show a difference of the margin at 80 % power.",
    "rollback_threshold": "Value of the deciding metric in production beyond which the champion should come back.",
    "rollback_rows": "Labelled production rows that would show a fall by the margin below the threshold at 80 % power.",
}
