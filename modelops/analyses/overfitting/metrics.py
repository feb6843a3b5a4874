"""What `overfitting` reports, each metric in one line."""

from __future__ import annotations

from modelops.analyses.side_by_side import CLASS_METRICS, NUMBER_METRICS

_CALLED = {
    "f1": "F1",
    "matthews_corrcoef": "Matthews correlation",
    "roc_auc": "area under the ROC curve",
    "r2": "R2",
    "brier_score": "Brier score",
}

METRICS: dict[str, str] = {
    f"{name}_gap": f"By how much the {_CALLED.get(name, name.replace('_', ' '))} is better on training than test rows."
    for name in (*CLASS_METRICS, *NUMBER_METRICS)
} | {
    "boosting_rounds": "Rounds of boosting that the model has.",
    "best_boosting_round": "Round of boosting with the smallest loss on one half of the test rows.",
    "loss_increase_after_best_round": (
        "By which share the loss rose from the best round to the last, on the half that did not choose the round."
    ),
    "memorised_share": "What a copy of the model learns of meaningless labels, as a share of that of true ones.",
}
