"""What `fairness` reports, each metric in one line."""

from __future__ import annotations

_FAIRNESS = {
    "selection_rate": "Share of rows that are predicted positive.",
    "true_positive_rate": "Share of positive rows that are predicted positive.",
    "false_positive_rate": "Share of negative rows that are predicted positive.",
    "false_negative_rate": "Share of positive rows that are predicted negative.",
    "false_discovery_rate": "Share of positive predictions that are wrong.",
    "shrunken_selection_rate": "Selection rate, drawn toward the mean of all groups as few rows demand.",
    "shrunken_true_positive_rate": "True positive rate, drawn toward the mean of all groups as few rows demand.",
    "shrunken_false_positive_rate": "False positive rate, drawn toward the mean of all groups as few rows demand.",
    "selection_rate_difference": "Selection rate of the group less that of all other rows.",
    "true_positive_rate_difference": "True positive rate of the group less that of all other rows.",
    "false_positive_rate_difference": "False positive rate of the group less that of all other rows.",
    "precision_difference": "Precision in the group less that in all other rows.",
    "accuracy_difference": "Accuracy in the group less that in all other rows.",
    "adverse_impact_ratio": "Selection rate of the group over that of the most selected group.",
    "below_four_fifths": "1 if the adverse impact ratio is below four fifths (a US employment-law convention), else 0.",
    "mean_score": "Mean of the scores.",
    "calibration_in_the_large": (
        "What came true less what was said, on average (for a class its share less the mean score, for a quantity mean "
        "target less mean prediction): negative where scores or predictions are too high."
    ),
    "expected_calibration_error": "Mean distance of score and share that came true over bins of equal mass.",
    "demographic_parity_difference": "Largest difference of selection rates between two groups.",
    "demographic_parity_ratio": "Smallest selection rate of a group over the largest.",
    "conditional_demographic_parity_difference": "As demographic parity, among rows alike in the condition column.",
    "equalized_odds_difference": "Largest difference of true or of false positive rates between two groups.",
    "equalized_odds_ratio": "Smallest ratio of true or of false positive rates between two groups.",
    "equal_opportunity_difference": "Largest difference of true positive rates between two groups.",
    "equal_opportunity_ratio": "Smallest true positive rate of a group over the largest.",
    "predictive_parity_difference": "Largest difference of precision between two groups.",
    "accuracy_parity_difference": "Largest difference of accuracy between two groups.",
    "base_rate_difference": "Largest difference of the share of positive labels between two groups.",
    "mean_prediction_difference": "Largest difference of the mean prediction between two groups.",
    "mean_target_difference": "Largest difference of the mean target between two groups.",
    "mean_error_difference": "Largest difference of the mean error between two groups.",
    "mean_absolute_error_difference": "Largest difference of the mean absolute error between two groups.",
    "standardized_mean_error_difference": "Difference of mean errors in standard deviations of the target.",
    "proxy_cramers_v": "How well the feature tells the groups: 0 not at all, 1 fully.",
    "proxy_roc_auc": "How well the feature ranks members of one group before all others; 0.5 by chance.",
}
_TESTED_BY_GROUP = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")
_TESTED_BY_COLUMN = (
    "demographic_parity",
    "conditional_demographic_parity",
    "equalized_odds",
    "equal_opportunity",
    "predictive_parity",
    "accuracy_parity",
    "base_rate",
    "mean_prediction",
    "mean_target",
    "mean_error",
    "mean_absolute_error",
)
_TESTS = {
    f"{name}_{kind}": f"How often groups without any real difference would differ as much{adjusted}."
    for name in (*_TESTED_BY_GROUP, *_TESTED_BY_COLUMN)
    for kind, adjusted in (("p_value", ""), ("adjusted_p_value", ", adjusted for how many tests the run made"))
}


METRICS: dict[str, str] = _FAIRNESS | _TESTS
