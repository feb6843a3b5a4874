"""What `feedback_loop` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "label_coverage_gap": "Largest less smallest share of known labels among the decisions.",
    "label_coverage_p_value": "How often labels that come at random would differ as much between the decisions.",
    "label_selection_roc_auc": "How well the score tells rows with a label from those without; 0.5: not at all.",
    "smallest_detectable_label_coverage_gap": "The gap that would be found with 80 % power.",
    "exploration_share": "Share of the rows that the score would refuse, to which yes was said all the same.",
    "refused_label_coverage": "Share of the rows that the score would refuse, of which the outcome is known.",
    "override_share": "Share of the rows that the score would grant, to which no was said all the same.",
    "randomised_share": "Share of the rows that a column marks as decided at random.",
    "smallest_decision_share": "Smallest share of yes in a tenth of the rows by score; 0: somebody never has a chance.",
    "explored_positive_rate": "Share of positive outcomes among those who were granted against the score.",
    "decision_threshold": "The score from which yes is said.",
    "exposure_share": "Share of the rows to which yes (or this class) was said.",
    "exposure_change": "That share (for regression the mean prediction) in the later half less that in the earlier.",
    "exposure_p_value": "How often decisions that do not drift would change as much.",
    "exposure_adjusted_p_value": "The same, adjusted for how many classes were looked at.",
    "exposure_concentration": "Share of all yes that goes to the tenth of the entities that gets most.",
    "earlier_score_association": "Rank correlation of a feature with the score before, given its own value before.",
    "earlier_score_p_value": "How often a feature that was not made from it would go together with it as much.",
    "earlier_score_adjusted_p_value": "The same, adjusted for how many features were looked at.",
    "earlier_score_match_rate": "Share of the rows whose feature equals the score or prediction before.",
    "suspicious_name_count": "Features whose names sound like a score, a prediction or an exposure.",
    "holdout_rows_to_estimate": "Rows that have to be decided at random to know how the refused turn out.",
    "holdout_rows_to_compare": "Rows with and as many without the model's decision, to see the difference asked for.",
    "holdout_share": "The rows to compare as a share of the rows of this table.",
}
