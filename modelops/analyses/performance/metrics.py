"""What `performance` reports, each metric in one line."""

from __future__ import annotations

_CLASSIFICATION = {
    "accuracy": "Share of rows whose prediction is right.",
    "balanced_accuracy": "Mean over the classes of the share of their rows that are predicted right.",
    "precision": "Share of positive predictions that are right.",
    "recall": "Share of positive rows that are predicted positive.",
    "specificity": "Share of negative rows that are predicted negative.",
    "negative_predictive_value": "Share of negative predictions that are right.",
    "f1": "Harmonic mean of precision and recall.",
    "matthews_corrcoef": "Correlation of labels and predictions: 1 all right, 0 no better than chance, -1 all wrong.",
    "cohen_kappa": "Agreement of labels and predictions beyond chance: 1 full, 0 none.",
    "roc_auc": "Share of pairs of a positive and a negative row that the score puts in the right order.",
    "average_precision": "Mean over the positive rows of the precision at their score.",
    "log_loss": "Mean negative logarithm of the probability given to what came true; 0 is best.",
    "brier_score": "Mean squared distance of the probability from what came true; 0 is best.",
    "brier_skill_score": "1 less the Brier score over that of always saying the base rate; 0: no better.",
    "base_rate": "Share of rows with a positive label.",
    "cumulative_gain": "Share of the positive rows found among the rows with the highest scores.",
    "lift": "How many times more positive rows than by chance are among the rows with the highest scores.",
    "threshold": "Score from which rows count as positive under this way of choosing it.",
    "cost_per_row": "Mean cost of a decision by the cost matrix.",
    "business_value": "Value of all decisions by the value matrix.",
    "business_value_per_row": "Mean value of a decision by the value matrix.",
}
_REGRESSION = {
    "mean_absolute_error": "Mean distance of the prediction from the target, in its unit.",
    "median_absolute_error": "Half of the predictions are at most this far off.",
    "absolute_error_quantile_90": "Nine in ten predictions are at most this far off.",
    "max_error": "The largest distance of a prediction from its target.",
    "mean_error": "Mean of prediction less target: positive where predictions are too high.",
    "mean_squared_error": "Mean squared distance of the prediction from the target.",
    "root_mean_squared_error": "Root of the mean squared distance: like the mean, but large errors weigh more.",
    "mean_absolute_percentage_error": "Mean distance of the prediction from the target as a share of the target.",
    "r2": "Share of the variance of the target that is explained; 0: no better than its mean.",
    "explained_variance": "As R2, with a constant error of all predictions taken off.",
    "pearson_correlation": "Linear correlation of predictions and targets.",
    "mean_prediction": "Mean of the predictions.",
    "mean_target": "Mean of the targets.",
}

METRICS: dict[str, str] = _CLASSIFICATION | _REGRESSION
