"""What `reproducibility` reports, each metric in one line; `changed_rate` and `flip_rate` stand with `robustness`."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "identical_rate": "Share of rows whose answer is the same to the last bit when it is asked for, or trained, again.",
    "largest_difference": "The furthest that an answer lies from the one that it should repeat.",
    "churn_rate": "Share of rows that two trainings with other seeds decide differently: mean over pairs of trainings.",
    "mean_prediction_spread": "Standard deviation of a row's answer over the seeds of training: mean over the rows.",
    "seed_standard_deviation": "Standard deviation of a quality measure over the seeds of training.",
    "noise_margin": "Difference of a quality measure that two trainings exceed by the seed alone one time in twenty.",
}
