"""What `misclassified` reports and no other analysis before it, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "misclassified_count": "How many predictions are wrong.",
    "queue_length": "How many cases are queued for reading.",
    "queued_error_share": "Share of all mistakes (of the sum of all errors, for quantities) that the queue holds.",
    "mean_confidence": "Mean score of the predicted class.",
    "error_detection_roc_auc": "Share of pairs of a right and a wrong prediction in which the right one is surer.",
    "suspected_label_error_count": "Mistakes whose label is more likely wrong than right, beyond doubt and chance.",
}
