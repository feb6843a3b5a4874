"""What `subpopulations` reports and no other analysis before it, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "subgroup_loss_difference": "How much worse the group is than all other rows; above 0: worse.",
    "subgroup_loss_ratio": "The mean loss of the group over that of all other rows; above 1: worse.",
    "subgroup_p_value": "How often a group without any difference would look as different.",
    "subgroup_adjusted_p_value": "The same, adjusted for how many groups were tested.",
    "smallest_detectable_loss_difference": "The difference from all other rows that would be found with 80 % power.",
    "confirmed_weak_segment_count": "Weak segments found on one half of the rows that are weak on the other half too.",
    "leaf_loss_difference": "How much worse this leaf of the error tree is than all other rows of the second half.",
}
