"""What `label_quality` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "label_issue_rate": "Share of labels that are likely wrong.",
    "expected_label_issue_rate": "The same if labels were drawn from the scores: what their own doubt explains.",
    "excess_label_issue_rate": "Share of labels that are likely wrong, beyond the doubt of the scores.",
    "label_issue_p_value": "How often labels drawn from the scores would look as wrong.",
    "label_noise_rate": "Estimated share of labels that are wrong at random, beside scores too sure of themselves.",
    "label_noise_p_value": "How often right labels and scores that are too sure would look as if labels were wrong.",
    "estimated_label_error_rate": "Estimated share of wrong labels (among those given as the class in the scope).",
    "label_noise_joint": "Estimated share of rows with this given and that true label.",
    "mean_self_confidence": "Mean score of the given label; 1: no doubt.",
    "given_label_agreement": "Share of rows whose given label has the largest score.",
    "robust_deviation": "Spread of the differences between target and prediction, by quartiles.",
}
