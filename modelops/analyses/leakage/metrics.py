"""What `leakage` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "shared_row_rate": "Share of rows that also stand in the training data (by the match in the scope).",
    "shared_row_rate_by_chance": "The same for rows composed of the same values: what coarse columns make alike.",
    "excess_shared_row_rate": "Share of rows that also stand in the training data, beyond chance.",
    "repeated_row_rate": "Share of rows that repeat an earlier row of the same table (by the match in the scope).",
    "shared_entity_rate": "Share of rows whose id also stands in the training data.",
    "time_overlap_rate": "Share of rows not later than the newest training row.",
    "later_training_row_rate": "Share of training rows later than the oldest row of the data.",
    "feature_after_prediction_rate": "Share of rows whose feature is of a time after the prediction.",
    "single_feature_roc_auc": "How well the feature alone tells the classes apart; 0.5 by chance.",
    "single_feature_r2": "Share of the target's variance that the feature alone explains on rows that it did not see.",
    "single_feature_adjusted_p_value": "How often permuted labels are predicted as well, adjusted for all features.",
    "missingness_roc_auc": "How well it tells the classes apart whether the feature is missing; 0.5 by chance.",
    "missingness_r2": "Which share of the target's variance is explained by whether the feature is missing.",
    "missingness_adjusted_p_value": "How often permuted labels are predicted as well, adjusted for all features.",
    "order_roc_auc": "How well an id, or the place of the rows in the table, tells the classes apart.",
    "order_r2": "Which share of the target's variance an id, or the place of the rows in the table, explains.",
    "order_adjusted_p_value": "How often permuted labels are predicted as well, adjusted for ids and order.",
    "excess_order_roc_auc": "How well an id, or the place of the rows, tells classes apart beyond what the time tells.",
    "excess_order_r2": "Share of the target's variance that an id, or the place of the rows, explains beyond the time.",
    "time_roc_auc": "How well the time of a row alone tells the classes apart; 0.5 by chance.",
    "time_r2": "Share of the target's variance that the time of a row alone explains.",
    "time_p_value": "How often permuted labels are told by the time as well.",
    "batch_dependent_rate": "Share of rows that the model answers otherwise alone than in a batch.",
    "batch_difference": "The largest difference of an answer alone and in a batch.",
}
