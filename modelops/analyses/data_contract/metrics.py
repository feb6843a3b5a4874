"""What `data_contract` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "contract_violation_share": "Share of the rows that break the check, of those that it can judge.",
    "contract_violation_count": "How many rows break the check.",
    "contract_excess_violation_share": "Share of the rows that break the check less the share that it tolerates.",
    "contract_false_alarm_rate": "In how many batches of good rows, that nothing was learned from, the check alarms.",
    "contract_any_false_alarm_rate": "In how many batches of good rows at least one check of the contract alarms.",
    "contract_broken_check_share": "Share of the checks that are broken by more rows than they tolerate.",
    "contract_held_check_share": "Share of the checks that could be held against the table.",
    "contract_accepted_check_share": "Share of the checks that a person has accepted.",
}
