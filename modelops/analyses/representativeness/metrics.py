"""What `representativeness` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "group_share": "Share of the rows that belong to the group.",
    "group_share_difference": "The group's share of the data less its share of the population.",
    "group_share_p_value": "How often samples of the population would differ as much in this group.",
    "group_share_adjusted_p_value": "The same, adjusted for how many groups were compared.",
    "representation_ratio": "The group's share of the data over its share of the population; 1: as it should be.",
    "smallest_detectable_share_difference": "The difference of the share that would be found with 80 % power.",
    "group_rows": "Rows of the data that belong to the group.",
    "group_margin_of_error": "Half the width of the 95 % interval of a rate of one half in the group.",
    "rows_needed_in_group": "Rows that the group needs for the wished precision.",
    "rows_needed": "Rows that a sample like the population needs, so that the group has enough of them.",
    "smallest_group_rows": "Rows of the smallest group that the population has.",
    "smallest_sensitive_group_rows": "The same among the groups by one sensitive column.",
    "absent_group_count": "Groups of the population that the data does not have.",
    "population_coverage": "Share of the population that belongs to groups which the data has.",
    "unknown_group_share": "Share of the data that belongs to groups which the population does not have.",
    "cohens_w": "How far the shares are from the stated ones: 0.1 small, 0.3 medium, 0.5 large by convention.",
    "misrepresented_group_share": "Share of the groups that differ from the population really and by enough to matter.",
}
