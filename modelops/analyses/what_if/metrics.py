"""What `what_if` reports and no other analysis before it, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "case_output": "What the model says of the case: the score of the explained class, or the prediction.",
    "case_output_change": "How far the edits moved what the model says.",
    "shap_value": "How much the feature adds to what the model says of this case.",
    "sensitivity_range": "How far the output moves over the values of one feature, all others kept as they are.",
    "counterfactual_count": "How many different sets of changes were found that lead to the wanted outcome.",
    "counterfactual_output": "What the model says of the case after these changes.",
    "counterfactual_distance": "Size of the changes in median absolute deviations of their columns; a level counts 1.",
    "changed_feature_count": "How many columns are changed.",
    "nearest_other_outcome_distance": "How far the nearest real case with the other outcome is, in the same measure.",
    "broken_rule_count": "How many of the given rules the case breaks as it is edited.",
}
