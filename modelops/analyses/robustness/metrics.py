"""What `robustness` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "refused": "1 where the model refuses the spoiled rows with an error, 0 where it answers.",
    "not_finite_rate": "Share of the spoiled rows whose answer is not a number (NaN or infinite).",
    "out_of_range_rate": "Share of the answered rows whose answer leaves its range: 0 to 1 for probabilities.",
    "flip_rate": "Share of the answered rows that get another class, or a number at least the stated step away.",
    "changed_rate": "Share of the answered rows whose answer differs by more than rounding.",
    "largest_change": "The furthest that an answer has moved: in the score of a class, or in the number predicted.",
    "crashed_trials": "Trials in which the model's process ended instead of answering.",
    "not_finite_trials": "Trials in which some answer was not a number.",
    "out_of_range_trials": "Trials in which some answer left its range.",
    "refused_trials": "Trials in which the model refused the rows with an error.",
    "adversarial_flip_rate": "Share of rows whose answer a plausible change turns: of any size, or a small one.",
    "adversarial_distance": "Size of the smallest plausible change that turns the answer: its median over the rows.",
    "guard_hit_rate": "Share of rows that the prediction guard catches.",
}
