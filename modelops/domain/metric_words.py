"""What metrics are called for people; programs use the names with underscores."""

from __future__ import annotations

_NAMES = {
    "roc auc": "ROC AUC",
    "kolmogorov smirnov": "Kolmogorov-Smirnov",
    "cramers v": "Cramér's V",
    "jensen shannon": "Jensen-Shannon",
    "wasserstein": "Wasserstein",
    "matthews corrcoef": "Matthews correlation",
    "cohen kappa": "Cohen's kappa",
    "brier": "Brier",
    "shap ": "SHAP ",
    " p value": " p-value",
    "lime ": "LIME ",
    "mcnemar ": "McNemar ",
    "pit ": "PIT ",
    "breusch pagan": "Breusch-Pagan",
    "durbin watson": "Durbin-Watson",
    "ljung box": "Ljung-Box",
    "white ": "White ",
    "cohens w": "Cohen's w",
    "chi squared": "chi-squared",
    "id like": "id-like",
}
_WORDS = {"f1": "F1", "r2": "R2"}


def metric_phrase(metric: str) -> str:
    """Return what a metric is called inside a sentence.

    Examples
    --------
    >>> metric_phrase("false_positive_rate"), metric_phrase("roc_auc"), metric_phrase("f1")
    ('false positive rate', 'ROC AUC', 'F1')
    >>> metric_phrase("shap_value"), metric_phrase("label_issue_p_value")
    ('SHAP value', 'label issue p-value')
    >>> metric_phrase("mcnemar_p_value"), metric_phrase("estimated_f1"), metric_phrase("breusch_pagan_statistic")
    ('McNemar p-value', 'estimated F1', 'Breusch-Pagan statistic')
    """
    words = metric.replace("_", " ")
    for written, said in _NAMES.items():
        words = words.replace(written, said)
    return " ".join(_WORDS.get(word, word) for word in words.split(" "))


def metric_name(metric: str) -> str:
    """Return what a metric is called.

    Examples
    --------
    >>> metric_name("false_positive_rate"), metric_name("roc_auc"), metric_name("kolmogorov_smirnov_p_value")
    ('False positive rate', 'ROC AUC', 'Kolmogorov-Smirnov p-value')
    """
    words = metric_phrase(metric)
    return f"{words[0].upper()}{words[1:]}"
