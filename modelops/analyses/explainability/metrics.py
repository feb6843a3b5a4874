"""What `explainability` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "mean_absolute_shap_value": "Mean size of the feature's contribution to a prediction.",
    "shap_base_value": "What contributions are added to: the mean prediction of the background.",
    "additivity_error": "Largest distance between a prediction and the sum of its contributions and the base value.",
    "shap_sampling_error": "Standard error of a contribution from sampling.",
    "permutation_importance": "How much worse predictions get when the feature is shuffled.",
    "partial_dependence_range": "How far the mean prediction moves over the values of the feature.",
    "accumulated_local_effects_range": "The same with correlated features kept together.",
    "lime_r2": "How well a straight line fits the model around this row.",
    "lime_stability": "How far the fit agrees over seeds: 1 fully.",
    "explanation_rank_correlation": "How far two methods agree on the order of the features.",
    "explanation_top_overlap": "Share of the most important features that two methods have in common.",
}
