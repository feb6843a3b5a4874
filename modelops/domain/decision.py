"""Choices that a person makes with a result in view: the threshold of a model, the limits of a drift check."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from modelops.domain.record import Record

Interval = tuple[float, float]


class DecisionKind(StrEnum):
    """What was decided."""

    THRESHOLD = "threshold"
    DRIFT_LIMITS = "drift limits"


class Share(Record):
    """A rate with its interval and the rows that count for it; no ``value`` where it is not defined."""

    metric: str
    value: float | None
    interval: Interval | None
    rows: int = Field(ge=0)

    @property
    def words(self) -> str:
        """The rate for people."""
        name = self.metric.replace("_", " ")
        if self.value is None:
            return f"{name} not measured"
        ends = f" ({100 * self.interval[0]:.1f} to {100 * self.interval[1]:.1f} %)" if self.interval else ""
        return f"{name} {100 * self.value:.1f} %{ends}"


class GroupEffect(Record):
    """What a threshold does to all rows, or to one group."""

    group: str
    rows: int = Field(ge=0)
    shares: tuple[Share, ...]


class ThresholdDecision(Record):
    """A threshold that was chosen, under which costs and capacity, and what it does on the rows of the result."""

    schema_: Literal["modelops.decision.threshold/1"] = Field(default="modelops.decision.threshold/1", alias="schema")
    threshold: float
    positive: str | None
    cost_true_positive: float
    cost_false_positive: float
    cost_false_negative: float
    cost_true_negative: float
    capacity: float | None = Field(default=None, gt=0, le=1)
    cost_per_row: float
    effects: tuple[GroupEffect, ...] = Field(min_length=1)

    @property
    def title(self) -> str:
        """What was decided, in a few words."""
        return f"Threshold {self.threshold:g}"

    @property
    def words(self) -> str:
        """The whole decision for people."""
        capacity = "" if self.capacity is None else f", of at most {100 * self.capacity:g} % of the rows"
        costs = (
            f"Costs: true positive {self.cost_true_positive:g}, false positive {self.cost_false_positive:g}, "
            f"false negative {self.cost_false_negative:g}, true negative {self.cost_true_negative:g}; "
            f"{self.cost_per_row:.4g} per row."
        )
        lines = [f"A score of at least {self.threshold:g} counts as {self.positive or 'positive'}{capacity}.", costs]
        lines += [f"{one.group}: {'; '.join(share.words for share in one.shares)}." for one in self.effects]
        return "\n".join(lines)


class DriftLimits(Record):
    """From where on a change is reported, accepted with the alarm rate that was rehearsed."""

    schema_: Literal["modelops.decision.drift/1"] = Field(default="modelops.decision.drift/1", alias="schema")
    alpha: float = Field(gt=0, lt=1)
    margin: float = Field(ge=0, le=1)
    missing_margin: float = Field(ge=0, le=1)
    rehearsals: int = Field(ge=1)
    alarm_rate: float = Field(ge=0, le=1)
    interval: Interval

    @property
    def title(self) -> str:
        """What was decided, in a few words."""
        return f"Drift limits: alpha {self.alpha:g}, margin {self.margin:g}, missing margin {self.missing_margin:g}"

    @property
    def words(self) -> str:
        """The whole decision for people."""
        low, high = (100 * end for end in self.interval)
        return (
            f"{self.title}.\nRehearsed on {self.rehearsals:,} random splits of the reference, they would have alarmed "
            f"in {100 * self.alarm_rate:.1f} % ({low:.1f} to {high:.1f} %)."
        )


DecisionBody = ThresholdDecision | DriftLimits
BODIES: dict[DecisionKind, type[DecisionBody]] = {
    DecisionKind.THRESHOLD: ThresholdDecision,
    DecisionKind.DRIFT_LIMITS: DriftLimits,
}
