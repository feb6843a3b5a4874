"""What `learning_curve` reports beside the score at each number of rows, each metric in one line."""

from __future__ import annotations

_SCORES = {"roc_auc": "area under the ROC curve", "balanced_accuracy": "balanced accuracy", "r2": "R2"}

METRICS: dict[str, str] = {
    f"extrapolated_{name}": f"The {called} to be expected with this many training rows, by the fitted power law."
    for name, called in _SCORES.items()
} | {
    "gain_from_last_doubling": "By how much the score rose when the training rows were doubled to all there are.",
    "gain_from_next_doubling": "By how much twice as many training rows would raise the score, by the power law.",
    "asymptotic_score": "Score that the fitted power law approaches with ever more training rows.",
    "learning_curve_exponent": "How fast the error falls with the rows, by the fitted power law; 0: not at all.",
    "rows_enough": "Training rows from which twice as many raise the score by less than the margin.",
}
