"""What `ground_truth` reports, each metric in one line."""

from __future__ import annotations

_ESTIMATED = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "roc_auc": "Area under the ROC curve",
    "brier_score": "Brier score",
    "log_loss": "Log loss",
    "mean_absolute_error": "Mean absolute error",
    "root_mean_squared_error": "Root mean squared error",
    "business_value_per_row": "Mean value of a decision",
}

METRICS: dict[str, str] = {
    "performance_loss": "How much worse the chosen metric is than in the reference; above 0 is worse.",
    "relative_performance_loss": "The same as a share of the value in the reference.",
    "performance_loss_p_value": "How often a period would look as much worse by chance, if nothing had changed.",
    "performance_loss_adjusted_p_value": "The same, adjusted for how many periods were looked at (Holm).",
    "performance_trend_tau": "Kendall's rank correlation of the metric with time: 1 always rising, -1 always falling.",
    "performance_trend_p_value": "How often a metric without a trend would look as if it had one (Mann-Kendall).",
    "performance_trend_slope": "Median change of the metric from one period to the next (Theil-Sen).",
    "label_coverage": "Share of the rows whose label has come.",
    "label_delay_days": "Days after which the given share of the labels has come.",
    "label_before_prediction_share": "Share of the labels that are older than their prediction.",
    "label_bias": "How differently labelled and unlabelled rows are spread in the column, 0 to 1.",
    "label_bias_adjusted_p_value": "How often rows labelled at random would differ as much, adjusted for all columns.",
    "label_bias_share": "Share of the features in which labelled and unlabelled rows differ.",
    "label_bias_classifier_roc_auc": "How well a classifier tells unlabelled rows from labelled ones; 0.5 not at all.",
    "label_bias_classifier_p_value": "How often it would tell them apart as well by chance.",
    **{f"estimated_{name}": f"{said}, estimated without labels." for name, said in _ESTIMATED.items()},
    "estimation_error": "Estimate less what the labels said later, on the same rows.",
    "estimation_coverage": "Share of the periods in which the truth lay in the interval of the estimate.",
    "out_of_support_share": "Share of the rows with a value that the reference does not reach.",
    "excess_out_of_support_share": "The same less the share that would be out by chance: few rows reach less far.",
    "calibration_age_days": "Days from the last row of the reference to the last row of the data.",
}
