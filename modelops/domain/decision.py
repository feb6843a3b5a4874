"""Choices that a person makes with a result in view: the threshold of a model, the limits of a drift check."""

from __future__ import annotations

from enum import StrEnum


class DecisionKind(StrEnum):
    """What was decided."""

    THRESHOLD = "threshold"
    DRIFT_LIMITS = "drift limits"
