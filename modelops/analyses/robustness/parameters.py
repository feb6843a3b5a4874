"""What a run of `robustness` can be told."""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Parameters


class RobustnessParameters(Parameters):
    """How many rows are spoiled in which columns, what counts as another answer, and what the guard is."""

    rows: int = Field(
        default=300, ge=10, le=20_000, description="Rows that every scenario is tried on at most; drawn at random."
    )
    features: int = Field(
        default=30,
        ge=1,
        le=1_000,
        description="Features that are spoiled one by one and changed in the search, the first ones of the model.",
    )
    single_rows: int = Field(default=30, ge=1, le=1_000, description="Rows that are asked one at a time.")
    other_answer: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="For regression: from how many standard deviations of the predictions on it is another answer.",
    )
    range_margin: float = Field(
        default=0.5,
        ge=0,
        le=100,
        description="For regression: how far predictions may leave the range of the target, as a share of its width.",
    )
    adversarial_rows: int = Field(
        default=40, ge=1, le=2_000, description="Rows whose smallest change to another answer is searched."
    )
    adversarial_features: int = Field(
        default=3, ge=1, le=10, description="Features that may be changed together to get another answer."
    )
    adversarial_distance: float = Field(
        default=0.1,
        gt=0,
        le=10,
        description="A change up to so many standard deviations (another category is 1) counts as small.",
    )
    guard_rows: int = Field(default=5_000, ge=10, le=1_000_000, description="Rows that the guard is tried on at most.")
    guard_tail: float = Field(
        default=0.005, ge=0, lt=0.5, description="Share of values at each end of a column that the guard calls unusual."
    )
    guard_confidence: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="For classification: the guard also catches rows whose largest score is below. Empty: it does not.",
    )
    fallback: str | None = Field(
        default=None,
        max_length=200,
        description="What is answered where the guard catches a row: a class or a number. Empty: the commonest class, "
        "or the median of the target.",
    )
