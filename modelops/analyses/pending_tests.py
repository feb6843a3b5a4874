"""p-values that wait until the whole run is known, so that they can be adjusted for how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.measuring import measured
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.domain.result import Measurement, Scope


@dataclass(frozen=True)
class PendingTest:
    """One p-value of one family; ``None`` with the reason where it could not be computed."""

    metric: str
    scope: Scope
    p_value: float | None
    size: int
    reason: str = ""


def adjusted(tests: Sequence[PendingTest]) -> list[Measurement]:
    """Return the raw and the adjusted p-value of each test of one family (Benjamini and Hochberg)."""
    raw = np.array([np.nan if test.p_value is None else test.p_value for test in tests], dtype=np.float64)
    made = int(np.count_nonzero(~np.isnan(raw)))
    note = f"Adjusted over {made} tests of this run (Benjamini and Hochberg)."
    found = []
    for test, value in zip(tests, benjamini_hochberg(raw), strict=True):
        for name, number, about in (("p_value", test.p_value, None), ("adjusted_p_value", float(value), note)):
            found.append(
                measured(
                    f"{test.metric}_{name}",
                    number,
                    size=test.size,
                    scope=test.scope,
                    note=about,
                    otherwise=test.reason or "It could not be tested.",
                )
            )
    return found
