"""Words of the inventory: risk tiers, and what datasets are for."""

from __future__ import annotations

from enum import StrEnum


class RiskTier(StrEnum):
    """How much harm a wrong model could do; it decides how many people must sign."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class DatasetRole(StrEnum):
    """What a dataset is for."""

    TRAIN = "train"
    TEST = "test"
    REFERENCE = "reference"
    PRODUCTION = "production batch"
    POPULATION = "population"
