"""What metrics are called for people; programs use the names with underscores."""

from __future__ import annotations

_NAMES = {
    "p value": "p-value",
    "roc auc": "ROC AUC",
    "kolmogorov smirnov": "Kolmogorov-Smirnov",
    "cramers v": "Cramér's V",
    "jensen shannon": "Jensen-Shannon",
    "wasserstein": "Wasserstein",
    "matthews corrcoef": "Matthews correlation",
    "cohen kappa": "Cohen's kappa",
    "brier": "Brier",
    "shap ": "SHAP ",
    "lime ": "LIME ",
}


def metric_name(metric: str) -> str:
    """Return what a metric is called.

    Examples
    --------
    >>> metric_name("false_positive_rate"), metric_name("roc_auc"), metric_name("kolmogorov_smirnov_p_value")
    ('False positive rate', 'ROC AUC', 'Kolmogorov-Smirnov p-value')
    """
    words = metric.replace("_", " ")
    for written, said in _NAMES.items():
        words = words.replace(written, said)
    return f"{words[0].upper()}{words[1:]}"
